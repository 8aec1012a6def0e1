/**
 * How a model is trained, in the words of TensorFlow.js 4.22. It refuses a model whose training it does not understand, so
 * where it has no words for the loss or the optimizer nothing is said at all.
 */

import type { JsonObject, JsonValue, WeightEntry } from '../formats/artifacts.ts';
import type { Variable } from '../graph/variable.ts';
import type { Field } from '../layers/fields.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { Loss } from '../training/losses/loss.ts';
import { lossClassNameOf } from '../training/losses/resolve-loss.ts';
import { Metric } from '../training/metrics/metric.ts';
import { resolveMetric } from '../training/metrics/resolve-metric.ts';
import type { Optimizer } from '../training/optimizers/optimizer.ts';
import { weightEntryOf } from './encode-model.ts';
import { encodeValue, isRecord, isSameJson } from './encode-values.ts';
import { keepsUnusedMomentum, sumsGradients, tensorFlowJsSlot } from './optimizer-habits.ts';
import { bySlot, scaled, stateOf, withUnusedMomentum } from './optimizer-state.ts';
import { zerosEntry } from './optimizer-weights.ts';

export interface TensorFlowJsTraining {
  readonly config: JsonObject | undefined;
  readonly optimizerWeights: readonly WeightEntry[];
  readonly omitted: readonly string[];
}

/**
 * The `trainingConfig` of a `model.json`, and the state of the optimizer in the order of TensorFlow.js.
 *
 * @param nameOf what a weight is called in the manifest
 */
export async function encodeTensorFlowJsTraining(
  model: KerasModel,
  nameOf: (variable: Variable) => string,
): Promise<TensorFlowJsTraining> {
  const trainer = await model.loadTrainer();
  if (trainer === undefined) return { config: undefined, optimizerWeights: [], omitted: [] };
  const { optimizer, options, trainable } = trainer;
  const { loss = null, lossWeights = null, metrics = null, weightedMetrics = null } = options;
  const problems: string[] = [];
  const lossNames = mapNames(loss, (leaf) => {
    const className = lossClassOf(leaf);
    const name = className === undefined ? undefined : LOSSES[className];
    if (name === undefined) problems.push(`the loss ${nameOfLeaf(leaf)}`);
    return name ?? null;
  });
  const own = OPTIMIZERS[optimizer.className]?.(optimizer.toConfig() as never);
  if (own === undefined || !hasPlainOptions(optimizer)) problems.push(`the optimizer ${optimizer.className} as it is`);
  if (loss === null) problems.push('a model without a loss');
  if (lossWeights !== null) problems.push('weights of losses');
  if (problems.length > 0 || own === undefined) {
    return { config: undefined, optimizerWeights: [], omitted: [`how the model is trained: ${unknownTo(problems)}`] };
  }
  const lost: string[] = [];
  const metricNames = mapNames(metrics, (leaf) => {
    const name = metricNameOf(leaf);
    if (name === undefined) lost.push(`the metric ${nameOfLeaf(leaf)}`);
    return name ?? null;
  });
  if (weightedMetrics !== null) lost.push('weighted metrics');
  const config: JsonObject = { loss: lossNames, metrics: withoutNulls(metricNames) ?? [], optimizer_config: own };
  return {
    config,
    optimizerWeights: stateEntries(model, optimizer, trainable, nameOf),
    omitted: lost.length === 0 ? [] : [unknownTo(lost)],
  };
}

function unknownTo(what: readonly string[]): string {
  return `${what.join(', ')}, which TensorFlow.js does not have`;
}

function nameOfLeaf(leaf: unknown): string {
  if (typeof leaf === 'string') return `"${leaf}"`;
  const { className, name } = leaf as { readonly className?: string; readonly name?: string };
  return `"${className ?? (name || 'function')}"`;
}

function mapNames(value: unknown, encode: (leaf: unknown) => JsonValue): JsonValue {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((element) => mapNames(element, encode));
  if (!isRecord(value)) return encode(value);
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, mapNames(element, encode)]));
}

/** Metrics that are known, as a plain list or a record of lists. */
function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.flat(1).filter((element) => element !== null);
  if (!isRecord(value)) return value === null ? null : [value];
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, element]) => [key, withoutNulls(element) ?? []]),
  );
}

/** The class of a loss that was given no options. */
function lossClassOf(loss: unknown): string | undefined {
  if (typeof loss === 'string') return lossClassNameOf(loss);
  return loss instanceof Loss && isDefault(loss) ? loss.className : undefined;
}

function metricNameOf(metric: unknown): string | undefined {
  if (typeof metric === 'string' && /^(?:acc|accuracy|ce|crossentropy)$/i.test(metric)) return metric.toLowerCase();
  const known = typeof metric === 'string' ? resolveMetric(metric) : metric;
  return known instanceof Metric && isDefault(known) ? METRICS[known.className] : undefined;
}

interface Configured {
  readonly config: object;
}

