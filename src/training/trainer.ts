/** The loops: programs of steps, run over batches. */
import { freshSeed, PhiloxStream } from '../array/philox.ts';
import { formatShape } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import type { Backend, Program } from '../compiler/backend.ts';
import type { Variable } from '../graph/variable.ts';
import type { Layer } from '../layers/layer.ts';
import { defaultBackend } from '../model/default-backend.ts';
import { weightsToTrain } from '../model/frozen-layers.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { PredictInputs } from '../model/read-inputs.ts';
import type { Callback, Logs } from './callbacks/callback.ts';
import { History } from './callbacks/history.ts';
import { ProgbarLogger } from './callbacks/progbar-logger.ts';
import { CompiledModel, type ModelCompileOptions } from './compiled-model.ts';
import { arraySource, type DataSource, type Dataset, datasetSource, isDataset } from './data-source.ts';
import type { BatchOptions, EvaluateOptions, FitOptions } from './fit-options.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import { resolveOptimizer } from './optimizers/resolve-optimizer.ts';
import { pauseFor } from './pause.ts';
import { type BatchLike, readSamples, type Samples, sliceSamples, type TargetValues } from './samples.ts';
import { buildStep, type StepMode, tensorsOf } from './training-step.ts';

interface CompiledStep {
  readonly program: Program;
  readonly logs: readonly string[];
}

const DEFAULT_BATCH_SIZE = 32;

/** Trains and evaluates one model, as one call of `compile` has it; keeps a program for each set of shapes. */
export class Trainer {
  readonly #model: KerasModel;
  /** What `compile` was given. */
  readonly options: ModelCompileOptions;
  readonly optimizer: Optimizer;
  readonly #frozen: ReadonlySet<Layer>;
  readonly #steps = new Map<string, Promise<CompiledStep>>();
  readonly #pause = pauseFor(16);
  #compiled: CompiledModel | undefined;

  /** @throws {RangeError} when the optimizer's name means nothing. */
  constructor(model: KerasModel, options: ModelCompileOptions, frozen: ReadonlySet<Layer>) {
    this.#model = model;
    this.options = options;
    this.#frozen = frozen;
    const { optimizer = 'rmsprop' } = options;
    const resolved = resolveOptimizer(optimizer);
    if (resolved === undefined) {
      throw new RangeError(`Cannot compile the model: found no optimizer named "${String(optimizer)}"`);
    }
    this.optimizer = resolved;
    model.optimizer = resolved;
  }

