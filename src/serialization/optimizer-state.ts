/** What the variables of an optimizer are for, and the order that files have them in. */

import type { Shape } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import type { Variable } from '../graph/variable.ts';
import type { Optimizer } from '../training/optimizers/optimizer.ts';
import type { StepOptimizer } from '../training/optimizers/step-optimizer.ts';
import { keepsUnusedMomentum } from './optimizer-habits.ts';

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
    const sum = (optimizer as Partial<Pick<StepOptimizer, 'accumulatorOf'>>).accumulatorOf?.(weight);
    if (sum !== undefined) owners.set(sum, { weight, slot: 'gradient_accumulator' });
  }
  return variables.map((variable) => {
    const { weight, slot } = owners.get(variable) ?? { weight: undefined, slot: variable.name };
    return { variable, weight, slot, shape: variable.shape };
  });
}

/**
 * tf_keras keeps neither the learning rate nor Nadam's product, no numbers in the place of rows that are not there, and
 * momentum of some optimizers even when there is none.
 */
export function inTfKerasOrder(
  optimizer: Optimizer,
  items: readonly StateItem[],
  trainable: readonly Variable[],
): readonly StateItem[] {
  const kept = items.filter(
    ({ slot, shape, weight }) =>
      slot !== 'learning_rate' &&
      slot !== 'u_product' &&
      !(weight && /^(row|column)$/.test(slot) && shape.length === 0),
  );
  const isWithout = keepsUnusedMomentum('tf_keras', optimizer) && !items.some(({ slot }) => slot === 'momentum');
  if (!isWithout) return kept;
  const unused = trainable.map((weight) => ({ variable: undefined, weight, slot: 'momentum', shape: weight.shape }));
  return [...kept, ...unused];
}

/**
 * What came before Keras 3 and tf_keras 2.11, and TensorFlow.js: all of one slot, then all of the next. Nadam's product is
 * in front.
 */
export function bySlot(items: readonly StateItem[], trainable: readonly Variable[]): readonly StateItem[] {
  const counters = items.filter(({ weight, slot }) => weight === undefined && slot !== 'learning_rate');
  const slots = [...new Set(items.filter(({ weight }) => weight !== undefined).map(({ slot }) => slot))];
  const order = new Map(trainable.map((weight, index) => [weight, index]));
  const placeOf = ({ weight }: StateItem): number => order.get(weight as Variable) ?? 0;
  const sorted = slots.flatMap((name) =>
    items.filter(({ weight, slot }) => weight !== undefined && slot === name).sort((a, b) => placeOf(a) - placeOf(b)),
  );
  return [...counters, ...sorted];
}

/** Arrays of a file that have no use here, one for each weight. */
export function unusedFor(
  trainable: readonly Variable[],
  slot: string,
  shapeOf: (weight: Variable) => Shape,
): StateItem[] {
  return trainable.map((weight) => ({ variable: undefined, weight, slot, shape: shapeOf(weight) }));
}

/** RMSprop as old files and TensorFlow.js have it, with momentum that is not used before the means of gradients. */
export function withUnusedMomentum(items: readonly StateItem[], trainable: readonly Variable[]): readonly StateItem[] {
  const isMean = ({ slot }: StateItem): boolean => slot === 'average_gradient';
  const momentum = unusedFor(trainable, 'momentum', ({ shape }) => shape);
  return [...items.filter((item) => !isMean(item)), ...momentum, ...items.filter(isMean)];
}

/** A tensor times a number. */
export function scaled({ shape, data }: Tensor, factor: number): Tensor {
  return new Tensor(
    shape,
    'float32',
    (data as Float32Array).map((value) => value * factor),
  );
}
