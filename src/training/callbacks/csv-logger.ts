import { NotFoundError, UnsupportedError } from '../../errors.ts';
import type { SaveDestination } from '../../io/save.ts';
import { Callback, type CallbackState, type Logs } from './callback.ts';

export interface CSVLoggerOptions {
  readonly separator?: string;
  /** Whether a table that is there goes on; by default it is replaced. */
  readonly append?: boolean;
}

/** Takes each row with its line feed: appends it to a file, to a string, … */
type WriteRow = (row: string) => void | Promise<void>;

/**
 * Writes a table with a row for each epoch. Its columns are the logs of the first epoch, and those of validation.
 *
 * A destination is a file, which has the whole table after each epoch.
 */
export class CSVLogger extends Callback {
  readonly #target: SaveDestination | WriteRow;
  readonly #separator: string;
  readonly #appends: boolean;
  #write: WriteRow = () => {};
  #names: readonly string[] | undefined;
  #hasHeader = false;
  /** The table so far, where it is written as a file. */
  #text = '';

  constructor(target: SaveDestination | WriteRow, { separator = ',', append = false }: CSVLoggerOptions = {}) {
    super();
    this.#target = target;
    this.#separator = separator;
    this.#appends = append;
  }

  override get stateName(): string {
    return 'CSVLogger';
  }

  override getState(): CallbackState {
    return { values: { names: this.#names ?? null, text: this.#text } };
  }

  /** The table goes on: its header is there. */
  override setState({ values = {} }: CallbackState): void {
    this.#names = (values.names as readonly string[] | null) ?? undefined;
    this.#text = values.text as string;
    this.#hasHeader ||= this.#names !== undefined;
  }

  /** @throws {UnsupportedError} when the destination cannot be written to. */
  override async onTrainBegin(): Promise<void> {
    this.#names = undefined;
    this.#text = '';
    if (typeof this.#target === 'function') {
      this.#write = this.#target;
      this.#hasHeader = this.#appends;
      return;
    }
    const [{ placeOf }, { writableBytes }] = await Promise.all([
      import('../../io/places.ts'),
      import('../../binary/byte-sink.ts'),
    ]);
    const { store, key } = await placeOf(this.#target);
    const write = store.write?.bind(store);
    if (write === undefined) {
      throw new UnsupportedError(`Cannot write "${key}": ${store.name} cannot write`, `writing to ${store.name}`);
    }
    if (this.#appends) {
      try {
        const file = await store.open(key);
        this.#text = new TextDecoder().decode(await file.slice(0, file.byteLength));
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    }
    this.#hasHeader = this.#text !== '';
    this.#write = async (row) => {
      this.#text += row;
      await write(key, writableBytes(new TextEncoder().encode(this.#text)));
    };
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    this.#names ??= columnsOf(logs);
    const row = this.#row([String(epoch), ...this.#names.map((name) => cellOf(logs[name]))]);
    await this.#write(this.#hasHeader ? row : this.#row(['epoch', ...this.#names]) + row);
    this.#hasHeader = true;
  }

  #row(cells: readonly string[]): string {
    const needsQuotes = (cell: string): boolean => cell.includes(this.#separator) || /["\r\n]/.test(cell);
    const quoted = cells.map((cell) => (needsQuotes(cell) ? `"${cell.replaceAll('"', '""')}"` : cell));
    return `${quoted.join(this.#separator)}\n`;
  }
}

/** Validation may not take place after the first epoch, so it has its columns in any case. */
function columnsOf(logs: Logs): readonly string[] {
  const names = Object.keys(logs).sort();
  if (names.some((name) => name.startsWith('val_'))) return names;
  return [...names, ...names.map((name) => `val_${name}`)];
}

function cellOf(value: number | readonly number[] | undefined): string {
  if (value === undefined) return 'NA';
  return typeof value === 'number' ? String(value) : `[${value.join(', ')}]`;
}
