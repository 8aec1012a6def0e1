/** Objects of Keras from their JSON: values, small objects, layers. */
import { FormatError, UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { type Activation, resolveActivation } from '../layers/activation.ts';
import { createConstraint } from '../layers/constraints.ts';
import { Lambda } from '../layers/core/lambda.ts';
import type { Field } from '../layers/fields.ts';
import { createInitializer, type Initializer, resolveInitializer } from '../layers/initializers.ts';
import { classNameOf, type KerasObject } from '../layers/keras-object.ts';
import { Layer } from '../layers/layer.ts';
import { createRegularizer } from '../layers/regularizers.ts';
import { atOnce } from '../pause.ts';
import type { CustomFunction, CustomObjects, LayerClass } from './custom-objects.ts';
import { CustomObjectError } from './custom-objects.ts';
import type { Dialect } from './dialect.ts';
import {
  camelCaseOf,
  configOf,
  isList,
  isModelClass,
  isObject,
  isSerializedObject,
  withoutPackage,
} from './json-shapes.ts';
import type { RawLayer } from './keras1.ts';
import { currentClassName, isDroppedKey, withCurrentKeys, withKeras2Defaults } from './keras2.ts';
import type { NeededCode } from './needed-code.ts';
import type { LoadReport } from './report.ts';

/** Nesting of a configuration beyond this is refused: no model comes near, and recursion stays bounded. */
const MAX_DEPTH = 64;

/** A Python slice, as raw operations on a graph hold it. */
export interface SliceValue {
  readonly start: unknown;
  readonly stop: unknown;
  readonly step: unknown;
}

export class Decoder {
  readonly dialect: Dialect;
  readonly report: LoadReport;
  readonly code: NeededCode;
  readonly #customObjects: CustomObjects;
  /** Builds a model from its JSON; given from outside, since models contain layers and layers models. */
  readonly #decodeModel: (decoder: Decoder, json: JsonObject) => Generator<void, Layer>;
  #depth = 0;
  /** The option of each key that was met: layers have the same ones over and over. */
  readonly #optionOfKey = new Map<string, string>();

  constructor(
    dialect: Dialect,
    report: LoadReport,
    code: NeededCode,
    customObjects: CustomObjects,
    decodeModel: (decoder: Decoder, json: JsonObject) => Generator<void, Layer>,
  ) {
    this.dialect = dialect;
    this.report = report;
    this.code = code;
    this.#customObjects = customObjects;
    this.#decodeModel = decodeModel;
  }

  /**
   * A layer or a nested model.
   *
   * @throws {CustomObjectError} for a class that only the file's author has, or code that a file cannot bring along.
   */
  layer(json: JsonObject): Layer {
    return atOnce(this.steps(json));
  }

  /** As `layer`, in steps: a large model takes longer than a page may be away. */
  *steps(json: JsonObject): Generator<void, Layer> {
    if (this.#depth >= MAX_DEPTH) {
      throw new UnsupportedError(`Cannot load the model: layers are nested deeper than ${MAX_DEPTH}`, 'deep nesting');
    }
    this.#depth++;
    try {
      return yield* this.#layer(json);
    } finally {
      this.#depth--;
    }
  }

  *#layer(json: JsonObject): Generator<void, Layer> {
    if (typeof json.class_name !== 'string') {
      const keys = Object.keys(json).slice(0, 8).join(', ') || 'nothing';
      throw new FormatError(`Cannot load layer: found an object with ${keys}, expected class_name and config`);
    }
    const registeredName = typeof json.registered_name === 'string' ? json.registered_name : undefined;
    const fullName = json.class_name;
    const custom = this.custom(registeredName) ?? this.custom(fullName) ?? this.custom(withoutPackage(fullName));
    const raw = this.#translate({ className: withoutPackage(fullName), config: configOf(json) });
    const name = typeof raw.config.name === 'string' ? raw.config.name : raw.className;
    if (custom !== undefined) return this.#customLayer(custom, raw);
    if (isModelClass(raw.className)) return yield* this.#decodeModel(this, json);
    if (raw.className === 'Lambda') return this.#lambda(name, raw.config);
    const layerClass = this.code.classes.get(raw.className);
    if (layerClass === undefined) {
      const key = registeredName ?? fullName;
      throw new CustomObjectError(
        `Cannot load layer "${name}": its class "${key}" is not one of Keras'; ` +
          `pass customObjects: { "${withoutPackage(key)}": … }, a class that extends Layer or a function of the inputs`,
        [withoutPackage(key)],
      );
    }
    const options = this.#options(layerClass, raw);
    try {
      return new layerClass(options as never);
    } catch (cause) {
      if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
      throw new FormatError(`Cannot load layer "${name}": ${cause.message}`, { cause });
    }
  }

  /** A user's object of this name. */
  custom(name: string | undefined): LayerClass | CustomFunction | undefined {
    const own = name !== undefined && Object.hasOwn(this.#customObjects, name) ? this.#customObjects[name] : undefined;
    // Classes of losses and the like bear other names than layers.
    return own as LayerClass | CustomFunction | undefined;
  }

  #translate(raw: RawLayer): RawLayer {
    const first = this.code.fromKeras1?.(raw) ?? raw;
    const current = { ...first, className: currentClassName(first.className) };
    const renamed = withCurrentKeys(current);
    return this.dialect.generation <= 2 ? withKeras2Defaults(renamed) : renamed;
  }

  /** Options of a constructor from a translated configuration; keys that the class has not go to the report. */
  #options(layerClass: LayerClass, { className, config }: RawLayer): Record<string, unknown> {
    const options: Record<string, unknown> = {};
    const { fields } = layerClass;
    const { numbersOf, release } = this.dialect;
    const layer = String(config.name);
    if (numbersOf === 'torch' && 'sameCuts' in fields) options.sameCuts = 'beginning';
    // Merging layers joined masks otherwise before Keras 3, and ended them before Keras 3.4.
    if ('maskJoin' in fields && release < 4) options.maskJoin = release < 0 ? 'all' : 'none';
    if ('takesMasks' in fields && release < 8) options.takesMasks = false;
    for (const [key, value] of Object.entries(config)) {
      const option = this.#optionOf(key);
      const field = Object.hasOwn(fields, option) ? fields[option] : undefined;
      if (option === 'dtype') {
        options.dtype = dtypeName(value, layer);
      } else if (field !== undefined) {
        const decoded = this.#field(field, value, layer);
        // TensorFlow.js writes null for options that were not given.
        const isAbsent = decoded === undefined || (decoded === null && field.parse(null) === undefined);
        if (!isAbsent) options[option] = decoded;
      } else if (isDroppedKey(className, key, value)) {
        this.report.ignored.push(`key "${key}" of ${className} "${layer}"`);
      } else if (value === null || value === false) {
        this.report.ignored.push(`key "${key}": ${String(value)} of ${className} "${layer}"`);
      } else {
        this.report.unknownKeys.push({ layer, className, key, value });
      }
    }
    return options;
  }

  #optionOf(key: string): string {
    let option = this.#optionOfKey.get(key);
    if (option === undefined) {
      option = camelCaseOf(key);
      this.#optionOfKey.set(key, option);
    }
    return option;
  }

  #field(field: Field<unknown>, value: JsonValue, layer: string): unknown {
    switch (field.kind) {
      case 'activation':
        return this.activation(value, layer);
      case 'initializer':
        return value === null ? undefined : this.#small(value, createInitializer, opaqueInitializer);
      case 'regularizer':
        return value === null ? null : this.#small(value, createRegularizer, opaque('regularizer'));
      case 'constraint':
        return value === null ? null : this.#small(value, createConstraint, opaque('constraint'));
      case 'layer':
        return isSerializedObject(value) ? this.layer(value) : isList(value) ? this.#layers(value) : value;
      case 'layers':
        return isList(value) ? this.#layers(value) : value;
      case 'plain':
        return this.value(value);
      default:
        return field.kind satisfies never;
    }
  }

  #layers(values: readonly JsonValue[]): unknown[] {
    return values.map((value) => (isSerializedObject(value) ? this.layer(value) : value));
  }

  /** An initializer, regularizer or constraint: a name, or an object of class and configuration. */
  #small<T extends KerasObject>(
    value: JsonValue,
    create: (className: string, config?: Readonly<Record<string, unknown>>) => T | undefined,
    fallback: (className: string, config: Readonly<Record<string, unknown>>) => T,
  ): T {
    if (typeof value === 'string') {
      return create(classNameOf(value)) ?? (resolveByName(create, value) as T | undefined) ?? fallback(value, {});
    }
    const json = value as JsonObject;
    const className = withoutPackage(String(json.class_name));
    // Keras 2 wrote a dtype with each initializer; the weight has its own.
    const { dtype: _, ...entries } = configOf(json);
    const config = Object.fromEntries(
      Object.entries(entries).map(([key, entry]) => [this.#optionOf(key), this.value(entry)]),
    );
    try {
      return create(className, config) ?? create(classNameOf(className), config) ?? fallback(className, config);
    } catch (error) {
      // It matters to new weights and to training alone, so an option that is not known need not stop a load.
      if (!(error instanceof TypeError)) throw error;
      this.report.ignored.push(`${className} ${JSON.stringify(configOf(json))}: ${error.message}`);
      return fallback(className, config);
    }
  }

  /** An activation: a name, a function of the user's, or a layer. */
  activation(value: JsonValue, layer: string): Activation | undefined {
    if (value === null) return undefined;
    if (isSerializedObject(value) && value.class_name !== 'function' && value.class_name !== '__lambda__') {
      const known = resolveActivation(value.class_name);
      if (known !== undefined) return this.activation(value.class_name, layer);
      return layerAsActivation(this.layer(value));
    }
    const name = isObject(value) ? String(value.class_name === '__lambda__' ? layer : value.config) : String(value);
    const custom = this.custom(name) ?? this.custom(withoutPackage(name));
    if (custom !== undefined && !isLayerClass(custom)) {
      return { role: 'activation', name, call: (x) => firstOf(custom([x], {})) };
    }
    // Keras 3 changed the slope of hard_sigmoid from 1/5 to 1/6; files keep the meaning of their time.
    const current = this.dialect.generation <= 2 ? ofKeras2(name) : name;
    const found = resolveActivation(current) ?? resolveActivation(withoutPackage(current));
    if (found !== undefined) return found;
    throw new CustomObjectError(
      `Cannot load layer "${layer}": its activation "${name}" is not one of Keras'; ` +
        `pass customObjects: { "${name}": ([x]) => … }`,
      [name],
    );
  }

  /** A plain value, in which Python's own values are objects of reserved class names. */
  value(value: JsonValue): unknown {
    if (isList(value)) return value.map((element) => this.value(element));
    if (!isObject(value)) return value;
    const config = value.config as JsonValue;
    switch (value.class_name) {
      case '__tuple__':
        return isList(value.items) ? value.items.map((item) => this.value(item)) : [];
      case 'TensorShape':
        return this.value((value.items ?? null) as JsonValue);
      case '__slice__':
        return isObject(config) ? this.#slice(config) : value;
      case '__ellipsis__':
        return ELLIPSIS;
      case '__bytes__':
        return isObject(config) ? config.value : value.value;
      case '__numpy__':
      case '__tensor__':
        return isObject(config) ? scalarOf(config.value) : value;
      case 'DTypePolicy':
      case 'Policy':
        return dtypeName(value, '');
      default:
    }
    // TensorFlow.js and Keras 1 wrote arrays as { type: 'ndarray', value }.
    if (value.type === 'ndarray') return value.value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, this.value(entry)]));
  }

  #slice(config: JsonObject): SliceValue {
    const part = (key: string): unknown => this.value(config[key] ?? null);
    return { start: part('start'), stop: part('stop'), step: part('step') };
  }

  #customLayer(custom: LayerClass | CustomFunction, raw: RawLayer): Layer {
    if (isLayerClass(custom)) return new custom(this.#options(custom, raw) as never);
    const config = this.value(raw.config) as Record<string, unknown>;
    return new Lambda({
      name: typeof raw.config.name === 'string' ? raw.config.name : '',
      function: (inputs) => firstOf(custom(inputs, config)),
    });
  }

  #lambda(name: string, config: JsonObject): Layer {
    const python = config.function;
    const functionName = typeof python === 'string' ? python : undefined;
    const custom = this.custom(name) ?? this.custom(functionName) ?? this.custom('Lambda');
    if (custom !== undefined && !isLayerClass(custom)) {
      const kwargs = this.value(config) as Record<string, unknown>;
      return new Lambda({ name, function: (inputs) => firstOf(custom(inputs, kwargs)) });
    }
    throw new CustomObjectError(
      `Cannot load Lambda layer "${name}": the file holds Python code, which is never run; ` +
        `pass customObjects: { "${name}": ([x]) => … } with the same function written with Hornet's ops`,
      [name],
    );
  }
}

