/**
 * The configuration of a model in the words of TensorFlow.js, which are those of Keras 2: plain `{ class_name, config }`,
 * `batch_input_shape`, calls as lists. The counterpart of `keras2.ts` and of the lists in `nodes.ts`.
 *
 * It is made from the JSON of Keras 3 with all options told (`encodeModel` with the dialect `keras2`), since what is the
 * default has changed.
 */
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { configOf, isList, isModelClass, isObject, isSerializedObject } from './json-shapes.ts';

/** Names of activations that mean something else in Keras 2, or that only later releases have. */
const ACTIVATION_NAMES: Readonly<Record<string, string>> = {
  hard_sigmoid: 'hard_sigmoid_keras3',
  hard_sigmoid_keras2: 'hard_sigmoid',
  silu: 'swish',
};

const INITIALIZER_NAMES: Readonly<Record<string, string>> = {
  OrthogonalInitializer: 'Orthogonal',
  IdentityInitializer: 'Identity',
  // TensorFlow.js knows these two in this spelling alone; Keras 2 stores them as VarianceScaling.
  LecunNormal: 'LeCunNormal',
  LecunUniform: 'LeCunUniform',
};

/** A model of which Keras 2 has no form: it calls functions, or layers with arguments that no list can hold. */
class NoFormError extends Error {}

/**
 * A model's configuration in the words of TensorFlow.js.
 *
 * A structure of inputs or outputs that is no flat list is told beside the list, under `input_structure` and
 * `output_structure`, which only Hornet reads.
 *
 * @returns `undefined` for a model that Keras 2 has no form for.
 */
export function encodeForLayersModel(topology: JsonObject): JsonObject | undefined {
  try {
    return encodeObject(topology);
  } catch (error) {
    if (error instanceof NoFormError) return undefined;
    throw error;
  }
}

/** A layer, a model, an initializer, …: what Keras 3 stores with its module. */
function encodeObject(object: JsonObject): JsonObject {
  const { module, registered_name: registeredName } = object;
  const className = String(object.class_name);
  const config = configOf(object);
  if (typeof registeredName === 'string' && module === null) {
    return { class_name: registeredName, config: encodeOptions(config) };
  }
  if (module === 'keras.initializers') {
    return { class_name: INITIALIZER_NAMES[className] ?? className, config: encodeOptions(config) };
  }
  if (module === 'keras.regularizers') return encodeRegularizer(className, config);
  if (module === 'keras.constraints') return { class_name: className, config: encodeOptions(config) };
  if (module !== 'keras' && module !== 'keras.layers') throw new NoFormError();
  if (className === 'Sequential') return { class_name: className, config: encodeOptions(config) };
  if (isModelClass(className)) return { class_name: 'Model', config: encodeGraph(config) };
  return { class_name: className, config: layerOptions(className, encodeOptions(config)) };
}

function encodeOptions(config: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]): [string, JsonValue] => [
      key,
      /(^|_)activation$/.test(key) ? encodeActivation(value) : encodeOption(value),
    ]),
  );
}

function encodeOption(value: JsonValue): JsonValue {
  if (isList(value)) return value.map(encodeOption);
  if (!isObject(value)) return value;
  return isSerializedObject(value) && 'registered_name' in value ? encodeObject(value) : encodeOptions(value);
}

function encodeActivation(value: JsonValue): JsonValue {
  const isFunction = isSerializedObject(value) && value.class_name === 'function';
  const name = isFunction ? (value.config ?? null) : value;
  if (typeof name !== 'string') return encodeOption(name);
  return Object.hasOwn(ACTIVATION_NAMES, name) ? (ACTIVATION_NAMES[name] as string) : name;
}

/** Keras 2 stored all sums of absolute values and squares as `L1L2`, which is all that TensorFlow.js has. */
function encodeRegularizer(className: string, config: JsonObject): JsonObject {
  if (!/^L[12]$/.test(className)) return { class_name: className, config: encodeOptions(config) };
  return { class_name: 'L1L2', config: { l1: config.l1 ?? 0, l2: config.l2 ?? 0 } };
}

/** Options that had another name, or another form. */
function layerOptions(className: string, config: JsonObject): JsonObject {
  switch (className) {
    case 'InputLayer': {
      const { batch_shape: shape = null, optional, ...rest } = config;
      return { batch_input_shape: shape, ...rest, ...(optional === true ? { optional } : {}) };
    }
    case 'LeakyReLU': {
      const { negative_slope: alpha = null, ...rest } = config;
      return { ...rest, alpha };
    }
    case 'Bidirectional':
      return bidirectionalOptions(config);
    default: {
      // That all inputs must have a step, and that masks stay, is what readers of these words go by.
      const { mask_join: maskJoin = 'all', takes_masks: takesMasks = false, ...rest } = config;
      return {
        ...rest,
        ...(maskJoin === 'all' ? {} : { mask_join: maskJoin }),
        ...(takesMasks === false ? {} : { takes_masks: takesMasks }),
      };
    }
  }
}

