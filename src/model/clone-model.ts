/** Copies of models: the same layers and graph, with weights of their own. */
import { formatShape } from '../array/shape.ts';
import { InputLayer } from '../layers/input-layer.ts';
import { KerasTensor, mapTensors, tensorsIn } from '../layers/keras-tensor.ts';
import type { Layer } from '../layers/layer.ts';
import { cloneLayer } from '../layers/layer-field.ts';
import { OperationLayer } from '../layers/operation-layer.ts';
import { KerasModel, type TensorStructure } from './keras-model.ts';
import { Model } from './model.ts';
import { Sequential } from './sequential.ts';

/** What may differ from the original. */
export interface CloneModelOptions {
  /** What the copy begins with, as many as the model has inputs; new inputs by default. */
  readonly inputTensors?: TensorStructure<KerasTensor>;
  /** Gives the layer that stands for another: a new one, or the same. By default a new one of the same configuration. */
  readonly cloneFunction?: (layer: Layer) => Layer;
  /** Calls the layer of the copy: may put other layers before or after it. For Functional models alone. */
  readonly callFunction?: (
    layer: Layer,
    inputs: readonly KerasTensor[],
    kwargs: Readonly<Record<string, unknown>>,
  ) => KerasTensor | readonly KerasTensor[];
  /** Goes on into the models inside, with the same functions; without it they are cloned like other layers. */
  readonly recursive?: boolean;
}

/**
 * A model of the same configuration with weights of its own, which are fresh: `copy.setWeights(model.getWeights())`
 * makes them equal. A layer that the model uses in several places is one layer in the copy, too. The copy is not
 * compiled.
 *
 * ```ts
 * import { cloneModel, Dense, Dropout, InputLayer, Sequential } from 'hornet';
 *
 * const layers = [new InputLayer({ batchShape: [null, 4] }), new Dropout({ rate: 0.1 }), new Dense({ units: 2 })];
 * const model = new Sequential({ layers });
 * const stricter = cloneModel(model, {
 *   cloneFunction: (layer) => (layer instanceof Dropout ? new Dropout({ ...layer.config, rate: 0.5 }) : layer),
 * });
 *
 * expect(stricter.getLayer(0).config).toMatchObject({ rate: 0.5 });
 * expect(stricter.weights[0]).toBe(model.weights[0]);
 * expect(cloneModel(model).weights[0]).not.toBe(model.weights[0]);
 * ```
 *
 * @throws {RangeError} when the input tensors do not fit, or a function is given for a model that cannot take it.
 */
export function cloneModel(model: Sequential, options?: CloneModelOptions): Sequential;
export function cloneModel(model: Model, options?: CloneModelOptions): Model;
export function cloneModel(model: KerasModel, options?: CloneModelOptions): KerasModel;
export function cloneModel(model: KerasModel, options: CloneModelOptions = {}): KerasModel {
  if (model instanceof Sequential && options.callFunction !== undefined) {
    throw new RangeError(
      `Cannot clone model "${model.name}" with callFunction: a Sequential calls its layers one after the other`,
    );
  }
  const copy = new Cloner(options).model(model, options.inputTensors);
  if (options.cloneFunction === undefined && options.callFunction === undefined) copyTrainable(model, copy);
  return copy;
}

class Cloner {
  readonly #options: CloneModelOptions;
  /** One copy of each layer, however often it is met. */
  readonly #copies = new Map<Layer, Layer>();

  constructor(options: CloneModelOptions) {
    this.#options = options;
  }

  model(original: KerasModel, inputTensors?: TensorStructure<KerasTensor>): KerasModel {
    const copy = this.#model(original, inputTensors);
    const root = original.weightsRoot;
    if (root !== undefined) copy.weightsRoot = this.#copies.get(root);
    return copy;
  }

