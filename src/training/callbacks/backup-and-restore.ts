import { FormatError, NotFoundError, UnsupportedError } from '../../errors.ts';
import type { SaveDestination } from '../../io/save.ts';
import type { Store } from '../../storage/store.ts';
import type { TrainingState } from '../training-state.ts';
import { Callback, type CallbackState } from './callback.ts';
import { SaveCounter, type SaveFrequency } from './save-frequency.ts';

export interface BackupAndRestoreOptions {
  readonly saveFreq?: SaveFrequency;
  /** Whether the backup before the last one is kept too, for when the last one is damaged. */
  readonly doubleCheckpoint?: boolean;
  /** Whether the backup is removed when training has ended; true by default. */
  readonly deleteCheckpoint?: boolean;
}

/** What is appended to the name of the backup before the last one. */
const PREVIOUS = '.bkp';

/**
 * Stores the state of the training now and then; a training that begins where there is such a state goes on from it, in
 * the middle of an epoch as well, to the same bits as if it had never been interrupted.
 *
 * The destination is one file, which each backup replaces as a whole.
 */
export class BackupAndRestore extends Callback {
  readonly #destination: SaveDestination;
  readonly #counter: SaveCounter;
  readonly #keepsTwo: boolean;
  readonly #deletes: boolean;
  #place: { readonly store: Store; readonly key: string } | undefined;

  /** @throws {RangeError} when `saveFreq` is not what it may be. */
  constructor(destination: SaveDestination, options: BackupAndRestoreOptions = {}) {
    super();
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
    const { placeOf } = await import('../../io/places.ts');
    this.#place = await placeOf(this.#destination);
    this.#counter.seen = 0;
    const { store, key } = this.#place;
    if (store.write === undefined || (this.#deletes && store.remove === undefined)) {
      const lacks = store.write === undefined ? 'write' : 'remove files; use deleteCheckpoint: false';
      throw new UnsupportedError(`Cannot back up the training as "${key}": ${store.name} cannot ${lacks}`, lacks);
    }
    const state = await this.#load(store, key);
    if (state !== undefined) await this.model.setTrainingState(state);
  }

  override async onTrainBatchEnd(): Promise<void> {
    if (this.#counter.countBatch()) await this.#save();
  }

  override async onEpochEnd(): Promise<void> {
    if (this.#counter.isDueAtEpochEnd) await this.#save();
  }

  override async onTrainEnd(): Promise<void> {
    if (!this.#deletes || this.#place === undefined) return;
    const { store, key } = this.#place;
    await store.remove?.(key);
    if (this.#keepsTwo) await store.remove?.(key + PREVIOUS);
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

  async #save(): Promise<void> {
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