function isDefault(object: Configured): boolean {
  return Object.keys(changedOptions(object)).length === 0;
}

/** The options that are not the defaults of their class, without names and dtypes. */
function changedOptions(object: Configured, present: object = object.config): Record<string, unknown> {
  const { fields = {} } = object.constructor as { fields?: Readonly<Record<string, Field<unknown>>> };
  const changed = Object.entries(present).filter(([key, value]) => {
    if (key === 'name' || key === 'dtype') return false;
    const fallback = fields[key]?.default?.();
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? true
      : !isSameJson(encodeValue(value, key), encodeValue(fallback ?? null, key));
  });
  return Object.fromEntries(changed);
}

/** Whether an optimizer has no options but those that TensorFlow.js has, and a learning rate that is a number. */
function hasPlainOptions(optimizer: Optimizer): boolean {
  const { learningRate, ...changed } = changedOptions(optimizer, optimizer.toConfig());
  const known = /^(?:momentum|nesterov|rho|centered|epsilon|beta1|beta2|initialAccumulatorValue)$/;
  const isRate = learningRate === undefined || typeof learningRate === 'number';
  return isRate && Object.keys(changed).every((key) => known.test(key));
}

/** Losses of TensorFlow.js by class. */
const LOSSES: Readonly<Record<string, string>> = {
  BinaryCrossentropy: 'binary_crossentropy',
  CategoricalCrossentropy: 'categorical_crossentropy',
  CategoricalHinge: 'categorical_hinge',
  CosineSimilarity: 'cosine_proximity',
  Hinge: 'hinge',
  KLDivergence: 'kullback_leibler_divergence',
  LogCosh: 'logcosh',
  MeanAbsoluteError: 'mean_absolute_error',
  MeanAbsolutePercentageError: 'mean_absolute_percentage_error',
  MeanSquaredError: 'mean_squared_error',
  MeanSquaredLogarithmicError: 'mean_squared_logarithmic_error',
  Poisson: 'poisson',
  SparseCategoricalCrossentropy: 'sparse_categorical_crossentropy',
  SquaredHinge: 'squared_hinge',
};

/** Metrics of TensorFlow.js by class. */
const METRICS: Readonly<Record<string, string>> = {
  BinaryAccuracy: 'binary_accuracy',
  CategoricalAccuracy: 'categorical_accuracy',
  CategoricalCrossentropy: 'categorical_crossentropy',
  CosineSimilarity: 'cosine',
  MeanAbsoluteError: 'mae',
  MeanAbsolutePercentageError: 'mape',
  MeanSquaredError: 'mse',
  SparseCategoricalCrossentropy: 'sparse_categorical_crossentropy',
};

type Numbers = Readonly<Record<string, number | boolean>>;

/** Optimizers in the words of TensorFlow.js. */
const OPTIMIZERS: Readonly<Record<string, (config: Numbers) => JsonObject>> = {
  SGD: ({ learningRate, momentum, nesterov }) =>
    momentum === 0
      ? named('SGD', { learningRate })
      : named('Momentum', { learningRate, momentum, useNesterov: nesterov }),
  Adam: ({ learningRate, beta1, beta2, epsilon }) => named('Adam', { learningRate, beta1, beta2, epsilon }),
  RMSprop: ({ learningRate, rho, momentum, epsilon, centered }) =>
    named('RMSProp', { learningRate, decay: rho, momentum, epsilon, centered }),
  Adagrad: ({ learningRate, initialAccumulatorValue }) => named('Adagrad', { learningRate, initialAccumulatorValue }),
  Adadelta: ({ learningRate, rho, epsilon }) => named('Adadelta', { learningRate, rho, epsilon }),
};

function named(className: string, config: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return { class_name: className, config: config as JsonObject };
}

/** All of one slot, then all of the next, behind the number of steps. */
function stateEntries(
  model: KerasModel,
  optimizer: Optimizer,
  trainable: readonly Variable[],
  nameOf: (variable: Variable) => string,
): readonly WeightEntry[] {
  const items = bySlot(stateOf(optimizer, trainable), trainable);
  const isWithout = !items.some(({ slot }) => slot === 'momentum');
  const all =
    isWithout && keepsUnusedMomentum('TensorFlow.js', optimizer) ? withUnusedMomentum(items, trainable) : items;
  return all.map(({ variable, weight, slot, shape }) => {
    const name = weight === undefined ? 'iter' : `${nameOf(weight)}/${tensorFlowJsSlot(optimizer, slot)}`;
    if (variable === undefined) return zerosEntry(name, shape, model.name);
    const entry = weightEntryOf(variable, model.name, name);
    const { learningRate } = optimizer;
    if (!sumsGradients(optimizer) || weight === undefined || typeof learningRate !== 'number') return entry;
    // Momentum is a sum of gradients there, and of steps here.
    const factor = learningRate === 0 ? 0 : -1 / learningRate;
    return { ...entry, read: async () => scaled(await entry.read(), factor) };
  });
}
