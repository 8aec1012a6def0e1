/** What `compile` decides: the optimizer, the losses, the metrics, and which weights are trained. */
import type { Tensor } from '../array/tensor.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { Variable } from '../graph/variable.ts';
import type { Layer } from '../layers/layer.ts';
import { frozenLayers, weightsToTrain } from '../model/frozen-layers.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { mean } from '../ops/reduce.ts';
import { CompiledMetrics, type MetricsOption } from './compiled-metrics.ts';
import { type LearningRateMultipliers, learningRateMultipliers } from './learning-rate-multipliers.ts';
import { Loss, type LossFunction } from './losses/loss.ts';
import { resolveLoss } from './losses/resolve-loss.ts';
import { MeanTracker } from './mean-tracker.ts';
import type { Assignment, Optimizer } from './optimizers/optimizer.ts';
import { type PerOutput, perOutput } from './per-output.ts';
import { RandomState } from './random-state.ts';
import { outputNames } from './samples.ts';
import { assignCells, misfits, type NamedCells, NameTable } from './state-variables.ts';
import { TrainingStateError } from './training-state.ts';
import { type WeightOptions, weightOptions } from './weight-options.ts';

/** A loss: by Keras' name, as an object, or as a function written with `ops`. */
export type LossLike = Loss | LossFunction | string;

/** What `compile` takes, as in Keras. */
export interface ModelCompileOptions {
  /** `rmsprop` by default. */
  readonly optimizer?: Optimizer | string;
  /** One for all outputs, a list with one for each, or a record by output name; `null` for an output without. */
  readonly loss?: PerOutput<LossLike> | null;
  /** Factors of the losses of several outputs. */
  readonly lossWeights?: PerOutput<number> | null;
  /** What is measured besides the loss. */
  readonly metrics?: MetricsOption | null;
  /** What is measured with the weights of samples and classes. */
  readonly weightedMetrics?: MetricsOption | null;
  /**
   * Factors on the learning rate of some layers or weights, such as `{ base: 0.1 }`; 1 for all others. Weight decay,
   * which goes with the learning rate, has them too.
   */
  readonly learningRateMultipliers?: LearningRateMultipliers;
  /** Makes dropout and noise reproducible; by default they differ from run to run. */
  readonly seed?: number;
}

/** One output of the model in a step. */
export interface OutputPart {
  readonly yPred: SymbolicTensor;
  readonly mask: SymbolicTensor | undefined;
  readonly yTrue: SymbolicTensor | undefined;
  readonly sampleWeight: SymbolicTensor | undefined;
}

/** The loss of one output in a step. */
export interface OutputLoss {
  readonly output: number;
  readonly value: SymbolicTensor;
  readonly weight: number | undefined;
}

/** What a step measures. */
export interface Tracked {
  readonly names: readonly string[];
  /** What is logged under these names, as it is after the assignments when those are put in. */
  readonly results: readonly SymbolicTensor[];
  readonly assignments: readonly Assignment[];
}

/** A model as it was when it was compiled. What changes in its layers later does not change it. */
export class CompiledModel {
  readonly model: KerasModel;
  readonly optimizer: Optimizer;
  /** The weights that are trained, in Keras' order. */
  readonly trainable: readonly Variable[];
  readonly frozen: ReadonlySet<Layer>;
  readonly options: ReadonlyMap<Variable, WeightOptions>;
  readonly learningRateMultipliers: ReadonlyMap<Variable, number>;
  readonly random: RandomState;
  readonly #losses: readonly (LossLike | undefined)[];
  readonly #lossWeights: readonly (number | undefined)[];
  readonly #lossTracker = new MeanTracker('loss');
  readonly #outputTrackers: readonly (MeanTracker | undefined)[];
  readonly #metrics: CompiledMetrics;
  #hasWarned = false;
  #hasMeasured = false;
  /** What metrics are to take once they have state. */
  #unmeasured: ReadonlyMap<string, Tensor> | undefined;

  /**
   * @param frozen the layers that are left alone, as they were when `compile` was called
   * @throws {RangeError} when a name means nothing, or options do not fit the outputs.
   */
  constructor(model: KerasModel, optimizer: Optimizer, options: ModelCompileOptions, frozen: ReadonlySet<Layer>) {
    const { loss, lossWeights } = options;
    this.model = model;
    this.optimizer = optimizer;
    this.trainable = weightsToTrain(model as unknown as Layer, frozen);
    this.frozen = frozen;
    model.nameWeights();
    optimizer.claim(this.trainable);
    this.random = new RandomState(options.seed);
    this.options = weightOptions(model);
    this.learningRateMultipliers = learningRateMultipliers(
      model as unknown as Layer,
      options.learningRateMultipliers ?? {},
    );
    const names = outputNames(model);
    this.#losses = perOutput(loss, names, isLoss, 'loss');
    for (const each of this.#losses) checkLoss(each);
    this.#lossWeights = perOutput(lossWeights, names, (value) => typeof value === 'number', 'lossWeights');
    this.#metrics = new CompiledMetrics(names, options);
    const hasSeveral = this.#losses.filter((each) => each !== undefined).length > 1;
    this.#outputTrackers = this.#losses.map((each, index) =>
      hasSeveral && each !== undefined ? new MeanTracker(`${names[index]}_loss`) : undefined,
    );
  }

