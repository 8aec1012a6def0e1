/** Which arrays of a file become which weights of a model: decided before a byte of them is read. */
import type { Tensor } from '../../array/tensor.ts';
import type { WeightEntry } from '../../formats/artifacts.ts';
import type { Variable } from '../../graph/variable.ts';

/** One weight and the arrays that it is made of. */
export interface PlanItem {
  readonly variable: Variable;
  /** Usually one; old recurrent layers have one for each gate. */
  readonly entries: readonly WeightEntry[];
  /** Makes the value of the weight; the array as it is when absent. */
  readonly convert?: (tensors: readonly Tensor[]) => Tensor;
}

export interface MatchOptions {
  /** Match by name alone: what has no partner is left out on both sides, as `by_name` of Keras does. */
  readonly byName: boolean;
  /** Leave out weights whose shapes differ. */
  readonly skipMismatch: boolean;
  /** Another name for a layer or weight of the file: a record or a function. */
  readonly rename: (name: string) => string;
}

/** A name without TensorFlow's `:0`. */
export function withoutOutputIndex(name: string): string {
  return name.replace(/:\d+$/, '');
}
