/**
 * Which array of a file goes into which variable of an optimizer: by the name of the weight where files have names, else
 * by the order that the generation of Keras had them in; the counterpart of `optimizer-weights.ts`.
 */

import { formatShape } from '../array/shape.ts';
import { type Tensor, tensor } from '../array/tensor.ts';
import type { FormatName, WeightEntry } from '../formats/artifacts.ts';
import type { Variable } from '../graph/variable.ts';
import type { Optimizer } from '../training/optimizers/optimizer.ts';
import type { Dialect } from './dialect.ts';
import { keepsUnusedMomentum, sumsGradients } from './optimizer-habits.ts';
import {
  bySlot,
  inTfKerasOrder,
  type StateItem,
  scaled,
  stateOf,
  unusedFor,
  withUnusedMomentum,
} from './optimizer-state.ts';
import { type PlanItem, withoutOutputIndex } from './weights/plan.ts';

/** The state of an optimizer in a file. */
export interface StoredState {
  readonly entries: readonly WeightEntry[];
  readonly format: FormatName;
  readonly dialect: Dialect;
  /** How the weights of the model were made of the arrays of the same file. */
  readonly weights: readonly PlanItem[];
}

/** Where the state goes, or, when it is that of another optimizer or of other weights, what is wrong with it. */
export type OptimizerPlan = { readonly items: readonly PlanItem[] } | { readonly problem: string };

/** Plans where the state of an optimizer goes. */
export function placeOptimizer(
  optimizer: Optimizer,
  trainable: readonly Variable[],
  stored: StoredState,
): OptimizerPlan {
  const plan = findPlaces(optimizer, trainable, stored);
  if ('problem' in plan || stored.format !== 'layers-model') return plan;
  return { items: plan.items.map((item) => fromTensorFlowJs(item, optimizer)) };
}

function findPlaces(optimizer: Optimizer, trainable: readonly Variable[], stored: StoredState): OptimizerPlan {
  const { entries } = stored;
  const items = stateOf(optimizer, trainable);
  // An optimizer that has made no step yet has no slots in old files.
  const counters = items.filter(({ slot }) => slot === 'iteration' || slot === 'learning_rate');
  if (entries.length <= counters.length && entries.every(({ shape }) => shape.length === 0)) {
    return { items: placeInOrder(counters, entries) };
  }
  const named = placeByName(items, stored);
  if (named !== undefined) return { items: named };
  const layouts = layoutsFor(optimizer, items, trainable, stored);
  const fitting = layouts.find((layout) => fits(layout, entries));
  if (fitting !== undefined) return { items: placeInOrder(fitting, entries) };
  return {
    problem:
      `the state of the optimizer: found ${describeEntries(layouts[0] ?? items, entries)}, ` +
      `expected that of ${optimizer.className} with ${trainable.length} trained weights`,
  };
}

/** Momentum may be a sum of gradients in TensorFlow.js, and is one of steps in Keras. */
function fromTensorFlowJs(item: PlanItem, optimizer: Optimizer): PlanItem {
  const { learningRate } = optimizer;
  if (!sumsGradients(optimizer) || item.variable.dtype !== 'float32' || typeof learningRate !== 'number') return item;
  if (!item.variable.name.endsWith('momentum')) return item;
  return { ...item, convert: ([sum]) => scaled(sum as Tensor, -learningRate) };
}

function describeEntries(layout: readonly StateItem[], entries: readonly WeightEntry[]): string {
  if (layout.length !== entries.length) return `${entries.length} arrays instead of ${layout.length}`;
  const at = Math.max(
    0,
    layout.findIndex((item, index) => !isShapeOf(item, entries[index])),
  );
  const { name, shape } = entries[at] as WeightEntry;
  return `${formatShape(shape)} as "${name}" instead of ${formatShape((layout[at] as StateItem).shape)}`;
}