  #model(original: KerasModel, inputTensors?: TensorStructure<KerasTensor>): KerasModel {
    if (original instanceof Sequential) return this.#sequential(original, inputTensors);
    if (original instanceof Model) return this.#functional(original, inputTensors);
    if (inputTensors !== undefined || this.#options.cloneFunction || this.#options.callFunction) {
      throw new RangeError(
        `Cannot clone model "${original.name}" with inputTensors, cloneFunction or callFunction: its class ` +
          `"${original.className}" is neither Model nor Sequential`,
      );
    }
    return this.#copy(original as unknown as Layer) as unknown as KerasModel;
  }

  #layer(original: Layer): Layer {
    let copy = this.#copies.get(original);
    if (copy === undefined) {
      const { cloneFunction, recursive = false } = this.#options;
      const isModel = original instanceof KerasModel;
      copy = cloneFunction === undefined || (recursive && isModel) ? this.#copy(original) : cloneFunction(original);
      this.#copies.set(original, copy);
    }
    return copy;
  }

  #copy(original: Layer): Layer {
    if (original instanceof Model || original instanceof Sequential) {
      // Without `recursive` the functions are meant for the outermost layers alone.
      const { cloneFunction, callFunction, recursive = false } = this.#options;
      const isPlain = recursive || (cloneFunction === undefined && callFunction === undefined);
      return (isPlain ? this : new Cloner({})).model(original) as unknown as Layer;
    }
    if (original instanceof OperationLayer) {
      const { name, className, operation, operationConfig: config, template } = original;
      return new OperationLayer({ name, className, operation, config, template }) as unknown as Layer;
    }
    return cloneLayer(original, { trainable: original.trainable }, (inner) => this.#layer(inner));
  }

  #sequential(original: Sequential, inputTensors?: TensorStructure<KerasTensor>): Sequential {
    const layers = original.layers.map((layer) => this.#layer(layer));
    if (original.hasShape || inputTensors !== undefined) {
      const [start] = inputTensors === undefined ? newInputs(original) : checkedInputs(original, inputTensors);
      const { layer } = (start as KerasTensor).call;
      const { shape, dtype } = start as KerasTensor;
      layers.unshift(layer instanceof InputLayer ? layer : new InputLayer({ batchShape: shape, dtype }));
    }
    return new Sequential({ layers, name: original.name, trainable: original.trainable });
  }

  #functional(original: Model, inputTensors?: TensorStructure<KerasTensor>): Model {
    const starts = inputTensors === undefined ? newInputs(original) : checkedInputs(original, inputTensors);
    const values = new Map(original.inputs.map((tensor, index) => [tensor, starts[index] as KerasTensor]));
    const lookUp = (tensor: KerasTensor): KerasTensor => values.get(tensor) as KerasTensor;
    for (const call of original.layerCalls) {
      if (call.outputs.every((output) => values.has(output))) continue;
      const inputs = call.inputs.map(lookUp);
      const kwargs = mapTensors(call.kwargs, lookUp) as Readonly<Record<string, unknown>>;
      const outputs = this.#call(this.#layer(call.layer), inputs, kwargs);
      for (const [index, output] of call.outputs.entries()) {
        if (!values.has(output)) values.set(output, outputs[index] ?? missingOutput(call.layer.name));
      }
    }
    return new Model({
      inputs: inputTensors ?? (mapTensors(original.inputStructure, lookUp) as TensorStructure<KerasTensor>),
      outputs: mapTensors(original.outputStructure, lookUp) as TensorStructure<KerasTensor>,
      name: original.name,
      trainable: original.trainable,
    });
  }

  #call(
    layer: Layer,
    inputs: readonly KerasTensor[],
    kwargs: Readonly<Record<string, unknown>>,
  ): readonly KerasTensor[] {
    const { callFunction } = this.#options;
    if (callFunction === undefined) return layer.applyAll(inputs, kwargs);
    const outputs = callFunction(layer, inputs, kwargs);
    return outputs instanceof KerasTensor ? [outputs] : outputs;
  }
}

function missingOutput(layer: string): never {
  throw new RangeError(`Cannot clone the model: the copy of layer "${layer}" gives fewer outputs than it`);
}

/** New inputs of the same shapes, dtypes and names. */
function newInputs(model: KerasModel): readonly KerasTensor[] {
  const made = new Map<KerasTensor, KerasTensor>();
  return model.inputs.map((tensor) => {
    const { shape, dtype, name, call } = tensor;
    const config = call.layer instanceof InputLayer ? call.layer.config : { dtype, name };
    const copy = made.get(tensor) ?? new InputLayer({ ...config, batchShape: shape }).output;
    made.set(tensor, copy);
    return copy;
  });
}

function checkedInputs(model: KerasModel, inputTensors: TensorStructure<KerasTensor>): readonly KerasTensor[] {
  const tensors = tensorsIn(inputTensors);
  if (tensors.length !== model.inputs.length) {
    throw new RangeError(
      `Cannot clone model "${model.name}": found ${tensors.length} input tensors, expected ${model.inputs.length}`,
    );
  }
  for (const [index, { shape, name }] of tensors.entries()) {
    const expected = (model.inputs[index] as KerasTensor).shape;
    if (shape.length === expected.length) continue;
    throw new RangeError(
      `Cannot clone model "${model.name}": input tensor "${name}" has shape ${formatShape(shape)}, ` +
        `expected ${formatShape(expected)}`,
    );
  }
  return tensors;
}

/** Freezes in the copy what is frozen in the original, layers inside of layers included. */
function copyTrainable(original: Layer | KerasModel, copy: Layer | KerasModel): void {
  copy.trainable = original.trainable;
  for (const [index, child] of original.children.entries()) {
    const twin = copy.children[index];
    if (twin !== undefined) copyTrainable(child, twin);
  }
}
