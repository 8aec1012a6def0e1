/** Functional and Sequential models from their JSON. */
import type { PartialShape } from '../array/shape.ts';
import { FormatError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { InputLayer } from '../layers/input-layer.ts';
import { KerasTensor, tensorsIn } from '../layers/keras-tensor.ts';
import type { Layer } from '../layers/layer.ts';
import { KerasModel, type TensorStructure } from '../model/keras-model.ts';
import { Model } from '../model/model.ts';
import { Sequential } from '../model/sequential.ts';
import { CustomObjectError } from './custom-objects.ts';
import type { Decoder } from './decoder.ts';
import {
  camelCaseOf,
  configOf,
  isList,
  isModelClass,
  isObject,
  isSerializedObject,
  withoutPackage,
} from './json-shapes.ts';
import type { CreateOperation } from './needed-code.ts';
import {
  type CallJson,
  mapReferences,
  type ReferenceStructure,
  readInboundNodes,
  readLeaves,
  referencesIn,
  type TensorReference,
} from './nodes.ts';
import { isRawOperation } from './raw-operations.ts';

/** A model of any generation. */
export function* decodeModel(decoder: Decoder, json: JsonObject): Generator<void, Layer> {
  const className = withoutPackage(String(json.class_name));
  const isGraph = className !== 'Sequential' && isObject(json.config) && 'input_layers' in json.config;
  return yield* isGraph ? decodeFunctional(decoder, configOf(json)) : decodeSequential(decoder, json);
}

function* decodeSequential(decoder: Decoder, json: JsonObject): Generator<void, Sequential> {
  const config = configOf(json);
  // Keras 1 and Keras 2 before 2.2.3 stored the bare list of layers.
  const list = isList(json.config) ? json.config : config.layers;
  if (!isList(list)) {
    throw new FormatError(
      `Cannot load model "${String(config.name ?? json.class_name)}": its configuration has no list of layers`,
    );
  }
  const items = list.filter(isSerializedObject);
  const layers = yield* decodeAll(decoder, items);
  const first = layers[0];
  if (first !== undefined && !(first instanceof InputLayer)) {
    const shape = inputShapeOf(json, items[0] as JsonObject, first);
    if (shape !== undefined) {
      const dtype = inputDtypeOf(items[0] as JsonObject);
      layers.unshift(new InputLayer({ batchShape: shape, dtype, name: `${first.name}_input` }));
    }
  }
  const { name, trainable } = modelOptions(config);
  return new Sequential({ layers, ...(name === undefined ? {} : { name }), trainable });
}

/** The shape for which a Sequential model without an input layer was built, as far as the file says. */
function inputShapeOf(model: JsonObject, first: JsonObject, layer: Layer): PartialShape | undefined {
  if (layer instanceof KerasModel) {
    return layer instanceof Sequential && !layer.hasShape ? undefined : layer.inputShape;
  }
  const build = isObject(model.build_config) ? model.build_config.input_shape : undefined;
  const candidates = [
    firstBatchShape(first),
    configOf(model).build_input_shape,
    build,
    isObject(first.build_config) ? first.build_config.input_shape : undefined,
  ];
  const found = candidates.find((shape) => isList(shape)) as PartialShape | undefined;
  return found === undefined ? undefined : [null, ...found.slice(1)];
}

/** `batch_input_shape` of a layer, or of the layer that it wraps. */
function firstBatchShape(json: JsonObject): JsonValue | undefined {
  const config = configOf(json);
  if (isList(config.batch_input_shape)) return config.batch_input_shape;
  if (isList(config.batch_shape)) return config.batch_shape;
  return isSerializedObject(config.layer) ? firstBatchShape(config.layer) : undefined;
}

function inputDtypeOf(json: JsonObject): string {
  const { input_dtype: old, dtype } = configOf(json);
  if (typeof old === 'string') return old;
  const isString = dtype === 'string';
  return isString ? 'string' : 'float32';
}

function modelOptions(config: JsonObject): { name: string | undefined; trainable: boolean } {
  return {
    name: typeof config.name === 'string' ? config.name : undefined,
    trainable: config.trainable !== false,
  };
}

/** Decodes layers one by one; classes that only the author has are collected, to be named all at once. */
function* decodeAll(decoder: Decoder, items: readonly JsonObject[]): Generator<void, Layer[]> {
  const layers: Layer[] = [];
  const needs: CustomObjectError[] = [];
  for (const item of items) {
    yield;
    try {
      layers.push(yield* decoder.steps(item));
    } catch (error) {
      if (!(error instanceof CustomObjectError)) throw error;
      needs.push(error);
    }
  }
  const [only] = needs;
  if (only === undefined) return layers;
  if (needs.length === 1) throw only;
  throw new CustomObjectError(needs.map((error) => error.message).join('; '), [
    ...new Set(needs.flatMap((error) => error.needs)),
  ]);
}

/** A layer of the graph with the calls that the file lists, made one by one as their inputs come to exist. */
interface GraphNode {
  readonly name: string;
  /** Absent for a raw operation, which becomes a layer with each call. */
  readonly layer: Layer | undefined;
  readonly json: JsonObject;
  readonly calls: readonly CallJson[];
  readonly made: (readonly KerasTensor[] | undefined)[];
}

function* decodeFunctional(decoder: Decoder, config: JsonObject): Generator<void, Model> {
  const items = (isList(config.layers) ? config.layers : []).filter(isSerializedObject);
  const names = new Set<string>();
  for (const name of items.map(nameOf)) {
    if (names.has(name))
      throw new FormatError(`Cannot load model "${String(config.name)}": two layers are named "${name}"`);
    names.add(name);
  }
  const isOperation = (item: JsonObject): boolean =>
    decoder.code.createOperation !== undefined &&
    isRawOperation(item) &&
    decoder.custom(String(item.class_name)) === undefined;
  const layers = yield* decodeAll(
    decoder,
    items.filter((item) => !isOperation(item)),
  );
  const nodes = new Map<string, GraphNode>();
  let next = 0;
  for (const json of items) {
    const layer = isOperation(json) ? undefined : layers[next++];
    const calls = readInboundNodes(json, names);
    const made: GraphNode['made'] = layer instanceof InputLayer ? [[layer.output]] : calls.map(() => undefined);
    nodes.set(nameOf(json), { name: nameOf(json), layer, json, calls, made });
  }

  // Files of TensorFlow.js have flat lists; what else the structure is, Hornet tells beside them.
  const inputLeaves = readLeaves(config.input_structure ?? config.input_layers ?? []);
  const outputLeaves = readLeaves(config.output_structure ?? config.output_layers ?? []);
  const graph = new GraphBuilder(decoder, nodes, [...referencesIn(inputLeaves), ...referencesIn(outputLeaves)]);
  yield* graph.makeCalls();
  if (referencesIn(outputLeaves).length === 0) {
    throw new FormatError(`Cannot load model "${String(config.name)}": its configuration names no outputs`);
  }
  const tensors = (leaves: ReferenceStructure): TensorStructure<KerasTensor> =>
    mapReferences(leaves, (reference) => graph.leaf(reference)) as TensorStructure<KerasTensor>;
  const { name, trainable } = modelOptions(config);
  return new Model({
    inputs: tensors(inputLeaves),
    outputs: tensors(outputLeaves),
    trainable,
    ...(name === undefined ? {} : { name }),
  });
}

/** Layers of Functional models bear their name beside their configuration; older ones only inside. */
function nameOf(json: JsonObject): string {
  return String(json.name ?? configOf(json).name);
}

const callKey = (layer: string, call: number): string => `${call} ${layer}`;

class GraphBuilder {
  readonly #decoder: Decoder;
  readonly #nodes: ReadonlyMap<string, GraphNode>;
  /** What to subtract from node indices in calls, and in the model's inputs and outputs; see `nodeOffset`. */
  readonly #callOffsets = new Map<string, number>();
  readonly #leafOffsets = new Map<string, number>();

  constructor(decoder: Decoder, nodes: ReadonlyMap<string, GraphNode>, leaves: readonly TensorReference[]) {
    this.#decoder = decoder;
    this.#nodes = nodes;
    const inCalls = [...nodes.values()].flatMap(({ calls }) =>
      calls.flatMap(({ args, kwargs }) => [...referencesIn(args), ...referencesIn(kwargs)]),
    );
    for (const node of nodes.values()) {
      if (!isModelClass(withoutPackage(String(node.json.class_name)))) continue;
      const indices = (references: readonly TensorReference[]): number[] =>
        references.filter(({ layer }) => layer === node.name).map((reference) => reference.node);
      const isLegacy = decoder.dialect.generation <= 2;
      const isGraph = node.layer instanceof Model;
      this.#callOffsets.set(node.name, nodeOffset(indices(inCalls), node.calls.length, isLegacy));
      this.#leafOffsets.set(node.name, nodeOffset(indices(leaves), node.calls.length, isLegacy || isGraph));
    }
  }

  /** Makes all calls, each once its inputs exist: one that lacks an input waits for the call that gives it. */
  *makeCalls(): Generator<void, void> {
    const ready = [...this.#nodes.values()].flatMap((node) => node.calls.map((call, index) => ({ node, call, index })));
    const waiting = new Map<string, { item: (typeof ready)[number]; reference: TensorReference }[]>();
    // The list grows while it is walked: by calls that waited and now have what they need.
    for (const item of ready) {
      const { node, call, index } = item;
      const references = [...referencesIn(call.args), ...referencesIn(call.kwargs)];
      const reference = references.find((candidate) => this.#find(candidate, this.#callOffsets) === undefined);
      if (reference !== undefined) {
        const key = callKey(reference.layer, reference.node - (this.#callOffsets.get(reference.layer) ?? 0));
        const others = waiting.get(key);
        if (others === undefined) waiting.set(key, [{ item, reference }]);
        else others.push({ item, reference });
        continue;
      }
      yield;
      node.made[index] = this.#makeCall(node, call, index);
      const key = callKey(node.name, index);
      for (const released of waiting.get(key) ?? []) ready.push(released.item);
      waiting.delete(key);
    }
    for (const [{ item, reference }] of waiting.values() as Iterable<
      [{ item: (typeof ready)[number]; reference: TensorReference }]
    >) {
      const { layer, node, tensor } = reference;
      throw new FormatError(
        `Cannot build the model: layer "${item.node.name}" needs [${layer}, ${node}, ${tensor}], which no layer gives`,
      );
    }
  }

  /** The tensor that an input or output of the model refers to. */
  leaf(reference: TensorReference): KerasTensor {
    const found = this.#find(reference, this.#leafOffsets);
    if (found === undefined) {
      throw new FormatError(
        `Cannot build the model: its inputs or outputs name [${reference.layer}, ${reference.node}, ` +
          `${reference.tensor}], which no layer gives`,
      );
    }
    return found;
  }

  #find(reference: TensorReference, offsets: ReadonlyMap<string, number>): KerasTensor | undefined {
    const node = this.#nodes.get(reference.layer);
    return node?.made[reference.node - (offsets.get(reference.layer) ?? 0)]?.[reference.tensor];
  }

  #makeCall({ layer, json, name }: GraphNode, call: CallJson, index: number): readonly KerasTensor[] {
    const resolve = (value: unknown): unknown =>
      mapReferences(value, (reference) => this.#find(reference, this.#callOffsets));
    // A node without a layer is a function's, and those are nodes only where the functions were loaded.
    if (layer === undefined) {
      const createOperation = this.#decoder.code.createOperation as CreateOperation;
      const args = call.args.map((value) => this.#argument(resolve(value)));
      const kwargs = mapRecord(call.kwargs, (value) => this.#argument(resolve(value)));
      const decodeValue = (value: JsonValue): unknown => this.#decoder.value(value);
      const operation = createOperation(decodeValue, json, index === 0 ? name : `${name}_${index}`, { args, kwargs });
      return operation.layer.applyAll(operation.inputs);
    }
    const kwargs: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(call.kwargs)) {
      if (value !== null) kwargs[camelCaseOf(key)] = this.#argument(resolve(value));
    }
    return layer.applyAll(orderedInputs(layer, resolve(call.args)), kwargs);
  }

  /** An argument: tensors stay, what is not a tensor is decoded from its JSON. */
  #argument(value: unknown): unknown {
    if (value instanceof KerasTensor) return value;
    if (tensorsIn(value).length === 0) return this.#decoder.value(value as JsonValue);
    if (Array.isArray(value)) return value.map((element) => this.#argument(element));
    return mapRecord(value as Record<string, unknown>, (element) => this.#argument(element));
  }
}

/** The tensors of a call. A record of inputs to a nested model is put in the order of that model's inputs. */
function orderedInputs(layer: Layer, args: unknown): readonly KerasTensor[] {
  const [first] = args as readonly unknown[];
  if (layer instanceof Model && isObject(first) && !(first instanceof KerasTensor)) {
    const record = first as Readonly<Record<string, unknown>>;
    const structure = layer.inputStructure;
    const names =
      isObject(structure) && !(structure instanceof KerasTensor) ? Object.keys(structure) : layer.inputNames;
    return names.flatMap((key) => tensorsIn(record[key]));
  }
  return tensorsIn(args);
}

/**
 * How much the indices of a nested model's calls are too high. In Keras 2, nested models count from 1, since their own
 * making counts as a call; Keras 3 does so in the model's inputs and outputs, for functional models alone. What the
 * indices themselves rule out is not believed.
 */
function nodeOffset(indices: readonly number[], callCount: number, countsFromOne: boolean): 0 | 1 {
  if (indices.includes(0)) return 0;
  if (indices.includes(callCount)) return 1;
  return countsFromOne ? 1 : 0;
}

function mapRecord(
  record: Readonly<Record<string, unknown>>,
  map: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
