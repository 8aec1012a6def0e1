import type { PartialShape } from '../array/shape.ts';
import type { Fields } from '../layers/fields.ts';
import { InputLayer } from '../layers/input-layer.ts';
import type { KerasTensor, LayerCall } from '../layers/keras-tensor.ts';
import type { Layer, LayerConfig, MaskedTensor, TraceOptions } from '../layers/layer.ts';
import { KerasModel, type TensorStructure, traceSteps } from './keras-model.ts';
import { Model } from './model.ts';

export interface SequentialOptions {
  readonly layers?: readonly Layer[];
  readonly name?: string;
  readonly trainable?: boolean;
}

/**
 * A chain of layers, each with one input and one output.
 *
 * With an `InputLayer` or a model in front the model is built at once; without one it is built by the first inputs that
 * it gets.
 *
 * ```ts
 * import { Dense, Sequential, tensor } from 'hornet';
 *
 * const model = new Sequential({ layers: [new Dense({ units: 3, kernelInitializer: 'ones' })] });
 * const output = await model.predict(tensor([[1, 2]]));
 *
 * expect(output.toArray()).toEqual([[3, 3, 3]]);
 * ```
 */
export class Sequential extends KerasModel {
  static readonly className = 'Sequential';
  static readonly fields: Fields<LayerConfig> = Model.fields;
  override readonly supportsMasking = true;
  readonly #layers: Layer[] = [];
  /** The input layer that was put in front. */
  #inputLayer: InputLayer | undefined;
  /** Where the graph begins: the input layer, or one that follows from the first layer or the first inputs. */
  #start: InputLayer | undefined;
  #graph: Model | undefined;
  /** How many layers the graph has so far. */
  #connected = 0;

  /** @param options a list alone is the layers, as in Keras */
  constructor(options: SequentialOptions | readonly Layer[] = {}) {
    const { layers = [], name = '', trainable } = isList(options) ? { layers: options } : options;
    super(Sequential.className, Sequential.fields, { name, ...(trainable === undefined ? {} : { trainable }) });
    for (const layer of layers) this.#append(layer);
    this.#connect();
  }

  /** The layers in order, without the input layer, as in Keras. */
  get layers(): readonly Layer[] {
    return this.#layers;
  }

  /** Appends a layer. */
  add(layer: Layer): void {
    this.#append(layer);
    this.#connect();
  }

  /**
   * Takes the last layer off and gives it back. Layers below keep their weights, so a new head can be added.
   *
   * ```ts
   * import { Dense, InputLayer, Sequential } from 'hornet';
   *
   * const layers = [new InputLayer({ batchShape: [null, 3] }), new Dense({ units: 8 }), new Dense({ units: 10 })];
   * const model = new Sequential({ layers });
   * model.pop();
   * model.add(new Dense({ units: 2 }));
   *
   * expect(model.outputShape).toEqual([null, 2]);
   * ```
   *
   * @param options with `rebuild: false` the model has no shapes until a layer is added, or inputs come
   * @throws {RangeError} when there is none.
   */
  pop({ rebuild = true }: { readonly rebuild?: boolean } = {}): Layer {
    const layer = this.#layers.pop();
    if (layer === undefined) throw new RangeError(`Cannot take a layer off model "${this.name}": it has none`);
    const last = this.#graph?.layerCalls.at(-1);
    if (this.#layers.length === 0) this.#start = this.#inputLayer;
    if (this.#start !== undefined && last !== undefined && rebuild) {
      this.#grow(last.inputs, this.#layers.length);
    } else {
      this.#graph = undefined;
      this.#connected = 0;
    }
    this.forgetPrograms();
    return layer;
  }

  get inputs(): readonly KerasTensor[] {
    return this.#built().inputs;
  }

  get outputs(): readonly KerasTensor[] {
    return this.#built().outputs;
  }

  get inputStructure(): TensorStructure<KerasTensor> {
    return this.#built().inputStructure;
  }

  get outputStructure(): TensorStructure<KerasTensor> {
    return this.#built().outputStructure;
  }

  get layerCalls(): readonly LayerCall[] {
    return this.#graph?.layerCalls ?? [];
  }

  /** Whether the shape of the inputs is known, and with it every shape and weight. */
  get hasShape(): boolean {
    return this.#graph !== undefined;
  }

  /** Builds a model that has no input layer for inputs of a shape, the batch included. */
  override build([batchShape]: readonly PartialShape[]): void {
    if (this.#graph !== undefined || batchShape === undefined) return;
    this.#start = this.#inputLayer ?? new InputLayer({ batchShape: [null, ...batchShape.slice(1)] });
    this.#connect();
  }

  override get built(): boolean {
    return this.hasShape;
  }

  /** Builds the model again where `pop` has taken its shapes. */
  override ensureBuilt(inputShapes: readonly PartialShape[]): void {
    super.ensureBuilt(inputShapes);
    if (this.#graph === undefined) this.build(inputShapes);
  }

  override *traceSteps(
    inputs: readonly MaskedTensor[],
    options: TraceOptions,
  ): Generator<void, readonly MaskedTensor[]> {
    this.ensureBuilt(inputs.map(({ tensor }) => tensor.shape));
    let values = inputs;
    for (const [index, layer] of this.#layers.entries()) {
      // Arguments of the call, such as a mask, are meant for the first layer.
      yield;
      values = yield* traceSteps(layer, values, index === 0 ? options : { ...options, kwargs: {} });
    }
    return values;
  }

  #append(layer: Layer): void {
    if (!(layer instanceof InputLayer)) {
      this.#layers.push(layer);
    } else if (this.#layers.length > 0 || this.#inputLayer !== undefined) {
      throw new RangeError(`Cannot add input layer "${layer.name}" to "${this.name}": it is not the first layer`);
    } else {
      this.#inputLayer = layer;
    }
  }

  #connect(): void {
    this.#start ??= this.#inputLayer ?? inputLayerFor(this.#layers[0]);
    if (this.#start === undefined) return;
    let outputs = this.#graph?.outputs ?? [this.#start.output];
    for (const layer of this.#layers.slice(this.#connected)) outputs = layer.applyAll(outputs);
    this.#grow(outputs, this.#layers.length);
    this.nameWeights();
    this.forgetPrograms();
  }

  /** Makes the graph that ends in these outputs, after so many layers. */
  #grow(outputs: readonly KerasTensor[], connected: number): void {
    const start = (this.#start as InputLayer).output;
    this.#connected = connected;
    const end = outputs.length === 1 ? (outputs[0] as KerasTensor) : outputs;
    this.#graph = new Model({ inputs: start, outputs: end, name: this.name });
    this.ensureBuilt([start.shape]);
  }

  #built(): Model {
    if (this.#graph === undefined) {
      throw new Error(
        `Cannot tell the shapes of model "${this.name}": it has no input layer and was never called; ` +
          'begin with an InputLayer, or call build([[null, …]])',
      );
    }
    return this.#graph;
  }
}

/** The input of a model that begins with a model whose shapes are known. */
function inputLayerFor(first: Layer | undefined): InputLayer | undefined {
  if (!(first instanceof KerasModel) || (first instanceof Sequential && !first.hasShape)) return undefined;
  const [input, ...others] = first.inputs;
  return input === undefined || others.length > 0
    ? undefined
    : new InputLayer({ batchShape: input.shape, dtype: input.dtype });
}

function isList(options: SequentialOptions | readonly Layer[]): options is readonly Layer[] {
  return Array.isArray(options);
}