function placeInOrder(layout: readonly StateItem[], entries: readonly WeightEntry[]): readonly PlanItem[] {
  return entries.flatMap((entry, index) => {
    const variable = layout[index]?.variable;
    return variable === undefined ? [] : [{ variable, entries: [entry] }];
  });
}

function fits(layout: readonly StateItem[], entries: readonly WeightEntry[]): boolean {
  return layout.length === entries.length && layout.every((item, index) => isShapeOf(item, entries[index]));
}

function isShapeOf({ shape }: StateItem, entry: WeightEntry | undefined): boolean {
  return entry?.shape.length === shape.length && shape.every((extent, axis) => extent === entry.shape[axis]);
}

/** The orders that a file may have its arrays in, the likeliest first. */
function layoutsFor(
  optimizer: Optimizer,
  items: readonly StateItem[],
  trainable: readonly Variable[],
  { format, dialect, weights }: StoredState,
): readonly (readonly StateItem[])[] {
  const tfKeras = inTfKerasOrder(optimizer, items, trainable);
  // A file of weights alone does not tell who wrote it.
  const isPaths = format === 'keras' || format === 'weights.h5' || format === 'weights.json';
  if (dialect.generation === 3 || isPaths) return [items, withProductFirst(items), tfKeras];
  const orders = [trainable, byName(trainable, weights)];
  return orders.flatMap((order) => oldLayouts(optimizer, stateOf(optimizer, order), order));
}

/** The orders of files whose weights have no name there that tells anything. */
function oldLayouts(
  optimizer: Optimizer,
  items: readonly StateItem[],
  trainable: readonly Variable[],
): readonly (readonly StateItem[])[] {
  const grouped = bySlot(items, trainable);
  const known = keepsUnusedMomentum('keras2', optimizer) ? [withUnusedMomentum(grouped, trainable)] : [];
  // Keras 2.0 to 2.2 kept a number for each weight in the place of the greatest velocities, or did not count steps.
  const placeholders = unusedFor(trainable, 'velocity_hat', () => [1]);
  const uncounted = grouped.filter(({ weight }) => weight !== undefined);
  const tfKeras = inTfKerasOrder(optimizer, items, trainable);
  return [grouped, ...known, [...grouped, ...placeholders], uncounted, tfKeras];
}