  /** The weights that are trained, in Keras' order. */
  get trainable(): readonly Variable[] {
    return weightsToTrain(this.#model as unknown as Layer, this.#frozen);
  }

  async fit(
    x: PredictInputs | Dataset,
    y: TargetValues | FitOptions | undefined,
    given: FitOptions | undefined,
  ): Promise<History> {
    const options = isDataset(x) ? ((y as FitOptions | undefined) ?? {}) : (given ?? {});
    const { epochs = 1, initialEpoch = 0, validationFreq = 1, signal, backend, callbacks = [], verbose = 0 } = options;
    const { training, validation } = this.#sources(x, y, options);
    const history = new History();
    const progress = verbose === 0 ? [] : [new ProgbarLogger()];
    const hooks = [...callbacks, ...progress, history];
    this.#compiledModel().warnOfChanges(warn);
    this.#begin(hooks, { epochs, steps: training.steps, verbose });
    this.#model.stopTraining = false;
    await callAll(hooks, (hook) => hook.onTrainBegin());
    let logs: Logs = {};
    for (let epoch = initialEpoch; epoch < epochs && !this.#model.stopTraining; epoch++) {
      this.resetMetrics();
      await callAll(hooks, (hook) => hook.onEpochBegin(epoch));
      logs = await this.#trainEpoch(training, hooks, options);
      if (validation !== undefined && (epoch + 1) % validationFreq === 0) {
        const found = await this.#measure(validation, hooks, { signal, backend, steps: options.validationSteps });
        logs = { ...logs, ...prefixed(found) };
      }
      // Callbacks add to it.
      const complete = { ...logs };
      await callAll(hooks, (hook) => hook.onEpochEnd(epoch, complete));
      logs = complete;
    }
    await callAll(hooks, (hook) => hook.onTrainEnd(logs));
    return history;
  }

  async evaluate(
    x: PredictInputs | Dataset,
    y: TargetValues | EvaluateOptions | undefined,
    given: EvaluateOptions | undefined,
  ): Promise<Logs> {
    const options = isDataset(x) ? ((y as EvaluateOptions | undefined) ?? {}) : (given ?? {});
    const { batchSize = DEFAULT_BATCH_SIZE, sampleWeight, callbacks = [], steps } = options;
    const source = isDataset(x)
      ? datasetSource(this.#model, x, 'evaluate', { steps })
      : arraySource(this.#read({ x, y: y as TargetValues, sampleWeight }, 'evaluate'), {
          batchSize: checkedBatchSize(batchSize),
        });
    this.#begin(callbacks, { epochs: 1, steps: source.steps, verbose: 0 });
    return await this.#measure(source, callbacks, options);
  }

  async trainOnBatch(x: PredictInputs, y: TargetValues | undefined, options: BatchOptions): Promise<Logs> {
    const { sampleWeight, classWeight, backend } = options;
    const samples = this.#read({ x, y, sampleWeight }, 'trainOnBatch', classWeight);
    this.#compiledModel().warnOfChanges(warn);
    return await this.#run('train', samples, backend);
  }

  async testOnBatch(x: PredictInputs, y: TargetValues | undefined, options: BatchOptions): Promise<Logs> {
    const { sampleWeight, classWeight, backend } = options;
    return await this.#run('test', this.#read({ x, y, sampleWeight }, 'testOnBatch', classWeight), backend);
  }

  resetMetrics(): void {
    this.#compiled?.resetMetrics();
  }

  #read(batch: BatchLike, action: string, classWeight?: BatchOptions['classWeight']): Samples {
    return readSamples(this.#model, batch, action, classWeight);
  }

  /** Where the batches of training and of validation come from. */
  #sources(
    x: PredictInputs | Dataset,
    y: TargetValues | FitOptions | undefined,
    options: FitOptions,
  ): { training: DataSource; validation: DataSource | undefined } {
    const { batchSize = DEFAULT_BATCH_SIZE, shuffle = true, seed, validationSplit = 0, stepsPerEpoch } = options;
    const { classWeight, sampleWeight, validationData } = options;
    if (isDataset(x)) {
      if (validationSplit > 0) throw new RangeError('Cannot fit: validationSplit needs arrays, found a dataset');
      const training = datasetSource(this.#model, x, 'fit', { steps: stepsPerEpoch, classWeight });
      return { training, validation: this.#validationSource(validationData, options) };
    }
    const samples = this.#read({ x, y: y as TargetValues, sampleWeight }, 'fit', classWeight);
    const stream = shuffle ? new PhiloxStream(seed ?? freshSeed()) : undefined;
    const source = { batchSize: checkedBatchSize(batchSize), stream };
    if (validationSplit === 0 || validationData !== undefined) {
      const training = limited(arraySource(samples, source), stepsPerEpoch);
      return { training, validation: this.#validationSource(validationData, options) };
    }
    const split = Math.floor(samples.rows * (1 - validationSplit));
    if (!(split > 0 && split < samples.rows)) {
      throw new RangeError(
        `Cannot fit: validationSplit ${validationSplit} of ${samples.rows} samples leaves ${split} to train on, ` +
          'expected some on both sides',
      );
    }
    const held = sliceSamples(samples, split, samples.rows);
    return {
      training: limited(arraySource(sliceSamples(samples, 0, split), source), stepsPerEpoch),
      validation: arraySource(held, { batchSize: checkedBatchSize(options.validationBatchSize ?? batchSize) }),
    };
  }

  #validationSource(data: BatchLike | Dataset | undefined, options: FitOptions): DataSource | undefined {
    if (data === undefined) return undefined;
    const { batchSize = DEFAULT_BATCH_SIZE, validationBatchSize = batchSize, validationSteps } = options;
    if (isDataset(data)) return datasetSource(this.#model, data, 'validate', { steps: validationSteps });
    return arraySource(this.#read(data, 'validate'), { batchSize: checkedBatchSize(validationBatchSize) });
  }

  #begin(hooks: readonly Callback[], params: Parameters<Callback['setParams']>[0]): void {
    for (const hook of hooks) {
      hook.setModel(this.#model);
      hook.setParams(params);
    }
  }

  async #trainEpoch(source: DataSource, hooks: readonly Callback[], options: FitOptions): Promise<Logs> {
    let logs: Logs = {};
    let batch = 0;
    for await (const samples of source.epoch()) {
      options.signal?.throwIfAborted();
      await callAll(hooks, (hook) => hook.onTrainBatchBegin(batch));
      logs = await this.#run('train', samples, options.backend);
      await callAll(hooks, (hook) => hook.onTrainBatchEnd(batch, logs));
      batch++;
      if (this.#model.stopTraining) break;
      await this.#pause();
    }
    if (batch === 0) throw new RangeError('Cannot fit: found no batches, expected at least one in each epoch');
    return logs;
  }

  async #measure(
    source: DataSource,
    hooks: readonly Callback[],
    { signal, backend, steps }: Pick<EvaluateOptions, 'signal' | 'backend' | 'steps'> | MeasureOptions,
  ): Promise<Logs> {
    this.resetMetrics();
    await callAll(hooks, (hook) => hook.onTestBegin());
    let logs: Logs = {};
    let batch = 0;
    for await (const samples of limited(source, steps).epoch()) {
      signal?.throwIfAborted();
      await callAll(hooks, (hook) => hook.onTestBatchBegin(batch));
      logs = await this.#run('test', samples, backend);
      await callAll(hooks, (hook) => hook.onTestBatchEnd(batch, logs));
      batch++;
      await this.#pause();
    }
    if (batch === 0) throw new RangeError('Cannot evaluate: found no batches, expected at least one');
    await callAll(hooks, (hook) => hook.onTestEnd(logs));
    return logs;
  }

  async #run(mode: StepMode, samples: Samples, given: Backend | undefined): Promise<Logs> {
    const backend = given ?? (await defaultBackend());
    const { program, logs } = await this.#step(mode, samples, backend);
    const results = await program.run(tensorsOf(samples));
    return Object.fromEntries(logs.map((name, index) => [name, logOf(results[index] as Tensor)]));
  }

  #step(mode: StepMode, samples: Samples, backend: Backend): Promise<CompiledStep> {
    const keyOf = (value: Tensor | undefined): string =>
      value === undefined ? '-' : value.dtype + formatShape(value.shape);
    const parts = [samples.x, samples.y, samples.weights].map((values) => values.map(keyOf).join(' '));
    const key = [backend.name, mode, ...parts].join(' | ');
    let step = this.#steps.get(key);
    if (step === undefined) {
      step = this.#compileStep(mode, samples, backend);
      this.#steps.set(key, step);
    }
    return step;
  }

  async #compileStep(mode: StepMode, samples: Samples, backend: Backend): Promise<CompiledStep> {
    const { graph, updates, logs } = buildStep(this.#model, this.#compiledModel(), samples, mode);
    return { program: await backend.compile(graph, { updates }), logs };
  }

  /** The options made definite; that needs the model's shapes. */
  #compiledModel(): CompiledModel {
    this.#compiled ??= new CompiledModel(this.#model, this.optimizer, this.options, this.#frozen);
    return this.#compiled;
  }
}

