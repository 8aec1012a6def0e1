/**
 * What a model was told by `compile`, in the configurations of Keras 3, of tf_keras and of TensorFlow.js; the counterpart
 * of `decode-training.ts`. What is a default is left out, as old releases refuse what they do not know.
 */
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import type { Field } from '../layers/fields.ts';
import { snakeCaseOf } from '../layers/keras-object.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { Loss } from '../training/losses/loss.ts';
import { lossClassNameOf, lossNames } from '../training/losses/resolve-loss.ts';
import { Metric } from '../training/metrics/metric.ts';
import { metricNames } from '../training/metrics/resolve-metric.ts';
import { OptimizerMap } from '../training/optimizers/multi-optimizer.ts';
import { Optimizer } from '../training/optimizers/optimizer.ts';
import { optimizerNames } from '../training/optimizers/resolve-optimizer.ts';
import { scheduleNames } from '../training/schedules/resolve-schedule.ts';
import { LearningRateSchedule } from '../training/schedules/schedule.ts';
import { encodeValue, isRecord, isSameJson, kerasObject, underscoredOf } from './encode-values.ts';

export interface EncodedTraining {
  /** Absent from a model that is not compiled, and where the dialect has no words for how it is. */
  readonly config: JsonObject | undefined;
  /** What the model was told and the configuration does not say: what Keras does not have, and what is the user's own. */
  readonly omitted: readonly string[];
}

/** The `compile_config` of a `.keras` file, as every release of Keras 3 reads it. */
export async function encodeTraining(model: KerasModel): Promise<EncodedTraining> {
  return await encodeAs(model, new Keras3Encoder());
}

/** The `training_config` of a legacy `.h5` file, as tf_keras and Keras 3 read it. */
export async function encodeLegacyTraining(model: KerasModel): Promise<EncodedTraining> {
  return await encodeAs(model, new LegacyEncoder());
}

async function encodeAs(model: KerasModel, encoder: TrainingEncoder): Promise<EncodedTraining> {
  const trainer = await model.loadTrainer();
  if (trainer === undefined) return { config: undefined, omitted: [] };
  const { loss = null, lossWeights = null, metrics = null, weightedMetrics = null } = trainer.options;
  const { learningRateMultipliers } = trainer.options;
  if (learningRateMultipliers !== undefined) {
    const said = typeof learningRateMultipliers === 'function' ? 'a function' : JSON.stringify(learningRateMultipliers);
    encoder.omitted.push(`learningRateMultipliers: ${said}, which Keras does not have`);
  }
  const config = encoder.config({
    optimizer: trainer.optimizer,
    loss: mapLeaves(loss, (leaf) => encoder.loss(leaf)),
    loss_weights: encodeValue(lossWeights, 'the weights of losses'),
    metrics: mapLeaves(asLists(metrics, model), (leaf) => encoder.metric(leaf)),
    weighted_metrics: mapLeaves(asLists(weightedMetrics, model), (leaf) => encoder.metric(leaf)),
  });
  return { config, omitted: encoder.omitted };
}

interface TrainingParts {
  readonly optimizer: Optimizer;
  readonly loss: JsonValue;
  readonly loss_weights: JsonValue;
  readonly metrics: JsonValue;
  readonly weighted_metrics: JsonValue;
}

/** Keras takes no metric without a list around it; one stands for all outputs. */
function asLists(metrics: unknown, { outputs }: KerasModel): unknown {
  if (metrics === null || Array.isArray(metrics) || isRecord(metrics)) return metrics;
  return outputs.length === 1 ? [metrics] : outputs.map(() => [metrics]);
}

/** A leaf, or the same structure of lists and records with every leaf replaced. */
function mapLeaves(value: unknown, encode: (leaf: unknown) => JsonValue): JsonValue {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((element) => mapLeaves(element, encode));
  if (!isRecord(value)) return encode(value);
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, mapLeaves(element, encode)]));
}

/** An object of Keras with its class and the options that it was made with. */
interface Configured {
  readonly className: string;
  readonly config: object;
}

abstract class TrainingEncoder {
  readonly omitted: string[] = [];

  abstract config(parts: TrainingParts): JsonObject | undefined;

  /** An object of a class of Keras, in the form of the dialect. */
  protected abstract object(module: string, className: string, config: JsonObject): JsonObject;

  /** A loss by name, in a spelling that readers of the dialect know. */
  protected abstract lossName(name: string): JsonValue;

  protected abstract metricName(name: string): JsonValue;

  loss(loss: unknown): JsonValue {
    if (typeof loss === 'string') return this.lossName(loss);
    if (loss instanceof Loss && lossNames.includes(loss.className)) {
      return this.object('keras.losses', loss.className, this.options(loss));
    }
    return this.#omit('loss', loss);
  }

  metric(metric: unknown): JsonValue {
    if (typeof metric === 'string') return this.metricName(metric);
    if (metric instanceof Metric && metricNames.includes(metric.className)) {
      return this.object('keras.metrics', metric.className, this.options(metric));
    }
    return this.#omit('metric', metric);
  }

  protected optimizer(optimizer: Optimizer): JsonObject | undefined {
    const { className } = optimizer;
    if (!optimizerNames.includes(className)) {
      this.#omit('optimizer', optimizer);
      return undefined;
    }
    return this.object('keras.optimizers', className, this.optimizerConfig(optimizer));
  }

