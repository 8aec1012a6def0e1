/**
 * What `compile` was told, from the configurations of every Keras and of TensorFlow.js; the counterpart of
 * `encode-training.ts`. It is loaded when a model from a file is first trained.
 */
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import type { Field } from '../layers/fields.ts';
import { Layer } from '../layers/layer.ts';
import type { ModelCompileOptions } from '../training/compiled-model.ts';
import { Loss, type LossFunction, LossFunctionWrapper } from '../training/losses/loss.ts';
import { createLoss, lossClassNameOf, lossFieldsOf, resolveLoss } from '../training/losses/resolve-loss.ts';
import { MeanMetricWrapper } from '../training/metrics/mean.ts';
import { Metric } from '../training/metrics/metric.ts';
import { createMetric, metricFieldsOf, resolveMetric } from '../training/metrics/resolve-metric.ts';
import { OptimizerMap } from '../training/optimizers/multi-optimizer.ts';
import { Optimizer } from '../training/optimizers/optimizer.ts';
import { createOptimizer, optimizerFieldsOf, optimizerNames } from '../training/optimizers/resolve-optimizer.ts';
import { InverseTimeDecay } from '../training/schedules/decays.ts';
import { createSchedule, scheduleFieldsOf } from '../training/schedules/resolve-schedule.ts';
import { LearningRateSchedule } from '../training/schedules/schedule.ts';
import type { CustomFunction, CustomObjects, TrainingClass } from './custom-objects.ts';
import type { Dialect } from './dialect.ts';
import { camelCaseOf, configOf, isList, isObject, isSerializedObject, withoutPackage } from './json-shapes.ts';
import type { LoadReport } from './report.ts';

export interface DecodedTraining {
  /** Its optimizer is an object. */
  readonly options: ModelCompileOptions & { readonly optimizer: Optimizer };
  /** Keys that no class has, and what was left out on purpose. */
  readonly report: Pick<LoadReport, 'unknownKeys' | 'ignored'>;
}

/**
 * The options of `compile` that a configuration stands for.
 *
 * @param outputCount how many outputs the model has
 * @throws {RangeError} for what only the author of the file has.
 * @throws {TypeError} when an option is not what it may be.
 */
export function decodeTraining(
  config: JsonObject,
  dialect: Dialect,
  outputCount: number,
  customObjects: CustomObjects = {},
): DecodedTraining {
  const report = { unknownKeys: [], ignored: [] };
  const decoder = new TrainingDecoder(customObjects, report);
  const at = (key: string): JsonValue => config[key] ?? null;
  const metricsAt = (key: string): unknown => {
    const metrics = at(key);
    // Before Keras 3 a plain list was for each output.
    const isForEach = dialect.generation <= 2 && outputCount > 1 && isList(metrics) && metrics.every(isOneMetric);
    return decoder.metrics(
      isForEach && metrics.length > 0 ? Array.from({ length: outputCount }, () => metrics) : metrics,
    );
  };
  const optimizer = decoder.optimizer(config.optimizer_config ?? config.optimizer ?? 'rmsprop');
  const options = {
    optimizer,
    loss: decoder.losses(at('loss')),
    lossWeights: at('loss_weights'),
    metrics: metricsAt('metrics'),
    weightedMetrics: metricsAt('weighted_metrics'),
  };
  return { options: options as DecodedTraining['options'], report };
}

function isOneMetric(value: JsonValue): boolean {
  return typeof value === 'string' || isSerializedObject(value);
}

type ClassFields = Readonly<Record<string, Field<unknown>>>;

class TrainingDecoder {
  readonly #customObjects: CustomObjects;
  readonly #report: Pick<LoadReport, 'unknownKeys' | 'ignored'>;

  constructor(customObjects: CustomObjects, report: Pick<LoadReport, 'unknownKeys' | 'ignored'>) {
    this.#customObjects = customObjects;
    this.#report = report;
  }

  losses(value: JsonValue): unknown {
    return this.#structure(value, (leaf) => this.#loss(leaf));
  }

  metrics(value: JsonValue): unknown {
    return this.#structure(value, (leaf) => this.#metric(leaf));
  }