  /** The losses of those outputs that have one. */
  lossesOf(parts: readonly OutputPart[]): OutputLoss[] {
    return parts.flatMap(({ yPred, mask, yTrue, sampleWeight }, output) => {
      const given = this.#losses[output];
      if (given === undefined || yTrue === undefined) return [];
      const loss = resolveLoss(given, { yTrue: yTrue.shape, yPred: yPred.shape });
      if (loss === undefined) throw unknownLoss(given);
      return [{ output, value: loss.compute(yTrue, yPred, { sampleWeight, mask }), weight: this.#lossWeights[output] }];
    });
  }

  /** What a step measures, with the names under which it is logged. */
  track(total: SymbolicTensor, losses: readonly OutputLoss[], parts: readonly OutputPart[], rows: number): Tracked {
    const names = ['loss'];
    const results = [this.#lossTracker.result()];
    const assignments = [...this.#lossTracker.update(total, rows)];
    for (const { output, value } of losses) {
      const tracker = this.#outputTrackers[output];
      if (tracker === undefined) continue;
      names.push(tracker.name);
      results.push(tracker.result());
      assignments.push(...tracker.update(mean(value), rows));
    }
    assignments.push(...this.#metrics.update(parts));
    this.#hasMeasured = true;
    this.#takeUnmeasured();
    for (const { name, metric } of this.#metrics.metrics) {
      names.push(name);
      results.push(metric.result());
    }
    return { names, results, assignments };
  }

  /** The state of all that is measured, by the names of logs. Metrics have some once they have seen a batch. */
  get metricCells(): NamedCells {
    const named = new NameTable();
    for (const tracker of [this.#lossTracker, ...this.#outputTrackers]) {
      for (const part of tracker === undefined ? [] : [tracker.total, tracker.count]) {
        named.add('metrics', part.path, part);
      }
    }
    for (const { name, metric } of this.#metrics.metrics) {
      for (const variable of metric.variables) named.add('metrics', `${name}/${variable.name}`, variable);
    }
    return named.cells;
  }

  /** For each weight that is trained, the number of steps after which its state began. */
  get starts(): readonly number[] {
    return this.trainable.map((weight) => this.optimizer.startOf(weight));
  }

  /** Takes what was measured; metrics that have no state yet take it with the next batch. */
  restoreMetrics(tensors: ReadonlyMap<string, Tensor>): void {
    this.#unmeasured = this.#hasMeasured ? undefined : tensors;
    if (this.#hasMeasured) assignCells(this.metricCells, tensors);
  }

  /** Whether the metrics have seen a batch, from which they may learn their shapes. */
  get hasMeasured(): boolean {
    return this.#hasMeasured;
  }

  /** @throws {TrainingStateError} when the metrics are others than those that were stored. */
  #takeUnmeasured(): void {
    const tensors = this.#unmeasured;
    if (tensors === undefined) return;
    this.#unmeasured = undefined;
    const problems = misfits(this.metricCells, tensors);
    if (problems.length > 0) throw new TrainingStateError(problems);
    assignCells(this.metricCells, tensors);
  }

  /** Starts all measurements anew. */
  resetMetrics(): void {
    this.#unmeasured = undefined;
    this.#lossTracker.reset();
    for (const tracker of this.#outputTrackers) tracker?.reset();
    this.#metrics.reset();
  }

  /** Tells once when `trainable` of some layer is no longer what it was, and when nothing is trained at all. */
  warnOfChanges(warn: (message: string) => void): void {
    if (this.#hasWarned) return;
    const model = this.model as unknown as Layer;
    const now = frozenLayers(model);
    const changed = [...now, ...this.frozen].filter((layer) => now.has(layer) !== this.frozen.has(layer));
    this.#hasWarned = changed.length > 0 || this.trainable.length === 0;
    if (changed.length > 0) {
      const names = changed.slice(0, 3).map(({ name }) => `"${name}"`);
      const more = changed.length > 3 ? ` and ${changed.length - 3} more` : '';
      warn(
        `Model "${model.name}": \`trainable\` of ${names.join(', ')}${more} was changed after compile ` +
          'and has no effect until compile is called again',
      );
    }
    if (this.trainable.length === 0) {
      const reason = this.frozen.has(model) ? '; the model itself is not trainable' : '';
      warn(`Model "${model.name}": it has no weights that are trained${reason}`);
    }
  }
}

function isLoss(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'function' || value instanceof Loss;
}

function checkLoss(loss: LossLike | undefined): void {
  if (loss === undefined) return;
  // The shapes decide what a short name means; any will do to see that it means something.
  if (resolveLoss(loss, { yTrue: [1], yPred: [1] }) === undefined) throw unknownLoss(loss);
}

function unknownLoss(loss: LossLike): RangeError {
  return new RangeError(`Cannot compile the model: found no loss named "${String(loss)}"`);
}
