/** The loops: programs of steps, run over batches. */
import { formatShape } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import type { Backend, Program } from '../compiler/backend.ts';
import type { Variable } from '../graph/variable.ts';
import type { Layer } from '../layers/layer.ts';
import { defaultBackend } from '../model/default-backend.ts';
import { weightsToTrain } from '../model/frozen-layers.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { ProgramCache } from '../model/program-cache.ts';
import type { PredictInputs } from '../model/read-inputs.ts';
import { pauseFor } from '../pause.ts';
import type { Callback, Logs } from './callbacks/callback.ts';
import { History } from './callbacks/history.ts';
import { ProgbarLogger } from './callbacks/progbar-logger.ts';
import { CompiledModel, type ModelCompileOptions } from './compiled-model.ts';
import { type DataSource, type Dataset, isDataset } from './data-source.ts';
import type { BatchOptions, EvaluateOptions, FitOptions } from './fit-options.ts';
import { FitRun } from './fit-run.ts';
import { evaluationSource, type FitSources, fitSources, limited } from './fit-sources.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import { resolveOptimizer } from './optimizers/resolve-optimizer.ts';

import { type BatchLike, readSamples, type Samples, type TargetValues } from './samples.ts';
import { assignCells, misfits, stateCells } from './state-variables.ts';
import { takeAverages } from './take-averages.ts';
import { type TrainingState, TrainingStateError } from './training-state.ts';
import { buildStep, type StepMode, tensorsOf } from './training-step.ts';

interface CompiledStep {
  readonly program: Program;
  readonly logs: readonly string[];
}

