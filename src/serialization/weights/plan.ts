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
  /** Leave out what does not fit, as `skip_mismatch` of Keras does. */
  readonly skipMismatch: boolean;
  /** Another name for a layer or weight of the file. */
  readonly rename: (name: string) => string;
  /** Whether `rename` was given. */
  readonly renames?: boolean;
  /** Names of the file's layers by their paths, as far as its configuration has them. */
  readonly fileLayerNames?: ReadonlyMap<string, string>;
}

/** A name without TensorFlow's `:0`. */
export function withoutOutputIndex(name: string): string {
  return name.replace(/:\d+$/, '');
}
