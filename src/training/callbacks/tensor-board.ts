import { tensor } from '../../array/tensor.ts';
import type { Program } from '../../compiler/backend.ts';
import { UnsupportedError } from '../../errors.ts';
import type { Summary } from '../../formats/tensorboard/event.ts';
import type { EventWriter } from '../../formats/tensorboard/event-writer.ts';
import { input } from '../../graph/apply.ts';
import type { SaveDestination } from '../../io/save.ts';
import { defaultBackend } from '../../model/default-backend.ts';
import { LossScaleOptimizer } from '../optimizers/loss-scale-optimizer.ts';
import { MultiOptimizer } from '../optimizers/multi-optimizer.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { LearningRateSchedule } from '../schedules/schedule.ts';
import { Callback, type CallbackState, type Logs } from './callback.ts';

export interface TensorBoardOptions {
  /** After how many epochs, each time, distributions of the weights are written; 0 for never, the default. */
  readonly histogramFreq?: number;
  /** Whether the layers of the model are written, for the graph dashboard; true by default. */
  readonly writeGraph?: boolean;
  /** Whether speed is written, for each epoch and for batches that are. */
  readonly writeStepsPerSecond?: boolean;
  /** `epoch` by default: no batches are written. Else each batch, or one of so many. */
  readonly updateFreq?: 'epoch' | 'batch' | number;
}

type Side = 'train' | 'validation';

/**
 * Writes event files that TensorBoard shows: losses, metrics and the learning rate, in the folders `train` and
 * `validation` below a folder of a store, or of the disk under Node.
 *
 * Of Keras' options, images of weights, embeddings and profiles are left out.
 */
export class TensorBoard extends Callback {
  readonly #destination: SaveDestination;
  readonly #histogramFreq: number;
  readonly #writesGraph: boolean;
  readonly #writesSpeed: boolean;
  readonly #updateFreq: number | undefined;
  #writers: Readonly<Record<Side, EventWriter>> | undefined;
  readonly #rates = new Map<LearningRateSchedule, Program>();
  #trainBatch = 0;
  #testBatch = 0;
  #hasGraph = false;
  #batchBegan = 0;
  #epochBegan = 0;
  #epochBatch = 0;

  /** @param logDir the folder; `logs` under Node unless given */
  constructor(logDir: SaveDestination = 'logs', options: TensorBoardOptions = {}) {
    super();
    const { histogramFreq = 0, writeGraph = true, writeStepsPerSecond = false, updateFreq = 'epoch' } = options;
    const batches = updateFreq === 'batch' ? 1 : updateFreq;
    if (batches !== 'epoch' && !(Number.isSafeInteger(batches) && batches > 0)) {
      throw new RangeError(
        `Cannot create TensorBoard: updateFreq is ${updateFreq}, expected "epoch", "batch" or a number of batches`,
      );
    }
    this.#destination = logDir;
    this.#histogramFreq = histogramFreq;
    this.#writesGraph = writeGraph;
    this.#writesSpeed = writeStepsPerSecond;
    this.#updateFreq = batches === 'epoch' ? undefined : batches;
  }

  override get stateName(): string {
    return 'TensorBoard';
  }

