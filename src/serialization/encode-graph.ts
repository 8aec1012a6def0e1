/** Functional and Sequential models as the JSON of Keras 3; the counterpart of `graph-decoder.ts`. */
import { UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { InputLayer } from '../layers/input-layer.ts';
import { snakeCaseOf } from '../layers/keras-object.ts';
import { KerasTensor, type LayerCall, mapTensors } from '../layers/keras-tensor.ts';
import type { Layer } from '../layers/layer.ts';
import { OperationLayer } from '../layers/operation-layer.ts';
import type { TensorStructure } from '../model/keras-model.ts';
import { Model } from '../model/model.ts';
import { Sequential } from '../model/sequential.ts';
import type { LayerEncoder } from './encode-layers.ts';
import { encodeOperation, encodeTemplate } from './encode-operations.ts';
import { encodeValue, isRecord, kerasObject, underscoredOf } from './encode-values.ts';

/** A model of Keras' own two kinds; `undefined` for any other layer. */
export function encodeGraph(encoder: LayerEncoder, layer: Layer): JsonObject | undefined {
  if (layer.constructor === Sequential) return encodeSequential(encoder, layer as unknown as Sequential);
  return layer.constructor === Model ? encodeFunctional(encoder, layer as unknown as Model) : undefined;
}

function encodeSequential(encoder: LayerEncoder, model: Sequential): JsonObject {
  if (!model.hasShape) {
    throw new UnsupportedError(
      `Cannot save model "${model.name}": it has no input layer and was never called, so it has no weights yet; ` +
        'begin with an InputLayer, or call build([[null, …]])',
      'a model without shapes in a file',
    );
  }
  const start = model.inputs[0]?.call.layer;
  const layers = [...(start instanceof InputLayer ? [start as Layer] : []), ...model.layers];
  const config = { ...modelConfig(model), layers: layers.map((layer) => encoder.layer(layer)) };
  return kerasObject('keras', 'Sequential', config);
}

function modelConfig({ name, trainable }: Model | Sequential): JsonObject {
  return trainable ? { name } : { name, trainable };
}

function encodeFunctional(encoder: LayerEncoder, model: Model): JsonObject {
  const graph = new GraphEncoder(encoder, model);
  const config = {
    ...modelConfig(model),
    layers: graph.layers(),
    input_layers: graph.leaves(model.inputStructure),
    output_layers: graph.leaves(model.outputStructure),
  };
  // `keras.Model` makes a functional model of this in every release; the module of `Functional` itself has changed.
  return kerasObject('keras', 'Model', config);
}

class GraphEncoder {
  readonly #encoder: LayerEncoder;
  readonly #model: Model;
  /**
   * Where a nested model's call gives an output, releases before 3.3 take its place in the list for its number, and later
   * ones the place before: such a call is listed twice, so that both find it.
   */
  readonly #calls: ReadonlyMap<Layer, readonly LayerCall[]>;
  /** Names of the entries that stand for inputs which are other layers' outputs. */
  readonly #entries = new Map<KerasTensor, string>();

  constructor(encoder: LayerEncoder, model: Model) {
    this.#encoder = encoder;
    this.#model = model;
    const inModel = new Set(model.layerCalls);
    const isDoubled = ({ layer, outputs }: LayerCall): boolean =>
      layer instanceof Model && outputs.some((output) => model.outputs.includes(output));
    this.#calls = new Map(
      model.layers.map((layer) => {
        const calls = layer.calls.filter((call) => inModel.has(call));
        return [layer, calls.flatMap((call) => (isDoubled(call) ? [call, call] : [call]))];
      }),
    );
    const names = new Set(model.layers.map(({ name }) => name));
    for (const tensor of model.inputs) {
      if (tensor.call.layer instanceof InputLayer) continue;
      let name = `${tensor.name}_input`;
      for (let count = 1; names.has(name); count++) name = `${tensor.name}_input_${count}`;
      names.add(name);
      this.#entries.set(tensor, name);
    }
  }

  layers(): JsonValue[] {
    const entries = [...this.#entries].map(([{ shape, dtype }, name]) =>
      this.#node(new InputLayer({ batchShape: shape, dtype, name }), []),
    );
    return [...entries, ...this.#model.layers.map((layer) => this.#node(layer, this.#calls.get(layer) ?? []))];
  }

  #node(layer: Layer, calls: readonly LayerCall[]): JsonObject {
    const isInput = layer instanceof InputLayer;
    const object =
      layer instanceof OperationLayer ? encodeOperation(layer, this.#isNameNeeded(layer)) : this.#encoder.layer(layer);
    return { ...object, name: layer.name, inbound_nodes: isInput ? [] : calls.map((call) => this.#call(call)) };
  }

  /**
   * Operations get new names where the file has none, and releases before 3.10 take none. They must not be those of
   * layers.
   */
  #isNameNeeded({ className }: OperationLayer): boolean {
    const automatic = new RegExp(`^${snakeCaseOf(className)}(_\\d+)?$`);
    return this.#model.layers.some((layer) => !(layer instanceof OperationLayer) && automatic.test(layer.name));
  }

  #call(call: LayerCall): JsonObject {
    const { layer, inputs } = call;
    const tensor = (input: number): JsonValue => this.#tensor(inputs[input] as KerasTensor);
    if (layer instanceof OperationLayer) return encodeTemplate(layer, tensor);
    const all = inputs.map((_, index) => tensor(index));
    const kwargs: Record<string, JsonValue> = {};
    for (const [key, value] of Object.entries(call.kwargs)) {
      if (value !== undefined) kwargs[underscoredOf(key)] = this.#argument(value, layer);
    }
    for (const [option, argument] of Object.entries(layer.callArguments)) {
      if ((layer.config as unknown as Readonly<Record<string, unknown>>)[option]) kwargs[argument] = true;
    }
    if (layer instanceof Model) return { args: [packed(layer.inputStructure, all)], kwargs };
    const { inputForm } = layer;
    if (inputForm === 'with states' && all.length > 1) {
      return { args: all.slice(0, 1), kwargs: { ...kwargs, initial_state: all.slice(1) } };
    }
    const isList = inputForm === 'list' || (all.length > 1 && inputForm !== 'separate');
    return { args: isList ? [all] : all, kwargs };
  }

  #argument(value: unknown, layer: Layer): JsonValue {
    const encode = (part: unknown): JsonValue => {
      if (part instanceof KerasTensor) return this.#tensor(part);
      if (Array.isArray(part)) return part.map(encode);
      if (isRecord(part)) return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, encode(inner)]));
      return encodeValue(part, `layer "${layer.name}"`);
    };
    return encode(value);
  }

  #tensor(tensor: KerasTensor): JsonObject {
    const { shape, dtype } = tensor;
    const [name, node] = this.#place(tensor);
    return {
      class_name: '__keras_tensor__',
      config: { shape: [...shape], dtype, keras_history: [name, node, this.#index(tensor)] },
    };
  }

  /** The layer of a tensor, and which of its calls in this model gives it. */
  #place(tensor: KerasTensor): [name: string, node: number] {
    const entry = this.#entries.get(tensor);
    if (entry !== undefined) return [entry, 0];
    const { layer } = tensor.call;
    if (layer instanceof InputLayer) return [layer.name, 0];
    return [layer.name, this.#calls.get(layer)?.indexOf(tensor.call) ?? 0];
  }

  #index(tensor: KerasTensor): number {
    return this.#entries.has(tensor) ? 0 : tensor.index;
  }

  /** Inputs or outputs as `[layer, node, tensor]` in their structure; one alone stands in a list. */
  leaves(structure: TensorStructure<KerasTensor>): JsonValue {
    const leaf = (tensor: KerasTensor): JsonValue => {
      const [name, node] = this.#place(tensor);
      // The making of a nested functional model counts as a call of it from 3.3, here and not in the calls of other layers.
      const isModel = tensor.call.layer instanceof Model && !this.#entries.has(tensor);
      return [name, isModel ? node + 1 : node, this.#index(tensor)];
    };
    if (structure instanceof KerasTensor) return [leaf(structure)];
    return mapTensors(structure, leaf) as JsonValue;
  }
}

/** A flat list in the structure of a nested model's inputs. */
function packed(structure: TensorStructure<KerasTensor>, all: readonly JsonValue[]): JsonValue {
  let next = 0;
  return mapTensors(structure, () => all[next++]) as JsonValue;
}
