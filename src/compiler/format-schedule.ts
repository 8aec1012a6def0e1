/** A schedule as text, for tests and for people who ask where the time goes. */
import { formatShape } from '../array/shape.ts';
import type { MemoryPlan } from './plan.ts';
import type { Access, Buffer, Expression, Kernel, Schedule, Tail } from './schedule.ts';

/**
 * One line for each kernel, those of the prologue first, and what they read and write:
 *
 * ```text
 * prologue
 *   multiply.2 = loop [3, 3, 3, 32]: multiply(kernel, rsqrt)
 * run
 *   convolve = convolve(input0, multiply.2) then [1, 112, 112, 32]: maximum(add(convolve, bias), 0)
 * ```
 */
export function formatSchedule(schedule: Schedule): string {
  const lines: string[] = [];
  const add = (kernels: readonly Kernel[], indent: string): void => {
    for (const kernel of kernels) {
      lines.push(indent + formatKernel(kernel));
      if (kernel.kind === 'scan') add(kernel.body, `${indent}  `);
    }
  };
  if (schedule.prologue.length > 0) lines.push('prologue');
  add(schedule.prologue, '  ');
  lines.push('run');
  add(schedule.kernels, '  ');
  return lines.join('\n');
}

/** Bytes of a plan, and how near they are to the least possible. */
export function formatPlan({ totalBytes, permanentBytes, lowerBoundBytes }: MemoryPlan): string {
  const excess = ((totalBytes / Math.max(lowerBoundBytes, 1) - 1) * 100).toFixed(1);
  return `${totalBytes} bytes, ${permanentBytes} of them permanent; ${excess} % above the lower bound of ${lowerBoundBytes}`;
}

/** What a kernel does, on one line. */
export function formatKernel(kernel: Kernel): string {
  switch (kernel.kind) {
    case 'loop':
      return `${formatStore(kernel.store)} = loop ${formatShape(kernel.domain)}: ${formatExpression(kernel.value)}`;
    case 'reduce': {
      const over = `${formatShape(kernel.kept)} over ${formatShape(kernel.reduced)}`;
      const value = formatExpression(kernel.value);
      return `${kernel.output.name} = ${kernel.fold} ${over}: ${value}${formatTail(kernel.tail)}`;
    }
    case 'node': {
      const call = `${kernel.node.primitive}(${names(kernel.inputs)})`;
      return `${names(kernel.outputs)} = ${call}${formatTail(kernel.tail)}`;
    }
    case 'scan': {
      const carries = kernel.carries.map(({ current, initial }) => `${current.name} from ${initial.name}`);
      return `${kernel.name} = scan ${kernel.length}${kernel.reverse ? ' in reverse' : ''}: ${carries.join(', ')}`;
    }
    case 'pack':
      return `${kernel.output.name} = pack(${kernel.input.name})`;
  }
}

function formatTail(tail: Tail | undefined): string {
  return tail === undefined ? '' : ` then ${formatShape(tail.domain)}: ${formatExpression(tail.value)}`;
}

function names(buffers: readonly Buffer[]): string {
  return buffers.map((buffer) => buffer.name).join(', ');
}

function formatStore({ buffer, offset }: Access): string {
  return offset === 0 ? buffer.name : `${buffer.name}+${offset}`;
}

function formatExpression(value: Expression): string {
  switch (value.kind) {
    case 'load':
      return formatStore(value.access);
    case 'immediate':
      return String(value.value);
    case 'affine':
      return 'iota';
    case 'apply':
      return `${value.primitive}(${value.operands.map(formatExpression).join(', ')})`;
  }
}