  protected optimizerConfig(optimizer: Optimizer): JsonObject {
    const config = this.options(optimizer, optimizer.toConfig());
    // Defaults of these differ from release to release.
    const ema = optimizer.config as { readonly useEma?: boolean; readonly emaOverwriteFrequency?: number | null };
    if (ema.useEma !== true) return config;
    return { ...config, ema_overwrite_frequency: ema.emaOverwriteFrequency ?? null };
  }

  /** Options that are not the defaults of their class. */
  protected options(object: Configured, present: object = object.config): JsonObject {
    const { className } = object;
    const { fields = {} } = object.constructor as { fields?: Readonly<Record<string, Field<unknown>>> };
    const config: Record<string, JsonValue> = {};
    for (const [key, value] of Object.entries(present)) {
      // Programs compute in float32, whatever the dtype of a loss says.
      if (key === 'dtype' || (key === 'name' && isOwnName(String(value), className))) continue;
      const encoded = this.#value(value, className);
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      const isDefault = field?.default !== undefined && isSameJson(encoded, this.#value(field.default(), className));
      if (!isDefault) config[keyOf(key)] = encoded;
    }
    return config;
  }

  #value(value: unknown, className: string): JsonValue {
    if (value instanceof Optimizer) return this.optimizer(value) ?? null;
    if (value instanceof OptimizerMap) {
      const { defaultOptimizer, optimizerMap } = value;
      return this.object('keras.optimizers', 'OptimizerMap', {
        default_optimizer: this.optimizer(defaultOptimizer) ?? null,
        optimizer_map: mapLeaves(optimizerMap, (leaf) => this.optimizer(leaf as Optimizer) ?? null),
      });
    }
    if (value instanceof LearningRateSchedule) {
      if (scheduleNames.includes(value.className)) {
        return kerasObject('keras.optimizers.schedules', value.className, this.options(value as Configured));
      }
      this.#omit('schedule', value);
      return INITIAL_RATE;
    }
    return encodeValue(value, className);
  }

  #omit(what: string, value: unknown): null {
    const { className, name } = value as { readonly className?: string; readonly name?: string };
    this.omitted.push(`the ${what} "${className ?? (name || 'function')}", which is the user's own`);
    return null;
  }
}

/** Stands for a schedule that cannot be written, which is told. */
const INITIAL_RATE = 0.001;

/** Whether a name says no more than the class: `adam` and `Adam`. */
function isOwnName(name: string, className: string): boolean {
  return name === className || name === snakeCaseOf(className);
}

/** `beta_1` of `beta1`; but `l1_regularization_strength`. */
function keyOf(key: string): string {
  return underscoredOf(key.replace(/(?<=[a-z]{2})\d/g, '_$&'));
}

class Keras3Encoder extends TrainingEncoder {
  override config({ optimizer, ...rest }: TrainingParts): JsonObject {
    const encoded = this.optimizer(optimizer);
    return { optimizer: encoded ?? 'rmsprop', ...rest };
  }

  protected override object(module: string, className: string, config: JsonObject): JsonObject {
    return kerasObject(module, className, config);
  }

  protected override lossName(name: string): JsonValue {
    return pythonName(name);
  }

  protected override metricName(name: string): JsonValue {
    return pythonName(name);
  }
}

/** A name in a spelling of Python: `mean_squared_error` of `meanSquaredError`. */
function pythonName(name: string): string {
  return /[A-Z]/.test(name) && !lossNames.includes(name) && !metricNames.includes(name) ? snakeCaseOf(name) : name;
}

/** Short names that Keras 3 does not find in an old file; the object of the class, under its short name, it does. */
const SHORT_NAMES = /^(?:bce|cosine|kld|mae|mape|mse|msle)$/i;

class LegacyEncoder extends TrainingEncoder {
  override config({ optimizer, ...rest }: TrainingParts): JsonObject {
    const encoded = this.optimizer(optimizer) ?? this.object('', 'RMSprop', { name: 'RMSprop' });
    return { ...rest, optimizer_config: encoded };
  }

  protected override object(_module: string, className: string, config: JsonObject): JsonObject {
    return { class_name: className, config };
  }

  protected override lossName(name: string): JsonValue {
    const className = SHORT_NAMES.test(name) ? lossClassNameOf(name) : undefined;
    return className === undefined ? pythonName(name) : snakeCaseOf(className);
  }

  protected override metricName(name: string): JsonValue {
    const className = SHORT_NAMES.test(name) ? lossClassNameOf(name) : undefined;
    return className === undefined ? pythonName(name) : this.object('', className, { name });
  }

  protected override optimizerConfig(optimizer: Optimizer): JsonObject {
    const { className } = optimizer;
    const config = Object.entries(super.optimizerConfig(optimizer)).filter(([key, value]) => {
      if (!KERAS_3_OPTIONS.has(key) || value === null) return true;
      this.omitted.push(`option ${key}: ${JSON.stringify(value)} of the optimizer, which tf_keras does not have`);
      return false;
    });
    return { name: className, ...Object.fromEntries(config) };
  }
}

/** Options of optimizers that tf_keras does not know. */
const KERAS_3_OPTIONS: ReadonlySet<string> = new Set(['loss_scale_factor', 'gradient_accumulation_steps']);
