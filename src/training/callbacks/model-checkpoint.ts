import type { Checkpoints } from '../../io/checkpoints.ts';
import type { SaveDestination } from '../../io/save.ts';
import { Callback, type CallbackState, type Logs, numberIn } from './callback.ts';
import { formatTemplate } from './format-template.ts';
import { isBetterBy, type MonitorMode } from './monitor.ts';
import { isCheckpoints, SaveCounter, type SaveFrequency } from './save-frequency.ts';

export interface ModelCheckpointOptions {
  /** `val_loss` by default. */
  readonly monitor?: string;
  /** 1 prints what is saved, and why. */
  readonly verbose?: 0 | 1;
  /** Whether to save only when the log is better than ever before. */
  readonly saveBestOnly?: boolean;
  /** Whether to save weights in place of the model. */
  readonly saveWeightsOnly?: boolean;
  readonly mode?: MonitorMode;
  readonly saveFreq?: SaveFrequency;
  /** What the log must be better than to be saved at all. */
  readonly initialValueThreshold?: number | null;
}

/**
 * Saves the model, or its weights, during training.
 *
 * The destination's name is a template as in Keras: `{epoch:02d}-{val_loss:.2f}.keras`; epochs count from 1, logs go by
 * their names, and when batches are counted there is `{batch}`.
 *
 * Of a destination that is `Checkpoints`, each save makes a version, which is written in the background: what fails there
 * is thrown by the next hook, and training ends when the last version is there.
 */
export class ModelCheckpoint extends Callback {
  readonly #destination: SaveDestination | Checkpoints;
  readonly #monitor: string;
  readonly #isVerbose: boolean;
  readonly #savesWeights: boolean;
  readonly #isBetter: ((a: number, b: number) => boolean) | undefined;
  readonly #counter: SaveCounter;
  #best: number | undefined;
  #epoch = 0;

  /** @throws {RangeError} when an option is not what it may be. */
  constructor(destination: SaveDestination | Checkpoints, options: ModelCheckpointOptions = {}) {
    super();
    const { monitor = 'val_loss', mode = 'auto', saveFreq = 'epoch', saveBestOnly = false } = options;
    this.#destination = destination;
    this.#monitor = monitor;
    this.#isVerbose = (options.verbose ?? 0) > 0;
    this.#savesWeights = options.saveWeightsOnly ?? false;
    this.#isBetter = saveBestOnly ? isBetterBy(monitor, mode, 0) : undefined;
    this.#counter = new SaveCounter('ModelCheckpoint', saveFreq);
    this.#best = options.initialValueThreshold ?? undefined;
  }

  /** The best value that was saved, or the threshold. */
  get best(): number | undefined {
    return this.#best;
  }

  override get stateName(): string {
    return 'ModelCheckpoint';
  }

  override getState(): CallbackState {
    return { values: { best: this.#best ?? null, seen: this.#counter.seen } };
  }

  override setState({ values = {} }: CallbackState): void {
    this.#best = (values.best as number | null) ?? undefined;
    this.#counter.seen = values.seen as number;
  }

  /** @throws {UnsupportedError} when the destination's name stands for no format: now, and not after an epoch. */
  override async onTrainBegin(): Promise<void> {
    if (isCheckpoints(this.#destination)) return await this.#destination.check();
    const { formatOfDestination } = await import('../../io/places.ts');
    formatOfDestination(this.#destination, this.#savesWeights ? 'weights' : undefined);
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
  }

  override async onTrainBatchEnd(batch: number, logs: Logs): Promise<void> {
    if (isCheckpoints(this.#destination)) this.#destination.throwFailure();
    if (this.#counter.countBatch()) await this.#save({ epoch: this.#epoch + 1, batch: batch + 1, ...logs }, logs);
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if (isCheckpoints(this.#destination)) this.#destination.throwFailure();
    if (this.#counter.isDueAtEpochEnd) await this.#save({ epoch: epoch + 1, ...logs }, logs);
  }

  override async onTrainEnd(): Promise<void> {
    if (isCheckpoints(this.#destination)) await this.#destination.settle();
  }

  async #save(values: Logs & { readonly epoch: number }, logs: Logs): Promise<void> {
    if (isCheckpoints(this.#destination)) return await this.#saveVersion(this.#destination, values.epoch, logs);
    const destination = filledIn(this.#destination, values);
    if (!this.#isDue(values.epoch, logs, nameOf(destination))) return;
    if (this.#savesWeights) await this.model.saveWeights(destination);
    else await this.model.save(destination);
    this.#print(`Epoch ${values.epoch}: finished saving model to ${nameOf(destination)}`);
  }

  async #saveVersion(versions: Checkpoints, epoch: number, logs: Logs): Promise<void> {
    if (!this.#isDue(epoch, logs, versions.name)) return;
    const format = this.#savesWeights ? { format: 'weights.h5' as const } : {};
    await versions.saveInBackground(this.model, { epoch: epoch - 1, metrics: logs, ...format });
  }

  #isDue(epoch: number, logs: Logs, destination: string): boolean {
    const saving = `saving model to ${destination}`;
    if (this.#isBetter === undefined) {
      this.#print(`Epoch ${epoch}: ${saving}`);
      return true;
    }
    const current = numberIn(logs, this.#monitor);
    if (current === undefined) {
      console.warn(
        `ModelCheckpoint saves the best model only when the log "${this.#monitor}" is one number; found ` +
          `${this.#monitor in logs ? 'several' : `the logs ${Object.keys(logs).join(', ')}`}; the model is saved`,
      );
      return true;
    }
    const best = this.#best?.toFixed(5) ?? 'None';
    if (this.#best !== undefined && !this.#isBetter(current, this.#best)) {
      this.#print(`Epoch ${epoch}: ${this.#monitor} did not improve from ${best}`);
      return false;
    }
    this.#print(`Epoch ${epoch}: ${this.#monitor} improved from ${best} to ${current.toFixed(5)}, ${saving}`);
    this.#best = current;
    return true;
  }

  #print(line: string): void {
    if (this.#isVerbose) console.log(line);
  }
}

function filledIn(destination: SaveDestination, values: Logs): SaveDestination {
  if (typeof destination === 'string') return formatTemplate(destination, values);
  // An address has its braces as escapes.
  if (destination instanceof URL) return new URL(formatTemplate(decodeURI(destination.href), values));
  if (!('store' in destination)) return destination;
  return { store: destination.store, key: formatTemplate(destination.key, values) };
}

function nameOf(destination: SaveDestination): string {
  if (typeof destination === 'string') return destination;
  if (destination instanceof URL) return destination.href;
  return 'store' in destination ? destination.key : destination.name;
}
