import type { WeightDtype } from '../array/narrow-array.ts';
import type { PartialShape } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import type { Program } from '../compiler/backend.ts';
import type { JsonObject } from '../formats/artifacts.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { Variable } from '../graph/variable.ts';
import type { CompressOptions, WeightCompression } from '../io/compress-weights.ts';
import type { LoadWeightsOptions } from '../io/load.ts';
import type { BytesOptions, SaveDestination, SaveHandler, SaveOptions, SaveReport } from '../io/save.ts';
import type { ModelSource } from '../io/source.ts';
import type { ArtifactsOptions, LayersModelArtifacts } from '../io/to-artifacts.ts';
import type { KerasTensor, LayerCall } from '../layers/keras-tensor.ts';
import {
  type CallContext,
  Layer,
  type LayerOutput,
  type MaskedTensor,
  type Sublayers,
  type TraceOptions,
} from '../layers/layer.ts';
import { atOnce } from '../pause.ts';
import type { LoadReport } from '../serialization/report.ts';
import type { Logs } from '../training/callbacks/callback.ts';
import type { History } from '../training/callbacks/history.ts';
import type { ModelCompileOptions } from '../training/compiled-model.ts';
import type { Dataset } from '../training/data-source.ts';
import type { BatchOptions, EvaluateOptions, FitOptions } from '../training/fit-options.ts';
import type { Optimizer } from '../training/optimizers/optimizer.ts';
import type { TargetValues } from '../training/samples.ts';
import type { Trainer } from '../training/trainer.ts';
import type { TrainingState } from '../training/training-state.ts';
import { frozenLayers, weightsToTrain } from './frozen-layers.ts';
import { nearestNames } from './nearest-names.ts';
import type { PredictDataset } from './predict-batches.ts';
import type { PredictOptions, PredictOutputs, Predictor } from './predictor.ts';
import type { PredictInputs } from './read-inputs.ts';
import { formatSummary, type SummaryOptions } from './summary.ts';