/** Keras 1 and 2.0 trained weights in the order of the names that they have in the file. */
function byName(trainable: readonly Variable[], weights: readonly PlanItem[]): readonly Variable[] {
  const names = new Map(weights.map(({ variable, entries }) => [variable, entries[0]?.name ?? '']));
  const nameOf = (variable: Variable): string => names.get(variable) ?? '';
  return [...trainable].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Before Keras 3.10, Nadam's product came before its slots. */
function withProductFirst(items: readonly StateItem[]): readonly StateItem[] {
  const isProduct = ({ slot }: StateItem): boolean => slot === 'u_product';
  const isSlot = ({ slot }: StateItem): boolean => slot === 'momentum' || slot === 'velocity';
  const isBefore = (item: StateItem): boolean => !isProduct(item) && !isSlot(item);
  return [...items.filter(isBefore), ...items.filter(isProduct), ...items.filter(isSlot)];
}

/** Places arrays by names such as `Adam/m/dense/kernel:0` and `Adam/dense/kernel/m:0`; `undefined` for other names. */
function placeByName(items: readonly StateItem[], { entries, weights }: StoredState): readonly PlanItem[] | undefined {
  const plan: PlanItem[] = [];
  const named = new Map<string, PlanItem>();
  for (const item of weights) {
    const [entry] = item.entries;
    if (entry !== undefined && item.entries.length === 1) named.set(withoutOutputIndex(entry.name), item);
  }
  const byWeight = new Map<Variable, Map<string, StateItem>>();
  for (const item of items) {
    if (item.weight === undefined) continue;
    const slots = byWeight.get(item.weight) ?? new Map<string, StateItem>();
    byWeight.set(item.weight, slots.set(item.slot, item));
  }
  for (const entry of entries) {
    const name = withoutOutputIndex(entry.name);
    const counter = items.find(({ weight, slot }) => weight === undefined && isCounterOf(slot, name));
    if (counter?.variable !== undefined) {
      plan.push({ variable: counter.variable, entries: [entry] });
      continue;
    }
    const found = findSlot(name, named);
    if (found === undefined) return undefined;
    const slots = byWeight.get(found.item.variable);
    const item = found.slots.map((slot) => slots?.get(slot)).find((one) => one !== undefined);
    // Momentum that is not used is not kept here.
    if (item?.variable === undefined && found.slots.includes('momentum') && slots !== undefined) continue;
    if (item?.variable === undefined) return undefined;
    const { convert } = found.item;
    plan.push({ variable: item.variable, entries: [entry], ...(convert === undefined ? {} : { convert }) });
  }
  const placed = new Set(plan.map(({ variable }) => variable));
  const isWhole = items.every(({ variable, weight }) => weight === undefined || placed.has(variable as Variable));
  return isWhole ? plan : undefined;
}

function isCounterOf(slot: string, name: string): boolean {
  const last = name.slice(name.lastIndexOf('/') + 1);
  if (slot === 'iteration') return /^iter(?:ations?|ation)?$/.test(last);
  return slot === last || (slot === 'u_product' && last === 'momentum_cache');
}

interface FoundSlot {
  /** The weight, with how its value was made of the array of that name. */
  readonly item: PlanItem;
  readonly slots: readonly string[];
}

/** The weight and the slot that a name is made of, in either order, behind the name of the optimizer. */
function findSlot(name: string, weights: ReadonlyMap<string, PlanItem>): FoundSlot | undefined {
  const parts = name.split('/');
  for (let start = 0; start < parts.length - 1; start++) {
    const behind = weights.get(parts.slice(start + 1).join('/'));
    const slotInFront = SLOTS[parts[start] as string];
    if (behind !== undefined && slotInFront !== undefined) return { item: behind, slots: slotInFront };
    const before = weights.get(parts.slice(start, -1).join('/'));
    const slotBehind = SLOTS[parts.at(-1) as string];
    if (before !== undefined && slotBehind !== undefined) return { item: before, slots: slotBehind };
  }
  return undefined;
}

/** What tf_keras and TensorFlow's own optimizers call slots; which of several it is depends on the optimizer. */
const SLOTS: Readonly<Record<string, readonly string[]>> = {
  m: ['momentum'],
  v: ['velocity', 'norm'],
  vhat: ['velocity_hat'],
  u: ['norm'],
  rms: ['velocity'],
  mg: ['average_gradient'],
  momentum: ['momentum'],
  velocity: ['velocity'],
  average_gradient: ['average_gradient'],
  accumulator: ['accumulator'],
  linear: ['linear'],
  accum_grad: ['accumulated_grad'],
  accum_var: ['accumulated_delta_var'],
  accumulated_grad: ['accumulated_grad'],
  accumulated_delta_var: ['accumulated_delta_var'],
  r: ['row'],
  c: ['column'],
  average: ['average'],
};

/** Gives what files of tf_keras do not have, but follows from what they have: Nadam's product of its shares of momentum. */
export function completeState(optimizer: Optimizer, trainable: readonly Variable[], plan: readonly PlanItem[]): void {
  const product = stateOf(optimizer, trainable).find(({ slot }) => slot === 'u_product')?.variable;
  if (product === undefined || plan.some(({ variable }) => variable === product)) return;
  const { beta1 } = optimizer.config as unknown as { readonly beta1: number };
  const steps = Number(optimizer.iterations.value.data[0]);
  let value = 1;
  for (let step = 1; step <= steps && value > 0; step++) value = Math.fround(value * beta1 * (1 - 0.5 * 0.96 ** step));
  product.assign(tensor(value, [], 'float32'));
}
