import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';

/**
 * Counts `at`, in bytes from 0, over the whole vectors of `count` floats: over two neighbours at a time where the engine
 * joins them, else over one.
 *
 * @param body writes one step, for so many neighbours
 * @returns how many floats are in whole vectors
 */
export function forVectors(
  module: ModuleBuilder,
  f: FunctionBuilder,
  at: Local,
  count: number,
  body: (vectors: 1 | 2) => void,
): number {
  const [pairs, whole] = [module.wide ? count - (count % 8) : 0, count - (count % 4)];
  f.for(at, 0, pairs * 4, 32, () => body(2));
  f.for(at, pairs * 4, whole * 4, 16, () => body(1));
  return whole;
}