  override getState(): CallbackState {
    return { values: { trainBatch: this.#trainBatch, testBatch: this.#testBatch, hasGraph: this.#hasGraph } };
  }

  override setState({ values = {} }: CallbackState): void {
    this.#trainBatch = values.trainBatch as number;
    this.#testBatch = values.testBatch as number;
    this.#hasGraph = values.hasGraph as boolean;
  }

  /** @throws {UnsupportedError} when the store cannot write. */
  override async onTrainBegin(): Promise<void> {
    this.#trainBatch = 0;
    await this.#open();
  }

  override async onTrainEnd(): Promise<void> {
    await this.#writers?.train.flush();
    await this.#writers?.validation.flush();
  }

  override onEpochBegin(): void {
    this.#epochBegan = performance.now();
    this.#epochBatch = this.#trainBatch;
  }

  override onTrainBatchBegin(): void {
    this.#trainBatch++;
    this.#batchBegan = performance.now();
  }

  override async onTrainBatchEnd(_batch: number, logs: Logs): Promise<void> {
    if (this.#writesGraph && !this.#hasGraph) await this.#addGraph();
    if (this.#updateFreq === undefined || this.#trainBatch % this.#updateFreq !== 0) return;
    if (this.#writesSpeed) {
      const value = 1000 / (performance.now() - this.#batchBegan);
      this.#add('train', this.#trainBatch, { kind: 'scalar', tag: 'batch_steps_per_second', value });
    }
    this.#addLogs('train', this.#trainBatch, logs, (name) => `batch_${name}`);
    await this.#writers?.train.flushDue();
  }

  override async onTestBegin(): Promise<void> {
    await this.#open();
  }

  override onTestBatchBegin(): void {
    this.#testBatch++;
  }

  override async onTestEnd(logs: Logs): Promise<void> {
    const step = Number(this.model.optimizer?.iterations.value.data[0] ?? 0);
    const isDue = this.#updateFreq === undefined || this.#testBatch % this.#updateFreq === 0;
    if (isDue) this.#addLogs('validation', step, logs, (name) => `evaluation_${name}_vs_iterations`);
    await this.#writers?.validation.flushDue();
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const isValidation = (name: string): boolean => name.startsWith('val_');
    const part = (keep: (name: string) => boolean): Logs =>
      Object.fromEntries(Object.entries(logs).filter(([name]) => keep(name)));
    const trained = { ...part((name) => !isValidation(name)), ...(await this.#learningRates()) };
    if (this.#writesSpeed) {
      const seconds = (performance.now() - this.#epochBegan) / 1000;
      trained.steps_per_second = (this.#trainBatch - this.#epochBatch) / seconds;
    }
    this.#addLogs('train', epoch, trained, (name) => `epoch_${name}`);
    this.#addLogs('validation', epoch, part(isValidation), (name) => `epoch_${name.slice('val_'.length)}`);
    if (this.#histogramFreq > 0 && epoch % this.#histogramFreq === 0) this.#addWeights(epoch);
    await this.#writers?.train.flushDue();
    await this.#writers?.validation.flushDue();
  }

  async #open(): Promise<void> {
    if (this.#writers !== undefined) return;
    const [{ placeOf }, { EventWriter }] = await Promise.all([
      import('../../io/places.ts'),
      import('../../formats/tensorboard/event-writer.ts'),
    ]);
    const { store, key } = await placeOf(this.#destination);
    const write = store.write?.bind(store);
    if (write === undefined) {
      throw new UnsupportedError(
        `Cannot write events to "${key}": ${store.name} cannot write`,
        `writing to ${store.name}`,
      );
    }
    const folder = key.replace(/\/$/, '');
    const below = (side: Side): EventWriter => new EventWriter(folder === '' ? side : `${folder}/${side}`, write);
    this.#writers = { train: below('train'), validation: below('validation') };
  }

  #add(side: Side, step: number, summary: Summary): void {
    this.#writers?.[side].add(step, summary);
  }

  /** Metrics with a value for each class are written one by one. */
  #addLogs(side: Side, step: number, logs: Logs, tagOf: (name: string) => string): void {
    for (const [name, log] of Object.entries(logs)) {
      const values =
        typeof log === 'number'
          ? [[tagOf(name), log] as const]
          : log.map((value, index) => [`${tagOf(name)}_${index}`, value] as const);
      for (const [tag, value] of values) this.#add(side, step, { kind: 'scalar', tag, value });
    }
  }

  #addWeights(epoch: number): void {
    for (const { path, value } of this.model.layers.flatMap((layer) => layer.weights)) {
      const values = value.data as ArrayLike<number>;
      this.#add('train', epoch, { kind: 'histogram', tag: `${path}/histogram`, values });
    }
  }

  async #addGraph(): Promise<void> {
    this.#hasGraph = true;
    const { modelJsonIfAny } = await import('../../io/model-json.ts');
    const json = await modelJsonIfAny(this.model);
    if (json !== undefined) this.#add('train', 0, { kind: 'model', tag: 'keras', json });
  }

  async #learningRates(): Promise<Record<string, number>> {
    const { optimizer } = this.model;
    const inner = optimizer instanceof LossScaleOptimizer ? optimizer.innerOptimizer : optimizer;
    if (inner === undefined) return {};
    if (!(inner instanceof MultiOptimizer)) return { learning_rate: await this.#learningRateOf(inner) };
    const rates: Record<string, number> = {};
    for (const each of inner.optimizers) rates[`learning_rate_${each.name}`] = await this.#learningRateOf(each);
    return rates;
  }

  async #learningRateOf({ learningRate, iterations }: Optimizer): Promise<number> {
    if (typeof learningRate === 'number') return learningRate;
    let program = this.#rates.get(learningRate);
    if (program === undefined) {
      const step = input('step', { shape: [], dtype: 'int32' });
      program = await (await defaultBackend()).compile({ inputs: [step], outputs: [learningRate.call(step)] });
      this.#rates.set(learningRate, program);
    }
    const [rate] = await program.run([tensor(Number(iterations.value.data[0]), [], 'int32')]);
    return Number(rate?.data[0]);
  }
}