/** The layer as it was before its copies were made; a backward layer is told where it is more than the mirrored copy. */
function bidirectionalOptions(config: JsonObject): JsonObject {
  const { layer: forward, backward_layer: backward, ...rest } = config;
  if (!isObject(forward) || !isObject(backward)) return config;
  const options = configOf(forward);
  const name = String(options.name).replace(/^forward_/, '');
  const mirrored = { ...options, name: `backward_${name}`, go_backwards: options.go_backwards !== true };
  const isMirrored =
    options.name === `forward_${name}` &&
    backward.class_name === forward.class_name &&
    JSON.stringify(configOf(backward)) === JSON.stringify(mirrored);
  // Hornet itself sets this option on both copies, and only there does it mean anything.
  const { zero_output_for_mask: _, ...kept } = options;
  return isMirrored ? { ...rest, layer: { ...forward, config: { ...kept, name } } } : config;
}

/** A model of calls. */
function encodeGraph(config: JsonObject): JsonObject {
  const layers = (isList(config.layers) ? config.layers : []).filter(isSerializedObject);
  // The making of a nested model counts as the first call of it.
  const models = layers.filter(({ class_name: name, module }) => module === 'keras' && isModelClass(name));
  const counting = new Set(models.map(nameOf));
  // Keras 3 counts so itself where the model's inputs and outputs are named, but for Sequential models.
  const countingLeaves = new Set(models.filter(({ class_name: name }) => name === 'Sequential').map(nameOf));
  return {
    ...encodeOptions({ ...config, layers: [], input_layers: [], output_layers: [] }),
    layers: layers.map((layer) => ({
      ...encodeObject(layer),
      name: nameOf(layer),
      inbound_nodes: (isList(layer.inbound_nodes) ? layer.inbound_nodes : []).map((node) => encodeCall(node, counting)),
    })),
    ...encodeLeaves('input', config.input_layers ?? [], countingLeaves),
    ...encodeLeaves('output', config.output_layers ?? [], countingLeaves),
  };
}

function nameOf(layer: JsonObject): string {
  return String(layer.name ?? configOf(layer).name);
}

/** A call as the list of its tensors; the other arguments stand behind each of them. */
function encodeCall(node: JsonValue, counting: ReadonlySet<string>): JsonValue {
  if (!isObject(node)) throw new NoFormError();
  const kwargs = isObject(node.kwargs) ? { ...node.kwargs } : {};
  const states = isList(kwargs.initial_state) ? kwargs.initial_state : [];
  if (states.length > 0) delete kwargs.initial_state;
  const encoded = encodeArgument(kwargs, counting);
  const tensors = [...tensorsOf(node.args ?? []), ...tensorsOf(states)];
  return tensors.map((tensor) => [...placeOf(tensor, counting), encoded]);
}

/** The tensors of a call's arguments, flat. */
function tensorsOf(value: JsonValue): JsonObject[] {
  if (isList(value)) return value.flatMap(tensorsOf);
  if (isTensor(value)) return [value];
  if (isObject(value) && !('class_name' in value)) return Object.values(value).flatMap(tensorsOf);
  throw new NoFormError();
}

type TensorJson = JsonObject & { readonly class_name: '__keras_tensor__' };

function isTensor(value: JsonValue): value is TensorJson {
  return isObject(value) && value.class_name === '__keras_tensor__';
}

function encodeArgument(value: JsonValue, counting: ReadonlySet<string>): JsonValue {
  if (isList(value)) return value.map((element) => encodeArgument(element, counting));
  if (!isObject(value)) return value;
  if (isTensor(value)) return placeOf(value, counting);
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, encodeArgument(element, counting)]));
}

/** `[layer, node, tensor]` of a tensor. */
function placeOf(tensor: JsonObject, counting: ReadonlySet<string>): readonly JsonValue[] {
  return counted(configOf(tensor).keras_history as Leaf, counting);
}

type Leaf = readonly [layer: string, node: number, tensor: number];

function counted([layer, node, index]: Leaf, counting: ReadonlySet<string>): Leaf {
  return [layer, counting.has(layer) ? node + 1 : node, index];
}

function encodeLeaves(side: 'input' | 'output', value: JsonValue, counting: ReadonlySet<string>): JsonObject {
  const flat: Leaf[] = [];
  const encode = (part: JsonValue): JsonValue => {
    if (isLeaf(part)) {
      const leaf = counted(part, counting);
      flat.push(leaf);
      return leaf;
    }
    if (isList(part)) return part.map(encode);
    return Object.fromEntries(Object.entries(part as JsonObject).map(([key, inner]) => [key, encode(inner)]));
  };
  const structure = encode(value);
  const isFlat = isList(structure) && structure.every(isLeaf);
  return { [`${side}_layers`]: flat, ...(isFlat ? {} : { [`${side}_structure`]: structure }) };
}

function isLeaf(value: unknown): value is Leaf {
  return Array.isArray(value) && value.length === 3 && typeof value[0] === 'string' && typeof value[1] === 'number';
}
