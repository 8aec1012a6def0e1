/**
 * The state of optimizers in files: which array belongs to which slot of which weight, in the layouts of Keras 3, of
 * tf_keras and of those before it.
 */
import type { Shape } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import type { WeightEntry } from '../formats/artifacts.ts';
import type { Variable } from '../graph/variable.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { Optimizer } from '../training/optimizers/optimizer.ts';
import { StepOptimizer } from '../training/optimizers/step-optimizer.ts';
import { weightEntryOf } from './encode-model.ts';

/** One variable of an optimizer, and what it is for. */
export interface StateItem {
  /** Absent from what a layout has and Hornet's optimizer has not. */
  readonly variable: Variable | undefined;
  /** The weight that the state belongs to; none for counters and the like. */
  readonly weight: Variable | undefined;
  /** Keras 3's name of the slot, such as `momentum`, or of what belongs to no weight, such as `iteration`. */
  readonly slot: string;
  readonly shape: Shape;
}

/** All state of an optimizer in the order of Keras 3, for weights in the order of the model's trainable weights. */
export function stateOf(optimizer: Optimizer, trainable: readonly Variable[]): readonly StateItem[] {
  const owners = new Map<Variable, { weight: Variable; slot: string }>();
  const variables = optimizer.variablesInKerasOrder(trainable);
  for (const weight of trainable) {
    for (const [slot, variable] of Object.entries(optimizer.slotsOf(weight))) owners.set(variable, { weight, slot });
    const average = optimizer.averageOf(weight);
    if (average !== undefined) owners.set(average, { weight, slot: 'average' });
    const sum = optimizer instanceof StepOptimizer ? optimizer.accumulatorOf(weight) : undefined;
    if (sum !== undefined) owners.set(sum, { weight, slot: 'gradient_accumulator' });
  }
  return variables.map((variable) => {
    const { weight, slot } = owners.get(variable) ?? { weight: undefined, slot: variable.name };
    return { variable, weight, slot, shape: variable.shape };
  });
}

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
    const short = optimizer.className === 'RMSprop' ? slot : (TF_KERAS_SLOTS[slot] ?? slot);
    const name = weight === undefined ? `${slot}:0` : `${optimizer.className}/${short}/${weight.path}:0`;
    return variable === undefined ? zerosEntry(name, shape, model.name) : weightEntryOf(variable, model.name, name);
  });
}

/** What tf_keras calls slots, where that is not what Keras 3 calls them; it does not in RMSprop. */
const TF_KERAS_SLOTS: Readonly<Record<string, string>> = {
  momentum: 'm',
  velocity: 'v',
  velocity_hat: 'vhat',
  norm: 'u',
  row: 'r',
  column: 'c',
};

/**
 * tf_keras keeps neither the learning rate nor Nadam's product, no numbers in the place of rows that are not there, and
 * momentum of SGD even when there is none.
 */
export function inTfKerasOrder(
  { className }: Optimizer,
  items: readonly StateItem[],
  trainable: readonly Variable[],
): readonly StateItem[] {
  const kept = items.filter(
    ({ slot, shape, weight }) =>
      slot !== 'learning_rate' &&
      slot !== 'u_product' &&
      !(weight && /^(row|column)$/.test(slot) && shape.length === 0),
  );
  const isWithout = className === 'SGD' && !items.some(({ slot }) => slot === 'momentum');
  if (!isWithout) return kept;
  const unused = trainable.map((weight) => ({ variable: undefined, weight, slot: 'momentum', shape: weight.shape }));
  return [...kept, ...unused];
}

function zerosEntry(name: string, shape: Shape, file: string): WeightEntry {
  const length = shape.reduce((product, extent) => product * extent, 1);
  const read = async (): Promise<Tensor> => new Tensor(shape, 'float32', new Float32Array(length));
  return { name, dtype: 'float32', shape, file, storedBytes: 4 * length, read };
}