/** Trains and evaluates one model, as one call of `compile` has it; keeps a program for each set of shapes. */
export class Trainer {
  readonly #model: KerasModel;
  /** What `compile` was given. */
  readonly options: ModelCompileOptions;
  readonly optimizer: Optimizer;
  readonly #frozen: ReadonlySet<Layer>;
  #steps = new ProgramCache<CompiledStep>();
  readonly #pause = pauseFor(16);
  #compiled: CompiledModel | undefined;
  /** The last call of `fit`. */
  #run: FitRun | undefined;
  /** What the run that is about to begin goes on from; `null` while none is. */
  #resumed: TrainingState | undefined | null = null;
  /** The step that is being computed, with all that it changes. */
  #underWay: Promise<Logs> | undefined;

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
    const { epochs = 1, initialEpoch = 0, callbacks = [], verbose = 0 } = options;
    const sources = fitSources(this.#model, x, y as TargetValues, options);
    const history = callbacks.find((hook) => hook instanceof History) ?? new History();
    const hasProgress = verbose === 0 || callbacks.some((hook) => hook instanceof ProgbarLogger);
    const own = [history, ...(hasProgress ? [] : [new ProgbarLogger()])];
    const hooks = [...callbacks, ...own.filter((hook) => !callbacks.includes(hook))];
    this.#compiledModel().warnOfChanges(warn);
    if (options.resume !== undefined) this.#check(options.resume);
    this.#begin(hooks, { epochs, steps: sources.training.steps, verbose });
    this.#model.stopTraining = false;
    const run = new FitRun(hooks, initialEpoch);
    this.#run = run;
    const resumed = await this.#beginTraining(run, options.resume);
    let batches = resumed && (await this.#resume(run, resumed, sources, options));
    while (run.epoch < epochs && (!this.#model.stopTraining || batches !== undefined || run.untold !== undefined)) {
      if (run.untold !== 'epoch') {
        batches ??= await this.#beginEpoch(run, sources);
        await this.#trainEpoch(run, batches, options);
        await this.#validate(run, sources, hooks, options);
        run.markSources(sources.training.mark(), sources.validation?.mark() ?? null);
      }
      this.#model.trainingLogs = run.logs;
      await run.tellEpochEnd();
      batches = undefined;
    }
    takeAverages(this.optimizer, this.#compiledModel().trainable);
    await run.call((hook) => hook.onTrainEnd(run.logs));
    return history;
  }

  async evaluate(
    x: PredictInputs | Dataset,
    y: TargetValues | EvaluateOptions | undefined,
    given: EvaluateOptions | undefined,
  ): Promise<Logs> {
    const options = isDataset(x) ? ((y as EvaluateOptions | undefined) ?? {}) : (given ?? {});
    const { callbacks = [] } = options;
    const source = evaluationSource(this.#model, x, y as TargetValues, options);
    this.#begin(callbacks, { epochs: 1, steps: source.steps, verbose: 0 });
    return await this.#measure(source, callbacks, options);
  }

  /** Everything that decides how the training goes on, as it is between two steps. */
  async state(): Promise<TrainingState> {
    while (this.#underWay !== undefined) await this.#underWay.catch(() => undefined);
    const compiled = this.#compiledModel();
    const run = this.#run;
    const position = run?.position(this.#model.stopTraining) ?? null;
    // An epoch begins with new measurements.
    const cells = [...stateCells(compiled), ...(position?.step === 0 ? [] : compiled.metricCells)];
    return {
      tensors: new Map(cells.map(([name, { value }]) => [name, value])),
      position,
      callbacks: run === undefined || position === null ? {} : run.callbackStates(),
    };
  }

  /**
   * Takes the weights, slots and counters of a state; a run that is about to begin goes on from it.
   *
   * @throws {TrainingStateError} when it does not fit; nothing was changed then.
   */
  setState(state: TrainingState): void {
    this.#check(state);
    if (this.#resumed === null) this.#assign(state);
    else this.#resumed = state;
  }

  async trainOnBatch(x: PredictInputs, y: TargetValues | undefined, options: BatchOptions): Promise<Logs> {
    const { sampleWeight, classWeight, backend } = options;
    const samples = this.#read({ x, y, sampleWeight }, 'trainOnBatch', classWeight);
    this.#compiledModel().warnOfChanges(warn);
    return await this.#advance(samples, backend);
  }

  async testOnBatch(x: PredictInputs, y: TargetValues | undefined, options: BatchOptions): Promise<Logs> {
    const { sampleWeight, classWeight, backend } = options;
    return await this.#compute('test', this.#read({ x, y, sampleWeight }, 'testOnBatch', classWeight), backend);
  }

  resetMetrics(): void {
    this.#compiled?.resetMetrics();
  }

  #read(batch: BatchLike, action: string, classWeight?: BatchOptions['classWeight']): Samples {
    return readSamples(this.#model, batch, action, classWeight);
  }

  /** Callbacks may ask for a state to go on from; it outranks the one that `fit` was given. */
  async #beginTraining(run: FitRun, given: TrainingState | undefined): Promise<TrainingState | undefined> {
    this.#resumed = given;
    try {
      await run.call((hook) => hook.onTrainBegin());
      return this.#resumed;
    } finally {
      this.#resumed = null;
    }
  }

  /** Goes to where a state was taken; gives the rest of its epoch when that was in the middle of one. */
  async #resume(
    run: FitRun,
    state: TrainingState,
    { training, validation }: FitSources,
    { backend }: FitOptions,
  ): Promise<AsyncIterator<Samples> | undefined> {
    const { position } = state;
    let batches: AsyncIterator<Samples> | undefined;
    if (position !== null) {
      const isInEpoch = position.step > 0 && position.telling?.of !== 'epoch';
      const misfit = isInEpoch ? training.misfit(position.training) : undefined;
      if (misfit !== undefined) throw new TrainingStateError([misfit]);
      training.goTo(position.training);
      if (position.validation !== null) validation?.goTo(position.validation);
      if (isInEpoch) {
        batches = asyncIterator(training.epoch(position.step));
        const first = await batches.next();
        // Metrics learn from a batch what state they have.
        if (!first.done) await this.#step('train', first.value, backend ?? (await defaultBackend()));
        batches = startingWith(first, batches);
      }
      this.#check(state);
      run.goTo(position);
      if (isInEpoch) await run.call((hook) => hook.onEpochBegin(position.epoch));
    }
    const unknown = run.restoreCallbacks(state.callbacks);
    this.#assign(state);
    if (unknown.length > 0) warn(`The training goes on without the callbacks ${unknown.join(', ')} that it had before`);
    this.#model.stopTraining = position?.stopTraining ?? false;
    return batches;
  }

  /** @throws {TrainingStateError} unless a state fits. */
  #check({ tensors }: TrainingState): void {
    const compiled = this.#compiledModel();
    const { measured, others } = bySide(tensors);
    const problems = misfits(stateCells(compiled, others), others);
    if (compiled.hasMeasured && measured.size > 0) problems.push(...misfits(compiled.metricCells, measured));
    if (problems.length > 0) throw new TrainingStateError(problems);
  }

  #assign({ tensors }: TrainingState): void {
    const compiled = this.#compiledModel();
    const { measured, others } = bySide(tensors);
    const startsBefore = compiled.starts;
    assignCells(stateCells(compiled, others), others);
    this.resetMetrics();
    if (measured.size > 0) compiled.restoreMetrics(measured);
    // Programs have these numbers as constants.
    if (compiled.starts.some((start, index) => start !== startsBefore[index])) this.#steps = new ProgramCache();
  }

  #begin(hooks: readonly Callback[], params: Parameters<Callback['setParams']>[0]): void {
    for (const hook of hooks) {
      hook.setModel(this.#model);
      hook.setParams(params);
    }
  }

  async #beginEpoch(run: FitRun, { training, validation }: FitSources): Promise<AsyncIterator<Samples>> {
    this.resetMetrics();
    run.markSources(training.mark(), validation?.mark() ?? null);
    await run.call((hook) => hook.onEpochBegin(run.epoch));
    return asyncIterator(training.epoch());
  }

  async #trainEpoch(run: FitRun, batches: AsyncIterator<Samples>, options: FitOptions): Promise<void> {
    if (run.untold === 'batch') await run.tellBatchEnd();
    try {
      while (run.step === 0 || !this.#model.stopTraining) {
        const next = await batches.next();
        if (next.done) break;
        options.signal?.throwIfAborted();
        await run.call((hook) => hook.onTrainBatchBegin(run.step));
        await this.#advance(next.value, options.backend, (logs) => run.finishBatch(logs));
        await run.tellBatchEnd();
        await this.#pause();
      }
    } finally {
      await batches.return?.();
    }
    if (run.step === 0) throw new RangeError('Cannot fit: found no batches, expected at least one in each epoch');
  }

  async #validate(
    run: FitRun,
    { validation }: FitSources,
    hooks: readonly Callback[],
    { validationFreq = 1, validationSteps, signal, backend }: FitOptions,
  ): Promise<void> {
    if (validation === undefined || (run.epoch + 1) % validationFreq !== 0) return;
    const found = await this.#measure(validation, hooks, { signal, backend, steps: validationSteps });
    run.logs = { ...run.logs, ...prefixed(found) };
  }

