import { formatShape, type PartialShape } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import { boolean, type Fields, string } from '../layers/fields.ts';
import { type KerasTensor, type LayerCall, mapTensors, tensorsIn } from '../layers/keras-tensor.ts';
import type { Layer, LayerConfig, MaskedTensor, TraceOptions } from '../layers/layer.ts';
import { traceCalls } from './call-graph.ts';
import { KerasModel, type TensorStructure, traceSteps } from './keras-model.ts';

/** What `new Model` takes. Inputs and outputs are one tensor, a list, or a record of tensors. */
export interface ModelOptions {
  readonly inputs: TensorStructure<KerasTensor>;
  readonly outputs: TensorStructure<KerasTensor>;
  readonly name?: string;
  readonly trainable?: boolean;
}

/**
 * A graph of layers between some inputs and some outputs: Keras' functional model.
 *
 * Layers and their weights are shared with every other model that uses them, so a model cut from another is a view of
 * it, not a copy:
 *
 * ```ts
 * import { Dense, input, Model } from 'hornet';
 *
 * const x = input({ shape: [8] });
 * const hidden = new Dense({ units: 4, name: 'hidden' }).apply(x);
 * const model = new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(hidden) });
 * const features = new Model({ inputs: model.inputs, outputs: model.getLayer('hidden').output });
 *
 * expect(features.weights[0]).toBe(model.weights[0]);
 * ```
 */
export class Model extends KerasModel {
  static readonly className = 'Functional';
  static readonly fields: Fields<LayerConfig> = {
    name: string(''),
    trainable: boolean(true),
    dtype: string('float32'),
  };
  readonly inputs: readonly KerasTensor[];
  readonly outputs: readonly KerasTensor[];
  readonly layers: readonly Layer[];
  override readonly supportsMasking = true;
  readonly layerCalls: readonly LayerCall[];
  /** Inputs and outputs as they were given: the names and nesting that `predict` takes and returns. */
  readonly inputStructure: TensorStructure<KerasTensor>;
  readonly outputStructure: TensorStructure<KerasTensor>;

  constructor({ inputs, outputs, name = '', trainable }: ModelOptions) {
    super(Model.className, Model.fields, { name, ...(trainable === undefined ? {} : { trainable }) });
    this.inputStructure = inputs;
    this.outputStructure = outputs;
    this.inputs = tensorsIn(inputs);
    this.outputs = tensorsIn(outputs);
    const { calls, layers } = traceCalls(this.inputs, this.outputs);
    this.layerCalls = calls;
    this.layers = layers;
    checkNames(this.name, layers);
    this.ensureBuilt([]);
    this.nameWeights();
  }

  get inputNames(): readonly string[] {
    return this.inputs.map((tensor) => tensor.name);
  }

  get outputNames(): readonly string[] {
    return this.outputs.map((tensor) => tensor.name);
  }

  override *traceSteps(
    inputs: readonly MaskedTensor[],
    options: TraceOptions,
  ): Generator<void, readonly MaskedTensor[]> {
    if (inputs.length !== this.inputs.length) {
      throw new ShapeError(
        `Cannot call model "${this.name}": found ${inputs.length} inputs, expected ${this.inputs.length} ` +
          `(${this.inputNames.join(', ')})`,
      );
    }
    const values = new Map<KerasTensor, MaskedTensor>();
    for (const [index, tensor] of this.inputs.entries()) {
      const value = inputs[index] as MaskedTensor;
      checkInput(this.name, tensor, value.tensor.shape);
      values.set(tensor, value);
    }
    const lookUp = (tensor: KerasTensor): MaskedTensor => values.get(tensor) as MaskedTensor;
    const watch = this.watchMasks();
    for (const call of this.layerCalls) {
      if (call.outputs.every((output) => values.has(output))) continue;
      const found = call.inputs.map(lookUp);
      const callOptions = {
        ...options,
        kwargs: mapTensors(call.kwargs, (tensor) => lookUp(tensor).tensor) as Record<string, unknown>,
      };
      yield;
      const results = watch?.trace(call, found, callOptions) ?? (yield* traceSteps(call.layer, found, callOptions));
      for (const [index, output] of call.outputs.entries()) {
        if (!values.has(output)) values.set(output, results[index] as MaskedTensor);
      }
    }
    return this.outputs.map(lookUp);
  }
}

function checkInput(model: string, expected: KerasTensor, found: PartialShape): void {
  const fits =
    expected.shape.length === found.length &&
    expected.shape.every((extent, axis) => axis === 0 || extent === null || extent === found[axis]);
  if (!fits) {
    throw new ShapeError(
      `Cannot call model "${model}": input "${expected.name}" has shape ${formatShape(found)}, ` +
        `expected ${formatShape(expected.shape)}`,
    );
  }
}

function checkNames(model: string, layers: readonly Layer[]): void {
  const seen = new Set<string>();
  for (const { name } of layers) {
    if (seen.has(name)) {
      throw new RangeError(`Cannot create model "${model}": found two layers named "${name}", expected unique names`);
    }
    seen.add(name);
  }
}