interface MeasureOptions {
  readonly signal: AbortSignal | undefined;
  readonly backend: Backend | undefined;
  readonly steps: number | undefined;
}

async function callAll(hooks: readonly Callback[], call: (hook: Callback) => void | Promise<void>): Promise<void> {
  for (const hook of hooks) await call(hook);
}

function prefixed(logs: Logs): Logs {
  return Object.fromEntries(Object.entries(logs).map(([name, value]) => [`val_${name}`, value]));
}

function logOf({ shape, data }: Tensor): number | readonly number[] {
  return shape.length === 0 ? Number(data[0]) : Array.from(data as ArrayLike<number>);
}

function checkedBatchSize(batchSize: number): number {
  if (Number.isSafeInteger(batchSize) && batchSize > 0) return batchSize;
  throw new RangeError(`Cannot train: batchSize is ${batchSize}, expected an integer above 0`);
}

/** No more than so many batches in each epoch. */
function limited(source: DataSource, steps: number | undefined): DataSource {
  if (steps === undefined || (source.steps !== undefined && source.steps <= steps)) return source;
  return {
    steps,
    async *epoch() {
      let done = 0;
      for await (const samples of source.epoch()) {
        yield samples;
        if (++done === steps) return;
      }
    },
  };
}

function warn(message: string): void {
  console.warn(message);
}
