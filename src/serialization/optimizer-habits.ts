/** How other libraries keep the state of optimizers, where that is not as Keras 3 does: a row for each class. */
import type { Optimizer } from '../training/optimizers/optimizer.ts';

/** Keras 2 before its optimizers of 2.11; these, which tf_keras has; TensorFlow.js. */
export type StateKeeper = 'keras2' | 'tf_keras' | 'TensorFlow.js';

interface OptimizerHabits {
  /** Who keeps momentum even where there is none. */
  readonly unusedMomentum?: readonly StateKeeper[];
  /** Momentum is a sum of gradients in TensorFlow.js, and not of steps. */
  readonly sumsGradients?: boolean;
  /** Slots that are called as in Keras 3, although others of their name are not. */
  readonly keepsSlotNames?: readonly StateKeeper[];
  /** What TensorFlow.js calls slots, where that is not what it calls those of other optimizers. */
  readonly tensorFlowJsSlots?: Readonly<Record<string, string>>;
}

const HABITS: Readonly<Record<string, OptimizerHabits>> = {
  SGD: { unusedMomentum: ['keras2', 'tf_keras'], sumsGradients: true },
  RMSprop: { unusedMomentum: ['keras2', 'TensorFlow.js'], keepsSlotNames: ['tf_keras'] },
  Adam: { tensorFlowJsSlots: { momentum: 'm', velocity: 'v' } },
};

const TF_KERAS_SLOTS: Readonly<Record<string, string>> = {
  momentum: 'm',
  velocity: 'v',
  velocity_hat: 'vhat',
  norm: 'u',
  row: 'r',
  column: 'c',
};

const TENSORFLOW_JS_SLOTS: Readonly<Record<string, string>> = {
  velocity: 'rms',
  average_gradient: 'mg',
  accumulated_grad: 'accum_grad',
  accumulated_delta_var: 'accum_var',
};

function habitsOf({ className }: Optimizer): OptimizerHabits {
  return HABITS[className] ?? {};
}

/** Whether a library keeps momentum of an optimizer that has none. */
export function keepsUnusedMomentum(keeper: StateKeeper, optimizer: Optimizer): boolean {
  return habitsOf(optimizer).unusedMomentum?.includes(keeper) === true;
}

/** Whether momentum is a sum of gradients in TensorFlow.js, where it is one of steps here. */
export function sumsGradients(optimizer: Optimizer): boolean {
  return habitsOf(optimizer).sumsGradients === true;
}

/** What tf_keras calls a slot. */
export function tfKerasSlot(optimizer: Optimizer, slot: string): string {
  return habitsOf(optimizer).keepsSlotNames?.includes('tf_keras') ? slot : (TF_KERAS_SLOTS[slot] ?? slot);
}

/** What TensorFlow.js calls a slot. */
export function tensorFlowJsSlot(optimizer: Optimizer, slot: string): string {
  return habitsOf(optimizer).tensorFlowJsSlots?.[slot] ?? TENSORFLOW_JS_SLOTS[slot] ?? slot;
}
