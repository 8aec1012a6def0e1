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
 * What counts are the bytes of the weights that are loaded. What is read before, to learn what the model is, does not;
 * except where a server sends a file only as a whole: then bytes of weights arrive from the first moment on.
 */
export class ProgressCounter {
  readonly #onProgress: OnProgress | undefined;
  #phase: LoadPhase = 'open';
  #file: string | undefined;
  #weight: string | undefined;
  #loadedBytes = 0;
  #totalBytes = 0;
  #fraction = 0;
  /** Files that are sent as a whole: how long each is, and how much of it is there. */
  readonly #wholes = new Map<string, { readonly byteLength: number; loadedBytes: number }>();
  #mainFile: string | undefined;
  #isSingleFile = false;

  constructor(onProgress: OnProgress | undefined) {
    this.#onProgress = onProgress;
  }

  /** Who hears of each read: nobody, when nobody wants to know. */
  get listener(): this | undefined {
    return this.#onProgress && this;
  }

  /** Bytes have arrived. */
  deliver(file: string, byteCount: number): void {
    this.#file = file;
    const whole = this.#wholes.get(file);
    if (whole !== undefined) whole.loadedBytes += byteCount;
    this.#loadedBytes += byteCount;
    this.#report();
  }

  /** A file is sent as a whole. */
  announceWhole(file: string, byteLength: number): void {
    this.#wholes.set(file, { byteLength, loadedBytes: 0 });
  }

  /** The file that the source names, and whether it holds all the weights too: then its size may be what counts. */
  announceMain(file: string, holdsWeights: boolean): void {
    this.#mainFile = file;
    this.#isSingleFile = holdsWeights;
    this.#report();
  }

  /** The weights take so many bytes; files of them that are sent as a whole are on their way as soon as they are open. */
  announceBytes(byteCount: number): void {
    this.#totalBytes = byteCount;
  }

  /** The phase of the weights begins. */
  startWeights(totalBytes: number): void {
    this.#phase = 'weights';
    this.#totalBytes = totalBytes;
    this.#loadedBytes = this.#loadedOfWholes();
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
    this.#report();
  }

  #report(): void {
    if (this.#onProgress === undefined) return;
    const { loadedBytes, totalBytes } = this.#count();
    if (this.#phase === 'done') this.#fraction = 1;
    else if (totalBytes > 0) this.#fraction = Math.max(this.#fraction, loadedBytes / totalBytes);
    this.#onProgress(this.#fraction, {
      phase: this.#phase,
      file: this.#file,
      weight: this.#weight,
      loadedBytes,
      totalBytes,
    });
  }

  #count(): { readonly loadedBytes: number; readonly totalBytes: number } {
    const whole = this.#isSingleFile ? this.#wholes.get(this.#mainFile ?? '') : undefined;
    if (whole !== undefined) {
      const { byteLength: totalBytes } = whole;
      // A download that breaks may bring some bytes twice.
      const loadedBytes = this.#phase === 'done' ? totalBytes : Math.min(whole.loadedBytes, totalBytes);
      return { loadedBytes, totalBytes };
    }
    const totalBytes = this.#totalBytes;
    if (this.#phase === 'done') return { loadedBytes: totalBytes, totalBytes };
    const loadedBytes = this.#phase === 'open' ? this.#loadedOfWholes() : this.#loadedBytes;
    return { loadedBytes: Math.min(loadedBytes, totalBytes), totalBytes };
  }

  /** What has arrived of the files of weights that are sent as a whole. */
  #loadedOfWholes(): number {
    let sum = 0;
    for (const [file, { loadedBytes }] of this.#wholes) if (file !== this.#mainFile) sum += loadedBytes;
    return sum;
  }
}
