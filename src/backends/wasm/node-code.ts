/** Primitives with algorithms of their own. */
import type { NodeKernel } from '../../compiler/schedule.ts';
import { BackendError } from '../../errors.ts';
import type { FunctionBuilder } from './assembler-function.ts';
import type { KernelContext } from './kernel-context.ts';

/** Writes the kernel of a node and gives what calls it. */
export function emitNode(_context: KernelContext, kernel: NodeKernel): (f: FunctionBuilder) => void {
  throw new BackendError(`Cannot compile ${kernel.node.primitive}: no kernel`, 'wasm');
}