  /** Lists and records of leaves, which are names and objects. */
  #structure(value: JsonValue, decode: (leaf: string | JsonObject) => unknown): unknown {
    if (value === null) return null;
    if (isList(value)) return value.map((element) => this.#structure(element, decode));
    if (typeof value === 'string' || isSerializedObject(value)) return decode(value);
    const entries = isObject(value) ? Object.entries(value) : [];
    // TensorFlow.js writes a function as an empty record.
    if (entries.length === 0) throw custom('loss or metric', 'function');
    return Object.fromEntries(entries.map(([key, element]) => [key, this.#structure(element, decode)]));
  }

  #loss(value: string | JsonObject): Loss | string {
    const { name, config } = named(value);
    const own = this.#custom(name);
    if (isFunction(own)) return new LossFunctionWrapper(own, { name });
    if (own !== undefined) return this.#make(own, config, Loss, 'loss', name);
    if (config === undefined) {
      if (resolveLoss(name, { yTrue: [1], yPred: [1] }) === undefined) throw custom('loss', name);
      return name;
    }
    const className = lossClassNameOf(name) ?? lossClassNameOf(functionIn(config) ?? '');
    const fields = className === undefined ? undefined : lossFieldsOf(className);
    if (className === undefined || fields === undefined) throw custom('loss', functionIn(config) ?? name);
    const { reduction, ...rest } = this.#options(className, fields, config);
    // What Keras 2 chose by itself is what is chosen by default.
    return createLoss(className, reduction === 'auto' ? rest : { ...rest, reduction }) as Loss;
  }

  #metric(value: string | JsonObject): Metric | string {
    const { name, config } = named(value);
    const own = this.#custom(name);
    if (isFunction(own)) return new MeanMetricWrapper(own, { name });
    if (own !== undefined) return this.#make(own, config, Metric, 'metric', name);
    if (config === undefined) {
      if (resolveMetric(name, { yTrue: [1], yPred: [1] }) === undefined) throw custom('metric', name);
      return name;
    }
    const wrapped = functionIn(config);
    const fields = metricFieldsOf(name);
    if (/MetricWrapper$/.test(name) && wrapped !== undefined) return this.#wrapped(wrapped, config);
    if (fields !== undefined) return createMetric(name, this.#options(name, fields, config)) as Metric;
    throw custom('metric', name);
  }

  /** A metric that Keras 2 stored as the mean of a function, under a name of its own. */
  #wrapped(name: string, config: JsonObject): Metric {
    const label = typeof config.name === 'string' ? config.name : name;
    const own = this.#custom(name);
    if (isFunction(own)) return new MeanMetricWrapper(own, { name: label });
    const metric = resolveMetric(name);
    if (metric === undefined) throw custom('metric', name);
    if (metric instanceof MeanMetricWrapper) return new MeanMetricWrapper(metric.fn, { name: label });
    return createMetric(metric.className, { name: label }) as Metric;
  }

  optimizer(value: JsonValue): Optimizer {
    const { name, config } = translateOptimizer(named(value));
    const own = this.#custom(name);
    if (own !== undefined && !isFunction(own)) return this.#make(own, config, Optimizer, 'optimizer', name);
    const className = optimizerNames.find((known) => known.toLowerCase() === name.toLowerCase());
    const fields = className === undefined ? undefined : optimizerFieldsOf(className);
    if (className === undefined || fields === undefined) throw custom('optimizer', name);
    const options = this.#options(className, fields, config ?? {});
    return createOptimizer(className, withDecay(options, Number(config?.decay ?? 0))) as Optimizer;
  }

  #schedule({ class_name: given, ...json }: JsonObject): LearningRateSchedule {
    const className = withoutPackage(String(given));
    const own = this.#custom(className);
    if (own !== undefined && !isFunction(own)) {
      return this.#make(own, configOf(json), LearningRateSchedule, 'schedule', className);
    }
    const fields = scheduleFieldsOf(className);
    if (fields === undefined) throw custom('learning rate schedule', className);
    return createSchedule(className, this.#options(className, fields, configOf(json))) as LearningRateSchedule;
  }

  /** Options of a class from a configuration. What no class has goes to the report. */
  #options(className: string, fields: ClassFields, config: JsonObject): Record<string, unknown> {
    const options: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(config)) {
      if (DROPPED_KEYS.has(key)) continue;
      const option = RENAMED_KEYS[key] ?? camelCaseOf(key);
      const field = Object.hasOwn(fields, option) ? fields[option] : undefined;
      if (field !== undefined) {
        const decoded = this.#value(value);
        // Old files have null for what the library chose.
        if (decoded !== null || field.parse(null) !== undefined) options[option] = decoded;
      } else if (value === null || value === false || KERAS_2_KEYS.has(key)) {
        this.#report.ignored.push(`key "${key}": ${JSON.stringify(value)} of ${className}`);
      } else {
        this.#report.unknownKeys.push({ layer: 'compile', className, key, value });
      }
    }
    return options;
  }

  #value(value: JsonValue): unknown {
    if (isList(value)) return value.map((element) => this.#value(element));
    if (!isSerializedObject(value)) return value;
    const className = withoutPackage(value.class_name);
    if (className === '__tuple__') return isList(value.items) ? value.items : [];
    if (className === '__numpy__' || className === '__tensor__') return configOf(value).value;
    if (className === 'OptimizerMap') return this.#optimizerMap(configOf(value));
    const isOptimizer = optimizerNames.includes(className) || this.#isCustom(className, Optimizer);
    return isOptimizer ? this.optimizer(value) : this.#schedule(value);
  }

  #optimizerMap(config: JsonObject): OptimizerMap {
    const entries = Object.entries(isObject(config.optimizer_map) ? config.optimizer_map : {});
    return new OptimizerMap(
      this.optimizer(config.default_optimizer ?? 'rmsprop'),
      Object.fromEntries(entries.map(([pattern, inner]) => [pattern, this.optimizer(inner)])),
    );
  }

  #custom(name: string): TrainingClass | LossFunction | undefined {
    const own = Object.hasOwn(this.#customObjects, name) ? this.#customObjects[name] : undefined;
    if (own === undefined || isTrainingClass(own)) return own;
    if (own.prototype instanceof Layer) return undefined;
    return (yTrue, yPred) => firstOf((own as CustomFunction)([yTrue, yPred], {}));
  }

  #isCustom(name: string, base: abstract new (...options: never) => unknown): boolean {
    const own = this.#custom(name);
    return own !== undefined && own.prototype instanceof base;
  }

  /** An object of a class of the user's own. */
  #make<T>(
    own: TrainingClass,
    config: JsonObject | undefined,
    base: abstract new (...options: never) => T,
    what: string,
    name: string,
  ): T {
    if (!(own.prototype instanceof base)) throw custom(what, name);
    const { fields } = own as { fields?: ClassFields };
    const options = fields === undefined ? {} : this.#options(name, fields, config ?? {});
    return new own(options as never) as T;
  }
}

