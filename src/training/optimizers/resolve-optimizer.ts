/** Which optimizer a name means. */
import type { Field } from '../../layers/fields.ts';
import { Adafactor } from './adafactor.ts';
import { Adam, Adamax, AdamW, Lamb, Nadam } from './adam.ts';
import { Adadelta, Adagrad, RMSprop } from './adaptive.ts';
import { Ftrl } from './ftrl.ts';
import { Lion } from './lion.ts';
import { LossScaleOptimizer } from './loss-scale-optimizer.ts';
import { MultiOptimizer, type OptimizerMap } from './multi-optimizer.ts';
import { Muon } from './muon.ts';
import { Optimizer } from './optimizer.ts';
import { ScheduleFreeAdamW } from './schedule-free-adam-w.ts';
import { SGD } from './sgd.ts';

type Config = Readonly<Record<string, unknown>>;

interface OptimizerClass {
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  new (options?: never): Optimizer;
}

/** Optimizers that need no other one, by Keras' class name. */
const OPTIMIZERS: Readonly<Record<string, OptimizerClass>> = {
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  AdamW,
  Adamax,
  Ftrl,
  Lamb,
  Lion,
  Muon,
  Nadam,
  RMSprop,
  SGD,
  ScheduleFreeAdamW,
};

const WRAPPERS: Readonly<Record<string, (config: Config) => Optimizer>> = {
  LossScaleOptimizer: ({ innerOptimizer, ...options }) => new LossScaleOptimizer(innerOptimizer as Optimizer, options),
  MultiOptimizer: ({ optimizerMap, ...options }) => new MultiOptimizer(optimizerMap as OptimizerMap, options),
};

/** The options of a class of optimizers. */
export function optimizerFieldsOf(className: string): Readonly<Record<string, Field<unknown>>> | undefined {
  if (Object.hasOwn(OPTIMIZERS, className)) return OPTIMIZERS[className]?.fields;
  if (className === LossScaleOptimizer.className) return LossScaleOptimizer.fields;
  return className === MultiOptimizer.className ? MultiOptimizer.fields : undefined;
}

/** Class names of all optimizers. */
export const optimizerNames: readonly string[] = [...Object.keys(OPTIMIZERS), ...Object.keys(WRAPPERS)];

/**
 * An optimizer by class name, in any case, and configuration, or `undefined` when there is none of that name.
 *
 * @throws {TypeError} when an option is unknown or not what it may be.
 */
export function createOptimizer(className: string, config: Config = {}): Optimizer | undefined {
  const name = optimizerNames.find((known) => known.toLowerCase() === className.toLowerCase());
  if (name === undefined) return undefined;
  const optimizer = OPTIMIZERS[name];
  return optimizer ? new optimizer(config as never) : WRAPPERS[name]?.(config);
}

/** An optimizer from a name such as `adam`, or one that exists already; `undefined` when there is none of that name. */
export function resolveOptimizer(value: Optimizer | string): Optimizer | undefined {
  if (value instanceof Optimizer) return value;
  return typeof value === 'string' && Object.hasOwn(BY_NAME, value.toLowerCase()) ? createOptimizer(value) : undefined;
}

/** Names that need no configuration. */
const BY_NAME: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(OPTIMIZERS).map((name) => [name.toLowerCase(), name]),
);
