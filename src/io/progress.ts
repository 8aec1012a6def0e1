/** How far a load has come, told in bytes. */

/** What a load is doing: reading what the model is, reading its weights, done. */
export type LoadPhase = 'open' | 'weights' | 'done';

export interface ProgressDetails {
  readonly phase: LoadPhase;
  /** The file whose bytes came last. */
  readonly file: string | undefined;
  /** The weight that was completed last. */
  readonly weight: string | undefined;
  readonly loadedBytes: number;
  /** Bytes of all that is loaded in this phase; 0 as long as that is not known. */
  readonly totalBytes: number;
}

/** Hears of progress: a fraction that goes from 0 to exactly 1 and never back, and what it stands for. */
export type OnProgress = (fraction: number, details: ProgressDetails) => void;

/**
 * Counts bytes as they arrive and turns them into a fraction.
 *
 * What is read to learn what the model is does not count, except where a server sends a file only as a whole: then the
 * weights come with it. After that, the bytes of the weights that are loaded count.
 */
export class ProgressCounter {
  readonly #onProgress: OnProgress | undefined;
  #phase: LoadPhase = 'open';
  #file: string | undefined;
  #weight: string | undefined;
  #loadedBytes = 0;
  #totalBytes = 0;
  #fraction = 0;

  constructor(onProgress: OnProgress | undefined) {
    this.#onProgress = onProgress;
  }

  /** Bytes have arrived. */
  deliver(file: string, byteCount: number): void {
    this.#file = file;
    this.#loadedBytes += byteCount;
    this.#report();
  }

  /** The phase of the weights begins. Bytes that had come before are not counted again. */
  startWeights(totalBytes: number): void {
    this.#phase = 'weights';
    this.#totalBytes = totalBytes;
    this.#loadedBytes = 0;
    this.#report();
  }

  completeWeight(weight: string, file: string): void {
    this.#weight = weight;
    this.#file = file;
    this.#report();
  }

  finish(): void {
    if (this.#phase === 'done') return;
    this.#phase = 'done';
    this.#loadedBytes = this.#totalBytes;
    this.#fraction = 1;
    this.#report();
  }

  #report(): void {
    if (this.#onProgress === undefined) return;
    const loadedBytes = this.#phase === 'open' ? this.#loadedBytes : Math.min(this.#loadedBytes, this.#totalBytes);
    if (this.#phase === 'weights' && this.#totalBytes > 0) {
      this.#fraction = Math.max(this.#fraction, loadedBytes / this.#totalBytes);
    }
    this.#onProgress(this.#fraction, {
      phase: this.#phase,
      file: this.#file,
      weight: this.#weight,
      loadedBytes,
      totalBytes: this.#totalBytes,
    });
  }
}
