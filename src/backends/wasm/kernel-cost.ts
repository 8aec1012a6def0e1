/** What kernels take one thread, roughly: enough to tell those that are worth sharing. */
import { sizeOf } from '../../array/shape.ts';
import {
  type Expression,
  type Kernel,
  type LoopKernel,
  type NodeKernel,
  type PackKernel,
  type ReduceKernel,
  visitExpression,
} from '../../compiler/schedule.ts';
import type { SymbolicTensor } from '../../graph/node.ts';

/** Nanoseconds for each element of each operation of a chain, and for each operand that is loaded. */
const OPERATION_COST = 0.08;
const LOAD_COST = 0.12;

/** Nanoseconds for each element of functions that are polynomials. */
const FUNCTION_COST = 1;

/** Nanoseconds for each multiply-add of a contraction. */
const MULTIPLY_ADD_COST = 0.04;

/** Nanoseconds for each element that a contraction reads or writes: most are weights, which stream from the caches. */
const STREAMED_COST = 0.1;

/** Nanoseconds for each element that other kernels read or write. */
const ELEMENT_COST = 0.7;

/** Names of those that take more than a few instructions. */
const FUNCTION = /^(?:a?(?:sin|cos|tan)|exp|log|erf|sigmoid|power)/;

/** Nanoseconds that a program must take before calling other threads to it pays. */
export const LEAST_SHARED_COST = 50_000;

/** Nanoseconds that one thread would take for the kernels. */
export function programCost(kernels: readonly Kernel[]): number {
  return kernels.reduce((sum, kernel) => sum + kernelCost(kernel), 0);
}

function kernelCost(kernel: Kernel): number {
  switch (kernel.kind) {
    case 'loop':
      return loopCost(kernel);
    case 'reduce':
      return reduceCost(kernel);
    case 'node':
      return nodeCost(kernel);
    case 'scan':
      return kernel.length * kernel.body.reduce((sum, inner) => sum + kernelCost(inner), 0);
    case 'pack':
      return packCost(kernel);
  }
}

export function packCost({ output }: PackKernel): number {
  return output.size * ELEMENT_COST;
}

/** Of an expression that is computed at `count` points. */
export function expressionCost(count: number, value: Expression): number {
  let each = LOAD_COST;
  visitExpression(value, (part) => {
    if (part.kind === 'load') each += LOAD_COST;
    else if (part.kind === 'apply') each += FUNCTION.test(part.primitive) ? FUNCTION_COST : OPERATION_COST;
  });
  return count * each;
}

export function loopCost({ domain, value }: LoopKernel): number {
  return expressionCost(sizeOf(domain), value);
}

export function reduceCost({ kept, reduced, value }: ReduceKernel): number {
  return expressionCost(sizeOf(kept) * Math.max(1, sizeOf(reduced)), value);
}

export function nodeCost({ node, inputs, outputs }: NodeKernel): number {
  const elements = [...inputs, ...outputs].reduce((sum, { size }) => sum + size, 0);
  const count = multiplyAdds(node);
  return count === 0 ? elements * ELEMENT_COST : Math.max(count * MULTIPLY_ADD_COST, elements * STREAMED_COST);
}

/** Of a contraction, as it is defined; none of others. */
export function multiplyAdds(node: NodeKernel['node']): number {
  const [left, right] = node.inputs as readonly SymbolicTensor[];
  const output = node.outputs[0] as SymbolicTensor;
  switch (node.primitive) {
    case 'dot': {
      const depth = left?.shape.at(node.attributes.transposeLeft ? -2 : -1) ?? 0;
      return sizeOf(output.shape) * depth;
    }
    case 'convolve':
      // Each output is a sum over a window of one group's channels: the kernel without its filters.
      return sizeOf(output.shape) * sizeOf(right?.shape.slice(0, -1) ?? []);
    case 'convolveInputGradient':
      return sizeOf(left?.shape ?? []) * sizeOf(right?.shape.slice(0, -1) ?? []);
    case 'convolveFilterGradient':
      return sizeOf(right?.shape ?? []) * sizeOf(output.shape.slice(0, -1));
    default:
      return 0;
  }
}
