import { formatShape, type PartialShape, shapesEqual } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import type { Variable } from '../graph/variable.ts';
import type { LoadWeightsOptions } from '../io/load.ts';
import type { ModelSource } from '../io/source.ts';
import type { KerasTensor, LayerCall } from '../layers/keras-tensor.ts';
import { Layer, type Sublayers } from '../layers/layer.ts';
import type { LoadReport } from '../serialization/report.ts';
import { nearestNames } from './nearest-names.ts';
import { type PredictOptions, type PredictOutputs, Predictor } from './predictor.ts';
import type { PredictInputs } from './read-inputs.ts';
import { formatSummary, type SummaryOptions } from './summary.ts';

/** One tensor, a list of such, or a record of such. */
export type TensorStructure<T> = T | readonly TensorStructure<T>[] | { readonly [key: string]: TensorStructure<T> };

/**
 * A layer made of layers that can be run on its own: what `Model`, `Sequential` and a user's own models have in common.
 */
export abstract class KerasModel extends Layer {
  /** The model's layers, in Keras' order. */
  abstract readonly layers: readonly Layer[];
  abstract readonly inputs: readonly KerasTensor[];
  abstract readonly outputs: readonly KerasTensor[];
  abstract readonly inputStructure: TensorStructure<KerasTensor>;
  abstract readonly outputStructure: TensorStructure<KerasTensor>;
  /** The calls that the model makes, each after those that it depends on; none before its shapes are known. */
  abstract readonly layerCalls: readonly LayerCall[];
  /** What the load of this model from a file found; absent from a model that was built in code. */
  loadReport: LoadReport | undefined;
  #predictor: Predictor | undefined;

  override get sublayers(): Sublayers {
    return { layers: this.layers };
  }

  /** The output, of a model that has one; its first, of a model that has several. */
  override get output(): KerasTensor {
    return this.outputs[0] as KerasTensor;
  }

  get inputShape(): PartialShape {
    return (this.inputs[0] as KerasTensor).shape;
  }

  get outputShape(): PartialShape {
    return this.output.shape;
  }

  /**
   * A layer by name, or by index; a negative index counts from the end.
   *
   * @throws {RangeError} when there is none, with near names.
   */
  getLayer(nameOrIndex: string | number): Layer {
    const found =
      typeof nameOrIndex === 'string'
        ? this.layers.find((layer) => layer.name === nameOrIndex)
        : this.layers.at(nameOrIndex);
    if (found === undefined) throw missingLayer(this, nameOrIndex);
    return found;
  }

  /** Values of all weights, in the order of `weights`. They are the arrays that the model uses, not copies. */
  getWeights(): readonly Tensor[] {
    return this.weights.map((variable) => variable.value);
  }

  /**
   * Sets all weights, in the order of `weights`. Nothing is changed unless everything fits.
   *
   * @throws {RangeError} when number or shapes differ.
   */
  setWeights(values: readonly Tensor[]): void {
    assignAll(this, this.weights, values);
  }

  /**
   * Runs the model on any number of samples, in batches.
   *
   * Inputs are tensors, typed arrays or nested arrays: one, a list in the order of `inputs`, or a record by input name.
   * The result is one tensor, or a list or record as the model's outputs are; `predict<Tensor[]>` says so to TypeScript.
   *
   * @throws {ShapeError} when an input does not fit.
   */
  async predict<O extends PredictOutputs = Tensor>(inputs: PredictInputs, options: PredictOptions = {}): Promise<O> {
    this.#predictor ??= new Predictor(this);
    return (await this.#predictor.predict(inputs, options)) as O;
  }

  /**
   * Loads the weights of a file into this model, as Keras' `load_weights` does: by path, by name or by order, as the
   * file's format has it. A load that fails leaves the model as it was.
   *
   * @throws {LoadError} when, in strict mode, anything does not fit.
   */
  async loadWeights(source: ModelSource, options: LoadWeightsOptions = {}): Promise<LoadReport> {
    const { loadWeights } = await import('../io/load.ts');
    return await loadWeights(this, source, options);
  }

  /** Keras' table of the layers, their shapes and numbers of weights. */
  summary(options: SummaryOptions = {}): string {
    return formatSummary(this, options);
  }

  /** Forgets compiled programs, after layers have changed. */
  protected forgetPrograms(): void {
    this.#predictor = undefined;
  }

  /** Gives every weight its path below this model. */
  protected nameWeights(): void {
    for (const layer of this.layers) nameWeightsBelow(layer, '');
  }
}

function nameWeightsBelow(layer: Layer, prefix: string): void {
  const path = `${prefix}${layer.name}/`;
  for (const variable of layer.ownWeights) variable.path = path + variable.name;
  for (const child of layer.children) nameWeightsBelow(child, path);
}

function assignAll(model: KerasModel, variables: readonly Variable[], values: readonly Tensor[]): void {
  if (values.length !== variables.length) {
    throw new RangeError(
      `Cannot set the weights of "${model.name}": found ${values.length} values, expected ${variables.length}`,
    );
  }
  const misfits = variables.flatMap((variable, index) => {
    const value = values[index] as Tensor;
    if (shapesEqual(variable.shape, value.shape) && variable.dtype === value.dtype) return [];
    return [
      `"${variable.path}" is ${variable.dtype}${formatShape(variable.shape)}, ` +
        `its value ${value.dtype}${formatShape(value.shape)}`,
    ];
  });
  if (misfits.length > 0) {
    throw new RangeError(`Cannot set the weights of "${model.name}": ${misfits.join('; ')}`);
  }
  for (const [index, variable] of variables.entries()) variable.assign(values[index] as Tensor);
}

function missingLayer(model: KerasModel, nameOrIndex: string | number): RangeError {
  if (typeof nameOrIndex === 'number') {
    return new RangeError(
      `Cannot get layer ${nameOrIndex} of "${model.name}": the model has ${model.layers.length} layers`,
    );
  }
  const names = model.layers.map((layer) => layer.name);
  const near = nearestNames(nameOrIndex, names);
  const hint = near.length > 0 ? `did you mean ${near.map((name) => `"${name}"`).join(' or ')}?` : names.join(', ');
  return new RangeError(`Cannot get layer "${nameOrIndex}" of "${model.name}": found none of that name; ${hint}`);
}
