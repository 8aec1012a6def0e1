import { FormatError, NotFoundError, UnsupportedError } from '../../errors.ts';
import type { Checkpoints } from '../../io/checkpoints.ts';
import type { SaveDestination } from '../../io/save.ts';
import type { Store } from '../../storage/store.ts';
import type { TrainingState } from '../training-state.ts';
import { Callback, type CallbackState, type Logs } from './callback.ts';
import { isCheckpoints, SaveCounter, type SaveFrequency } from './save-frequency.ts';

export interface BackupAndRestoreOptions {
  readonly saveFreq?: SaveFrequency;
  /** Whether the backup before the last one is kept too, for when the last one is damaged. */
  readonly doubleCheckpoint?: boolean;
  /** Whether the backup is removed when training has ended; true by default, and not for checkpoints, which stay. */
  readonly deleteCheckpoint?: boolean;
}

/** What is appended to the name of the backup before the last one. */
const PREVIOUS = '.bkp';

/**
 * Stores the state of the training now and then; a training that begins where there is such a state goes on from it, in
 * the middle of an epoch as well, to the same bits as if it had never been interrupted.
 *
 * The destination is one file, which each backup replaces as a whole; or `Checkpoints`, of which each backup makes a
 * version in the background, and the latest that was stored with its training is gone on from.
 */
export class BackupAndRestore extends Callback {
  readonly #destination: SaveDestination | Checkpoints;
  readonly #counter: SaveCounter;
  readonly #keepsTwo: boolean;
  readonly #deletes: boolean;
  #epoch = 0;
  #place: { readonly store: Store; readonly key: string } | undefined;

  /** @throws {RangeError} when `saveFreq` is not what it may be, or checkpoints are to be removed. */
  constructor(destination: SaveDestination | Checkpoints, options: BackupAndRestoreOptions = {}) {
    super();
    if (isCheckpoints(destination) && (options.deleteCheckpoint === true || options.doubleCheckpoint === true)) {
      const found = options.deleteCheckpoint === true ? 'deleteCheckpoint' : 'doubleCheckpoint';
      throw new RangeError(
        `Cannot create BackupAndRestore: found ${found}, expected none for checkpoints; they have their own option keep`,
      );
    }
    const { saveFreq = 'epoch', doubleCheckpoint = false, deleteCheckpoint = true } = options;
    this.#destination = destination;
    this.#counter = new SaveCounter('BackupAndRestore', saveFreq);
    this.#keepsTwo = doubleCheckpoint;
    this.#deletes = deleteCheckpoint;
  }

  override get stateName(): string {
    return 'BackupAndRestore';
  }

  override getState(): CallbackState {
    return { values: { seen: this.#counter.seen } };
  }

  override setState({ values = {} }: CallbackState): void {
    this.#counter.seen = values.seen as number;
  }

  /**
   * @throws {TrainingStateError} when the backup is of another training; nothing was changed then.
   * @throws {UnsupportedError} when the backup could not be written, or not be removed in the end.
   */
  override async onTrainBegin(): Promise<void> {
    this.#counter.seen = 0;
    if (isCheckpoints(this.#destination)) return await this.#restore(this.#destination);
    const { placeOf } = await import('../../io/places.ts');
    this.#place = await placeOf(this.#destination);
    const { store, key } = this.#place;
    if (store.write === undefined || (this.#deletes && store.remove === undefined)) {
      const lacks = store.write === undefined ? 'write' : 'remove files; use deleteCheckpoint: false';
      throw new UnsupportedError(`Cannot back up the training as "${key}": ${store.name} cannot ${lacks}`, lacks);
    }
    const state = await this.#load(store, key);
    if (state !== undefined) await this.model.setTrainingState(state);
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
  }

  override async onTrainBatchEnd(_batch: number, logs: Logs): Promise<void> {
    if (isCheckpoints(this.#destination)) this.#destination.throwFailure();
    if (this.#counter.countBatch()) await this.#save(logs);
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    this.#epoch = epoch;
    if (isCheckpoints(this.#destination)) this.#destination.throwFailure();
    if (this.#counter.isDueAtEpochEnd) await this.#save(logs);
  }

  override async onTrainEnd(): Promise<void> {
    if (isCheckpoints(this.#destination)) return await this.#destination.settle();
    if (!this.#deletes || this.#place === undefined) return;
    const { store, key } = this.#place;
    await store.remove?.(key);
    if (this.#keepsTwo) await store.remove?.(key + PREVIOUS);
  }

  async #restore(versions: Checkpoints): Promise<void> {
    await versions.check();
    const latest = (await versions.list()).findLast(({ files }) => files.training !== undefined);
    if (latest !== undefined) await this.model.setTrainingState(await versions.loadTrainingState(latest.id));
  }

  async #load(store: Store, key: string): Promise<TrainingState | undefined> {
    const { loadTrainingState } = await import('../../io/training-state.ts');
    try {
      return await loadTrainingState({ store, key });
    } catch (error) {
      const isMissing = error instanceof NotFoundError;
      if (!isMissing && !(this.#keepsTwo && error instanceof FormatError)) throw error;
      try {
        return this.#keepsTwo ? await loadTrainingState({ store, key: key + PREVIOUS }) : undefined;
      } catch (other) {
        if (!(other instanceof NotFoundError)) throw other;
        if (isMissing) return undefined;
        throw error;
      }
    }
  }

  async #save(metrics: Logs): Promise<void> {
    if (isCheckpoints(this.#destination)) {
      return await this.#destination.saveInBackground(this.model, { epoch: this.#epoch, metrics });
    }
    if (this.#place === undefined) return;
    const { store, key } = this.#place;
    if (this.#keepsTwo) await this.#keepLast(store, key);
    const { saveTrainingState } = await import('../../io/training-state.ts');
    await saveTrainingState(await this.model.getTrainingState(), { store, key });
  }

  /** Copies the last backup, if there is one. */
  async #keepLast(store: Store, key: string): Promise<void> {
    try {
      const last = await store.open(key);
      await store.write?.(key + PREVIOUS, {
        byteLength: last.byteLength,
        writeTo: async (sink) => {
          for (let start = 0; start < last.byteLength; start += COPY_BYTES) {
            await sink.write(await last.slice(start, Math.min(start + COPY_BYTES, last.byteLength)));
          }
        },
      });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }
}

/** Copied at a time. */
const COPY_BYTES = 4 << 20;
