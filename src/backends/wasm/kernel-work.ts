/** What kernels have to do at least, by what they are for and not by how they do it: the measure of how well they do. */
import { bytesPerElement } from '../../array/dtype.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import {
  type Buffer,
  buffersRead,
  buffersWritten,
  byteLengthOf,
  type Expression,
  type Kernel,
  loadsOf,
  type NodeKernel,
  visitExpression,
} from '../../compiler/schedule.ts';
import { multiplyAdds } from './kernel-cost.ts';

export interface KernelWork {
  /** Products that are added up, of contractions: those with padding counted too. */
  readonly multiplyAdds: number;
  /** Two for each multiply-add, one for each other operation on a number; a function such as `exp` counts as one. */
  readonly operations: number;
  /** Bytes of all inputs and outputs, each once. */
  readonly bytes: number;
}

export function kernelWork(kernel: Kernel): KernelWork {
  const products = multiplyAddsOf(kernel);
  return { multiplyAdds: products, operations: 2 * products + otherOperations(kernel), bytes: bytesOf(kernel) };
}

function multiplyAddsOf(kernel: Kernel): number {
  if (kernel.kind === 'node') return multiplyAdds(kernel.node);
  if (kernel.kind !== 'scan') return 0;
  return kernel.length * kernel.body.reduce((sum, inner) => sum + multiplyAddsOf(inner), 0);
}

function otherOperations(kernel: Kernel): number {
  const inTail = (tail: { readonly domain: Shape; readonly value: Expression } | undefined): number =>
    tail === undefined ? 0 : sizeOf(tail.domain) * operationsIn(tail.value);
  switch (kernel.kind) {
    case 'loop':
      return sizeOf(kernel.domain) * operationsIn(kernel.value);
    case 'reduce':
      return sizeOf(kernel.kept) * sizeOf(kernel.reduced) * (operationsIn(kernel.value) + 1) + inTail(kernel.tail);
    case 'node':
      return nodeOperations(kernel) + inTail(kernel.tail);
    case 'scan':
      return kernel.length * kernel.body.reduce((sum, inner) => sum + otherOperations(inner), 0);
    case 'pack':
      return 0;
  }
}

/** Conversions are moves, not operations. */
function operationsIn(value: Expression): number {
  let count = 0;
  visitExpression(value, (part) => {
    if (part.kind === 'apply' && part.primitive !== 'cast') count++;
  });
  return count;
}

/** Of primitives that are neither contractions nor moves: roughly one for each element that is looked at. */
function nodeOperations({ node, inputs, outputs }: NodeKernel): number {
  const size = (buffers: readonly Buffer[]): number => buffers[0]?.size ?? 0;
  switch (node.primitive) {
    case 'maxPool':
    case 'averagePool':
      return size(outputs) * sizeOf(node.attributes.window);
    case 'maxPoolGradient':
    case 'averagePoolGradient':
    case 'argMax':
    case 'argMin':
    case 'cumulativeSum':
    case 'cumulativeProduct':
    case 'cumulativeMax':
    case 'cumulativeMin':
    case 'scatterAdd':
      return size(inputs);
    default:
      return 0;
  }
}

function bytesOf(kernel: Kernel): number {
  switch (kernel.kind) {
    case 'loop':
      return loadedBytes([[kernel.domain, kernel.value]]) + sizeOf(kernel.domain) * elementBytes(kernel.store.buffer);
    case 'reduce': {
      const domain = [...kernel.kept, ...kernel.reduced];
      const tail = kernel.tail === undefined ? [] : [[kernel.tail.domain, kernel.tail.value] as const];
      return loadedBytes([[domain, kernel.value], ...tail], [kernel.output]) + byteLengthOf(kernel.output);
    }
    case 'node': {
      const { inputs, outputs, tail, node } = kernel;
      const written = totalBytes(outputs);
      const read = [...new Set(inputs)].map((buffer, index) =>
        // Of a table, the rows that are looked up.
        node.primitive === 'gather' && index === 0 ? Math.min(byteLengthOf(buffer), written) : byteLengthOf(buffer),
      );
      const inTail = tail === undefined ? 0 : loadedBytes([[tail.domain, tail.value]], [...inputs, ...outputs]);
      return read.reduce((sum, bytes) => sum + bytes, 0) + inTail + written;
    }
    case 'scan': {
      const own = new Set(buffersWritten(kernel));
      const outside = buffersRead(kernel).filter((buffer) => !own.has(buffer));
      const results = [...kernel.carries.map(({ current }) => current), ...kernel.stacked.map(({ whole }) => whole)];
      return totalBytes(outside) + totalBytes(results);
    }
    case 'pack':
      return byteLengthOf(kernel.input) + byteLengthOf(kernel.output);
  }
}

function totalBytes(buffers: readonly Buffer[]): number {
  return [...new Set(buffers)].reduce((sum, buffer) => sum + byteLengthOf(buffer), 0);
}

function elementBytes({ dtype }: Buffer): number {
  return bytesPerElement(dtype);
}

/** Bytes of what is loaded, without the buffers `except`: of each buffer at most all. */
function loadedBytes(
  parts: readonly (readonly [domain: Shape, value: Expression])[],
  except: readonly Buffer[] = [],
): number {
  const elements = new Map<Buffer, number>();
  for (const [domain, value] of parts) {
    for (const { buffer, strides } of loadsOf(value)) {
      if (except.includes(buffer)) continue;
      // Along an axis without a stride the same element is loaded again.
      const count = domain.reduce((product, extent, axis) => (strides[axis] === 0 ? product : product * extent), 1);
      elements.set(buffer, Math.min(buffer.size, (elements.get(buffer) ?? 0) + count));
    }
  }
  return [...elements].reduce((sum, [buffer, count]) => sum + count * elementBytes(buffer), 0);
}