/** What an activation of Keras 2 is called since; `hard_sigmoid_keras3` is how Hornet says in its words which it is not. */
function ofKeras2(name: string): string {
  if (name === 'hard_sigmoid_keras3') return 'hard_sigmoid';
  return /^hard_?sigmoid$/i.test(name) ? 'hard_sigmoid_keras2' : name;
}

/** An array of one element stands for the element: a mask value, a scale. */
function scalarOf(value: JsonValue | undefined): unknown {
  return isList(value) && value.length === 1 && !isList(value[0]) ? value[0] : value;
}

/** The ellipsis in a raw index such as `x[..., 0]`. */
const ELLIPSIS = '...';

function isLayerClass(value: LayerClass | CustomFunction): value is LayerClass {
  return value.prototype instanceof Layer;
}

function firstOf<T>(value: T | readonly T[]): T {
  return (Array.isArray(value) ? value[0] : value) as T;
}

/** A layer in the place of an activation, such as LeakyReLU. */
function layerAsActivation(layer: Layer): Activation {
  return {
    role: 'activation',
    name: undefined,
    call: (x) => {
      const [output] = layer.trace([{ tensor: x }], { training: false });
      if (output === undefined)
        throw new UnsupportedError(`Cannot use layer "${layer.name}" as activation`, 'activation');
      return output.tensor;
    },
  };
}

