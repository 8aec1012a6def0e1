/** The state of a model's optimizer as arrays for a file; the counterpart of `place-optimizer.ts`. */

import type { Shape } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import type { WeightEntry } from '../formats/artifacts.ts';
import type { Variable } from '../graph/variable.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { weightEntryOf } from './encode-model.ts';
import { tfKerasSlot } from './optimizer-habits.ts';
import { inTfKerasOrder, stateOf } from './optimizer-state.ts';

/** The order of state in a file: that of Keras 3, or of tf_keras 2.11 and later. */
export type OptimizerLayout = 'keras3' | 'tf_keras';

/**
 * The state of a model's optimizer as arrays for a file, in the order and with the names of a layout; none of a model that
 * is not compiled.
 *
 * Names are `adam/dense_kernel_momentum` in Keras 3, which puts them into `.h5` alone; a `.weights.h5` numbers them. In
 * tf_keras they are `Adam/m/dense/kernel:0`.
 */
export async function optimizerWeightsOf(
  model: KerasModel,
  layout: OptimizerLayout = 'keras3',
): Promise<readonly WeightEntry[]> {
  const trainer = await model.loadTrainer();
  if (trainer === undefined) return [];
  const { optimizer, trainable } = trainer;
  const items = stateOf(optimizer, trainable);
  if (layout === 'keras3') return items.map(({ variable }) => weightEntryOf(variable as Variable, model.name));
  return inTfKerasOrder(optimizer, items, trainable).map(({ variable, weight, slot, shape }) => {
    const name =
      weight === undefined ? `${slot}:0` : `${optimizer.className}/${tfKerasSlot(optimizer, slot)}/${weight.path}:0`;
    return variable === undefined ? zerosEntry(name, shape, model.name) : weightEntryOf(variable, model.name, name);
  });
}

/** Zeros, for what a layout has and an optimizer has not. */
export function zerosEntry(name: string, shape: Shape, file: string): WeightEntry {
  const length = shape.reduce((product, extent) => product * extent, 1);
  const read = async (): Promise<Tensor> => new Tensor(shape, 'float32', new Float32Array(length));
  return { name, dtype: 'float32', shape, file, storedBytes: 4 * length, read };
}