/** Gives the options of `compile`, for the weights that will be trained. */
export type LoadCompileOptions = (trainable: readonly Variable[]) => Promise<ModelCompileOptions>;

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
  /** How its weights are kept, where that is not float32; see `compressWeights`. */
  weightCompression: WeightCompression | undefined;
  /** Plain JSON of the user's own that goes with the model: it is saved and loaded with it, where the format has room. */
  userDefinedMetadata: JsonObject | undefined;
  /**
   * What its training measured last: loss and metrics, and those of validation as `val_…`; of a loaded model, what its file
   * says. It is saved with the model where the format has room.
   */
  trainingLogs: Logs | undefined;
  /**
   * The layer whose structure files of this model's weights have, where that is not the model: a layer of the user's own
   * that stands for a whole model.
   */
  weightsRoot: Layer | undefined;
  /**
   * What trains the model, once that is known: set by `compile`, or by the first training when it was named or comes
   * from a file.
   */
  optimizer: Optimizer | undefined;
  /** Set by a callback, it ends a training after the present batch. */
  stopTraining = false;
  /** Set by a callback, it ends an evaluation after the present batch. */
  stopEvaluating = false;
  /** Set by a callback, it ends a prediction after the present batch, of which the outputs are those so far. */
  stopPredicting = false;
  #predictor: Promise<Predictor> | undefined;
  #trainer: Promise<Trainer> | undefined;
  #compiled: { readonly load: LoadCompileOptions; readonly frozen: ReadonlySet<Layer> } | undefined;

  override get sublayers(): Sublayers {
    return { layers: this.layers };
  }

  /** As `trace`, in steps: a large model takes longer than a page may be away. */
  abstract traceSteps(inputs: readonly MaskedTensor[], options: TraceOptions): Generator<void, readonly MaskedTensor[]>;

  override trace(inputs: readonly MaskedTensor[], options: TraceOptions): readonly MaskedTensor[] {
    return atOnce(this.traceSteps(inputs, options));
  }

  override call(inputs: readonly SymbolicTensor[], context: CallContext): LayerOutput {
    const masked = inputs.map((tensor, index) => ({ tensor, mask: context.masks[index] }));
    return this.trace(masked, context).map(({ tensor }) => tensor);
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

  /**
   * Runs the model on any number of samples, in batches.
   *
   * Inputs are tensors, typed arrays or nested arrays: one, a list in the order of `inputs`, or a record by input name; or
   * batches, as `fit` takes them, from an iterable, an async iterable, a generator, or a function that makes one.
   * The result is one tensor, of floats, or a list or record as the model's outputs are; `predict<Tensor[]>` says so to
   * TypeScript, and `predict<Tensor<'int32'>>` that they are something else.
   *
   * @throws {ShapeError} when an input does not fit.
   */
  async predict<O extends PredictOutputs = Tensor<'float32'>>(
    inputs: PredictInputs | PredictDataset,
    options: PredictOptions = {},
  ): Promise<O> {
    return (await (await this.#loadPredictor()).predict(inputs, options)) as O;
  }

  #loadPredictor(): Promise<Predictor> {
    this.#predictor ??= import('./predictor.ts').then(({ Predictor }) => new Predictor(this));
    return this.#predictor;
  }

  /**
   * Compiles what `predict` runs for batches of so many rows, and runs it once, so that the first prediction takes no longer
   * than others. `loadModel(…, { warmUp: true })` does it while the weights are on their way.
   *
   * @throws {ShapeError} when the extents of an input are not known, but for its rows.
   */
  async warmUp(batchSize: number = 1): Promise<void> {
    const { inputs, program } = await this.compileForPredict(batchSize);
    await program.run(inputs);
  }

  /** The first half of `warmUp`, which needs no weights yet. @internal */
  async compileForPredict(batchSize: number): Promise<{ inputs: readonly Tensor[]; program: Program }> {
    const { zeroInputs } = await import('./zero-inputs.ts');
    const inputs = zeroInputs(this, batchSize);
    return { inputs, program: await (await this.#loadPredictor()).compile(inputs) };
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

  /**
   * Says how the model is trained: optimizer, loss, metrics. What is `trainable` now is what will be trained.
   *
   * Names are looked up when the model is first trained or evaluated, which loads the code for it.
   */
  compile(options: ModelCompileOptions): void {
    this.compileLazily(async () => options);
    this.optimizer = typeof options.optimizer === 'object' ? options.optimizer : undefined;
  }

  /** As `compile`, with options that are made when they are first needed: for a model that comes from a file. */
  compileLazily(load: LoadCompileOptions): void {
    this.#compiled = { load, frozen: frozenLayers(this as unknown as Layer) };
    this.#trainer = undefined;
    this.optimizer = undefined;
  }

  /** Whether it is said how the model is trained: by `compile`, or by the file that it comes from. */
  get compiled(): boolean {
    return this.#compiled !== undefined;
  }

  /** What trains the model; none before it is compiled. */
  async loadTrainer(): Promise<Trainer | undefined> {
    if (this.#compiled === undefined) return undefined;
    const { load, frozen } = this.#compiled;
    const make = async (): Promise<Trainer> => {
      const { Trainer } = await import('../training/trainer.ts');
      return new Trainer(this, await load(weightsToTrain(this as unknown as Layer, frozen)), frozen);
    };
    this.#trainer ??= make();
    return await this.#trainer;
  }

  /**
   * Trains the model on arrays, or on a dataset of batches, for a number of epochs.
   *
   * @throws {RangeError} when the model is not compiled, or the options do not fit it.
   * @throws {ShapeError} when inputs, targets or weights do not fit the model.
   */
  fit(x: PredictInputs, y: TargetValues, options?: FitOptions): Promise<History>;
  fit(dataset: Dataset, options?: FitOptions): Promise<History>;
  async fit(x: PredictInputs | Dataset, y?: TargetValues | FitOptions, options?: FitOptions): Promise<History> {
    return await (await this.#trainerFor('fit')).fit(x, y, options);
  }

  /** Measures losses and metrics on arrays, or on a dataset of batches; gives them by name. */
  evaluate(x: PredictInputs, y: TargetValues, options?: EvaluateOptions): Promise<Logs>;
  evaluate(dataset: Dataset, options?: EvaluateOptions): Promise<Logs>;
  async evaluate(
    x: PredictInputs | Dataset,
    y?: TargetValues | EvaluateOptions,
    options?: EvaluateOptions,
  ): Promise<Logs> {
    return await (await this.#trainerFor('evaluate')).evaluate(x, y, options);
  }

  /** One step of training; gives losses and metrics since they were last reset. */
  async trainOnBatch(x: PredictInputs, y?: TargetValues, options: BatchOptions = {}): Promise<Logs> {
    return await (await this.#trainerFor('trainOnBatch')).trainOnBatch(x, y, options);
  }

  /** Losses and metrics of one batch, added to those since they were last reset. */
  async testOnBatch(x: PredictInputs, y?: TargetValues, options: BatchOptions = {}): Promise<Logs> {
    return await (await this.#trainerFor('testOnBatch')).testOnBatch(x, y, options);
  }

  /** Runs the model on one batch, of any number of samples. */
  async predictOnBatch<O extends PredictOutputs = Tensor<'float32'>>(x: PredictInputs): Promise<O> {
    return await this.predict<O>(x, { batchSize: Number.MAX_SAFE_INTEGER });
  }

  /** Starts losses and metrics anew. */
  async resetMetrics(): Promise<void> {
    if (this.#trainer !== undefined) (await this.#trainer).resetMetrics();
  }

  /**
   * Everything that decides how the training goes on: weights, the optimizer's state, random states, the order of samples,
   * what callbacks keep, epoch and step. It may be asked for at any time, also by a callback; `fit` takes it as `resume`,
   * and `saveTrainingState` stores it.
   *
   * @throws {RangeError} when the model is not compiled.
   */
  async getTrainingState(): Promise<TrainingState> {
    return await (await this.#trainerFor('get the training state of')).state();
  }

  /**
   * Takes weights, the optimizer's state and random states from a state. A callback may call it in `onTrainBegin`: the
   * training then goes on from there, as with the option `resume` of `fit`.
   *
   * @throws {TrainingStateError} when anything does not fit, listing all that differs; nothing was changed then.
   */
  async setTrainingState(state: TrainingState): Promise<void> {
    (await this.#trainerFor('set the training state of')).setState(state);
  }

  async #trainerFor(method: string): Promise<Trainer> {
    const trainer = await this.loadTrainer();
    if (trainer !== undefined) return trainer;
    throw new RangeError(`Cannot ${method} model "${this.name}": it is not compiled; call compile() first`);
  }

  /**
   * Saves the model in the format that the name ends in, which is a `.keras` file where no name tells: its configuration,
   * weights, vocabularies and training, which every release of Keras 3 loads. What was there before stays until the new
   * file is whole.
   *
   * ```ts
   * import { Dense, input, loadModel, Model, memoryStore } from 'hornet';
   *
   * const x = input({ shape: [4] });
   * const model = new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(x) });
   * const store = memoryStore();
   * await model.save({ store, key: 'small.keras' });
   * const same = await loadModel({ store, key: 'small.keras' });
   *
   * expect(same.getWeights()[0]?.data).toEqual(model.getWeights()[0]?.data);
   * ```
   *
   * @throws {UnsupportedError} naming the layer, when a file cannot hold it: a Lambda, a function as activation.
   */
  async save(destination: SaveDestination | SaveHandler, options: SaveOptions = {}): Promise<SaveReport> {
    const { saveModel } = await import('../io/save.ts');
    return await saveModel(this, destination, options);
  }

  /**
   * Saves the weights alone, in the format that the name ends in: `.weights.h5` and `.weights.json` of Keras 3, `.h5` as
   * tf_keras has it too, `.safetensors`, `.npz`.
   */
  async saveWeights(destination: SaveDestination, options: SaveOptions = {}): Promise<SaveReport> {
    const { saveWeights } = await import('../io/save.ts');
    return await saveWeights(this, destination, options);
  }

  /** The bytes that `save` would write. */
  async toBytes(options: BytesOptions = {}): Promise<Uint8Array> {
    const { modelBytes } = await import('../io/save.ts');
    return await modelBytes(this, options);
  }

  /**
   * The model as TensorFlow.js passes it around: `tf.loadLayersModel(tf.io.fromMemory(await model.toArtifacts()))`.
   *
   * @throws {UnsupportedError} naming the layer, when a file could not hold it either.
   */
  async toArtifacts(options: ArtifactsOptions = {}): Promise<LayersModelArtifacts> {
    const { modelArtifactsOf } = await import('../io/to-artifacts.ts');
    return await modelArtifactsOf(this, options);
  }

  /**
   * The configuration as JSON text, as Keras' `to_json()` gives it, vocabularies included; `modelFromJSON` and Keras'
   * `model_from_json` make a model with fresh weights of it.
   *
   * @throws {TypeError} inside `JSON.stringify`, which calls this and cannot wait.
   */
  toJSON(): Promise<string>;
  /** @internal */
  toJSON(key: string): never;
  toJSON(key?: string): Promise<string> {
    if (key !== undefined) {
      throw new TypeError(`Cannot make JSON of model "${this.name}" at once: use "await model.toJSON()" instead`);
    }
    return import('../io/model-json.ts').then(({ modelJson }) => modelJson(this));
  }

  /**
   * Keeps the weights of dense, convolutional, recurrent, attention and embedding layers in fewer bytes from now on: as
   * halves (`float16`), or as 8-bit integers with one scale for each output channel (`int8`). Programs widen them where
   * they are used. Biases, normalisations and small weights stay float32. There is no way back but to load the model again.
   *
   * The model predicts; layers whose weights are compressed cannot be trained. `loadModel` with `weightDtype` does the same
   * while weights arrive, so that the float32 weights are never in memory together.
   *
   * ```ts
   * import { Dense, input, Model } from 'hornet';
   *
   * const x = input({ shape: [64] });
   * const model = new Model({ inputs: x, outputs: new Dense({ units: 32 }).apply(x) });
   * const { bytes, float32Bytes, outputDifference } = await model.compressWeights('int8', { verify: true });
   *
   * expect(bytes).toBeLessThan(float32Bytes / 3);
   * expect(outputDifference).toBeLessThan(0.05);
   * ```
   *
   * @throws {RangeError} for another dtype, or when weights are kept as another one already.
   */
  async compressWeights(dtype: WeightDtype, options: CompressOptions = {}): Promise<WeightCompression> {
    const { compressWeights } = await import('../io/compress-weights.ts');
    this.weightCompression = await compressWeights(this, dtype, options);
    return this.weightCompression;
  }

  /** Keras' table of the layers, their shapes and numbers of weights. */
  summary(options: SummaryOptions = {}): string {
    return formatSummary(this, options);
  }

  /** Forgets the programs of `predict`, which hold weights as they were. */
  forgetPredictions(): void {
    this.#predictor = undefined;
  }

  /** Forgets compiled programs, after layers have changed. */
  protected forgetPrograms(): void {
    this.#predictor = undefined;
    this.#trainer = undefined;
  }

  /**
   * Gives every weight its path below this model, which it has until another model that it is part of names it. What
   * goes by paths, such as files, states of trainings and patterns of optimizers, calls this first.
   */
  nameWeights(): void {
    for (const layer of this.layers) nameWeightsBelow(layer, '');
  }
}

function nameWeightsBelow(layer: Layer, prefix: string): void {
  const path = `${prefix}${layer.name}/`;
  for (const variable of layer.ownWeights) variable.path = path + variable.name;
  for (const child of layer.children) nameWeightsBelow(child, path);
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

/** As `layer.trace`, in steps where the layer is a model. */
export function* traceSteps(
  layer: Layer,
  inputs: readonly MaskedTensor[],
  options: TraceOptions,
): Generator<void, readonly MaskedTensor[]> {
  // What somebody has put in the place of a model's `trace`, as profiles do, is not gone around.
  const isModel = layer instanceof KerasModel && !Object.hasOwn(layer, 'trace');
  return isModel ? yield* layer.traceSteps(inputs, options) : layer.trace(inputs, options);
}