interface Named {
  readonly name: string;
  /** Absent where there is a name alone: of a class with its defaults, or of a function. */
  readonly config: JsonObject | undefined;
}

function named(value: JsonValue): Named {
  if (!isObject(value)) return { name: withoutPackage(String(value)), config: undefined };
  const className = withoutPackage(String(value.class_name));
  if (className !== 'function') return { name: className, config: configOf(value) };
  return { name: withoutPackage(String(value.config)), config: undefined };
}

/** The function that a wrapper of Keras 2 calls. */
function functionIn({ fn }: JsonObject): string | undefined {
  return typeof fn === 'string' || isSerializedObject(fn) ? named(fn).name : undefined;
}

/** TensorFlow.js has SGD with momentum as a class, and calls the share that RMSprop keeps its decay. */
function translateOptimizer({ name, config }: Named): Named {
  if (name === 'Momentum' && config !== undefined) {
    const { useNesterov = false, ...rest } = config;
    return { name: 'SGD', config: { ...rest, nesterov: useNesterov } };
  }
  if (name !== 'RMSProp' || config === undefined) return { name, config };
  const { decay = 0.9, ...rest } = config;
  return { name: 'RMSprop', config: { ...rest, rho: decay } };
}

/** The learning rate of Keras 1 and 2 fell with time when it was told to. */
function withDecay(options: Readonly<Record<string, unknown>>, decayRate: number): Readonly<Record<string, unknown>> {
  const { learningRate } = options;
  if (!(decayRate > 0) || typeof learningRate !== 'number') return options;
  const schedule = new InverseTimeDecay({ initialLearningRate: learningRate, decaySteps: 1, decayRate });
  return { ...options, learningRate: schedule };
}

/** Keys that have their own place, or say what follows from the class. */
const DROPPED_KEYS: ReadonlySet<string> = new Set(['decay', 'dtype', 'fn', 'is_legacy_optimizer', 'jit_compile']);
/** Keys whose meaning is gone. */
const KERAS_2_KEYS: ReadonlySet<string> = new Set(['schedule_decay', 'use_locking', 'dynamic']);
const RENAMED_KEYS: Readonly<Record<string, string>> = { lr: 'learningRate' };

function isTrainingClass(own: CustomObjects[string] | LossFunction): own is TrainingClass {
  return [Loss, Metric, Optimizer, LearningRateSchedule].some((base) => own.prototype instanceof base);
}

function isFunction(own: TrainingClass | LossFunction | undefined): own is LossFunction {
  return own !== undefined && !isTrainingClass(own);
}

function firstOf<T>(value: T | readonly T[]): T {
  return (Array.isArray(value) ? value[0] : value) as T;
}

function custom(what: string, name: string): RangeError {
  return new RangeError(`the ${what} "${name}" is not one of Keras', and customObjects has none of that name`);
}
