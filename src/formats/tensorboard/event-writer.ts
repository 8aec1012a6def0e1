import type { WritableFile } from '../../binary/byte-sink.ts';
import { writableBytes } from '../../binary/byte-sink.ts';
import { encodeFileVersion, encodeSummary, type Summary } from './event.ts';
import { message } from './protobuf.ts';

/** Puts a file under a key. */
export type WriteFile = (key: string, file: WritableFile) => Promise<void>;

/** How long events may wait in seconds, and which share of the time since the first they may. */
const LEAST_DELAY = 2;
const DELAY_SHARE = 0.05;

/**
 * Writes the events of one folder.
 *
 * A file is written once and as a whole, since few stores can append; the next events go to the next file, which
 * TensorBoard reads after it. The longer a training takes, the longer events wait, so that a day makes some 200 files.
 */
export class EventWriter {
  readonly #folder: string;
  readonly #write: WriteFile;
  readonly #began: number = Date.now() / 1000;
  /** Tells the files of this writer from those of others that began in the same second. */
  readonly #id: string = Math.random().toString(36).slice(2, 8);
  #waiting: Uint8Array[] = [];
  #lastFlush: number = this.#began;
  #files = 0;

  constructor(folder: string, write: WriteFile) {
    this.#folder = folder;
    this.#write = write;
  }

  add(step: number, summary: Summary): void {
    this.#waiting.push(encodeSummary(Date.now() / 1000, step, summary));
  }

  /** Writes what has waited for long enough. */
  async flushDue(): Promise<void> {
    const now = Date.now() / 1000;
    const delay = Math.max(LEAST_DELAY, DELAY_SHARE * (now - this.#began));
    if (now - this.#lastFlush >= delay) await this.flush();
  }

  /** Writes all that waits. */
  async flush(): Promise<void> {
    this.#lastFlush = Date.now() / 1000;
    if (this.#waiting.length === 0) return;
    const records = [encodeFileVersion(this.#lastFlush), ...this.#waiting];
    this.#waiting = [];
    const count = String(this.#files++).padStart(6, '0');
    const seconds = Math.floor(this.#began).toString().padStart(10, '0');
    const name = `events.out.tfevents.${seconds}.hornet.${this.#id}.${count}.v2`;
    await this.#write(`${this.#folder}/${name}`, writableBytes(message(...records)));
  }
}