  async #measure(
    source: DataSource,
    hooks: readonly Callback[],
    { signal, backend, steps }: Pick<EvaluateOptions, 'signal' | 'backend' | 'steps'> | MeasureOptions,
  ): Promise<Logs> {
    this.resetMetrics();
    this.#model.stopEvaluating = false;
    await callAll(hooks, (hook) => hook.onTestBegin());
    let logs: Logs = {};
    let batch = 0;
    for await (const samples of limited(source, steps).epoch()) {
      signal?.throwIfAborted();
      await callAll(hooks, (hook) => hook.onTestBatchBegin(batch));
      logs = await this.#compute('test', samples, backend);
      await callAll(hooks, (hook) => hook.onTestBatchEnd(batch, logs));
      batch++;
      if (this.#model.stopEvaluating) break;
      await this.#pause();
    }
    if (batch === 0) throw new RangeError('Cannot evaluate: found no batches, expected at least one');
    await callAll(hooks, (hook) => hook.onTestEnd(logs));
    return logs;
  }

  /** One step of training; `finish` is called together with the last of what it changes. */
  async #advance(
    samples: Samples,
    backend: Backend | undefined,
    finish: (logs: Logs) => void = () => {},
  ): Promise<Logs> {
    const step = this.#compute('train', samples, backend).then((logs) => {
      finish(logs);
      this.#model.trainingLogs = logs;
      return logs;
    });
    this.#underWay = step;
    try {
      return await step;
    } finally {
      if (this.#underWay === step) this.#underWay = undefined;
    }
  }

  async #compute(mode: StepMode, samples: Samples, given: Backend | undefined): Promise<Logs> {
    const backend = given ?? (await defaultBackend());
    const { program, logs } = await this.#step(mode, samples, backend);
    const results = await program.run(tensorsOf(samples));
    return Object.fromEntries(logs.map((name, index) => [name, logOf(results[index] as Tensor)]));
  }

  #step(mode: StepMode, samples: Samples, backend: Backend): Promise<CompiledStep> {
    const keyOf = (value: Tensor | undefined): string =>
      value === undefined ? '-' : value.dtype + formatShape(value.shape);
    const parts = [samples.x, samples.y, samples.weights].map((values) => values.map(keyOf).join(' '));
    const key = [mode, ...parts].join(' | ');
    return this.#steps.get(backend, key, () => this.#compileStep(mode, samples, backend));
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

function asyncIterator<T>(values: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> {
  return (async function* () {
    yield* values;
  })();
}

async function* startingWith<T>(first: IteratorResult<T>, others: AsyncIterator<T>): AsyncGenerator<T> {
  for (let next = first; !next.done; next = await others.next()) yield next.value;
}

/** What metrics have measured, and all else. */
function bySide(tensors: ReadonlyMap<string, Tensor>): { measured: Map<string, Tensor>; others: Map<string, Tensor> } {
  const isMeasured = ([name]: readonly [string, Tensor]): boolean => name.startsWith('metrics/');
  const entries = [...tensors];
  return {
    measured: new Map(entries.filter(isMeasured)),
    others: new Map(entries.filter((entry) => !isMeasured(entry))),
  };
}

function warn(message: string): void {
  console.warn(message);
}
