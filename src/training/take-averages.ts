import type { Variable } from '../graph/variable.ts';
import { copyOf, type Optimizer } from './optimizers/optimizer.ts';

/** Gives weights the moving averages that an optimizer with `useEma` keeps of them, as Keras does when a fit ends. */
export function takeAverages(optimizer: Optimizer, weights: readonly Variable[]): void {
  // Before the first step the averages are 0.
  if (Number(optimizer.iterations.value.data[0]) === 0) return;
  for (const weight of weights) {
    const average = optimizer.averageOf(weight);
    if (average !== undefined) weight.assign(copyOf(average)());
  }
}
