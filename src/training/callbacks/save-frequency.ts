import type { Checkpoints } from '../../io/checkpoints.ts';

/** When a callback saves: at the end of each epoch, or each time after so many batches. */
export type SaveFrequency = 'epoch' | number;

/** Counts the batches since the last save, over the ends of epochs. */
export class SaveCounter {
  readonly #frequency: SaveFrequency;
  seen = 0;

  /** @throws {RangeError} when the frequency is neither `epoch` nor a whole number above 0. */
  constructor(callback: string, frequency: SaveFrequency) {
    if (frequency !== 'epoch' && !(Number.isSafeInteger(frequency) && frequency > 0)) {
      throw new RangeError(
        `Cannot create ${callback}: saveFreq is ${frequency}, expected "epoch" or a number of batches above 0`,
      );
    }
    this.#frequency = frequency;
  }

  /** Whether this is the end of an epoch at which to save. */
  get isDueAtEpochEnd(): boolean {
    return this.#frequency === 'epoch';
  }

  /** Counts a batch; true when it is time to save. */
  countBatch(): boolean {
    if (this.#frequency === 'epoch' || ++this.seen < this.#frequency) return false;
    this.seen = 0;
    return true;
  }
}

/** Tells checkpoints from a file, without the code of either. */
export function isCheckpoints<D>(destination: D | Checkpoints): destination is Checkpoints {
  return typeof destination === 'object' && destination !== null && 'saveInBackground' in destination;
}