function resolveByName(create: unknown, name: string): KerasObject | undefined {
  return create === createInitializer ? resolveInitializer(name) : undefined;
}

/** An initializer that only the author has: it is kept for its name, since a file brings the weights. */
function opaqueInitializer(className: string, config: Readonly<Record<string, unknown>>): Initializer {
  return {
    role: 'initializer',
    className,
    config,
    initialize: () => {
      throw new UnsupportedError(
        `Cannot initialize a weight: "${className}" is not one of Keras' initializers; load the weight from a file`,
        `initializer ${className}`,
      );
    },
  };
}

function opaque<R extends string>(role: R) {
  return (className: string, config: Readonly<Record<string, unknown>>): KerasObject & { readonly role: R } => ({
    role,
    className,
    config,
  });
}

/** The name of a dtype policy; programs compute in float32 whatever it says. */
function dtypeName(value: JsonValue, layer: string): string {
  if (typeof value === 'string') {
    if (/^(int8|int4|float8|gptq|awq)/.test(value)) throw quantized(value, layer);
    return value;
  }
  if (!isObject(value)) return 'float32';
  const className = String(value.class_name);
  const config = configOf(value);
  if (/Quantized|Int4|GPTQ|AWQ|Float8|Ternary/.test(className))
    throw quantized(String(config.mode ?? className), layer);
  return typeof config.name === 'string' ? config.name : 'float32';
}

function quantized(mode: string, layer: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot load layer "${layer}": its weights are quantized as ${mode}, which is not supported; ` +
      'save the model before quantize() was called',
    `quantization ${mode}`,
  );
}
