/** Callbacks of a few lines: what is written by the user, what ends a training that has gone astray, what keeps a table. */
import { Callback, type CallbackState, type Logs, numberIn } from './callback.ts';

/** The hooks that `LambdaCallback` takes: those of every callback. */
export type LambdaCallbackOptions = Partial<Pick<Callback, HookName>>;

type HookName =
  | `on${'Train' | 'Test' | 'Predict'}${'' | 'Batch'}${'Begin' | 'End'}`
  | `on${'Epoch' | 'Batch'}${'Begin' | 'End'}`;

/** A callback made of functions. */
export class LambdaCallback extends Callback {
  /** @throws {TypeError} when a hook is none of Keras'. */
  constructor(hooks: LambdaCallbackOptions) {
    super();
    for (const [name, hook] of Object.entries(hooks)) {
      if (!/^on[A-Z]/.test(name) || !(name in Callback.prototype)) {
        throw new TypeError(`Cannot create LambdaCallback: found "${name}", expected hooks such as onEpochEnd`);
      }
      Object.defineProperty(this, name, { value: hook });
    }
  }

  override get stateName(): string {
    return 'LambdaCallback';
  }
}

/** Ends training when the loss is no longer a finite number. */
export class TerminateOnNaN extends Callback {
  override onTrainBatchEnd(_batch: number, logs: Logs): void {
    const loss = numberIn(logs, 'loss');
    if (loss !== undefined && !Number.isFinite(loss)) this.model.stopTraining = true;
  }
}

export interface CSVLoggerOptions {
  readonly separator?: string;
  /** Whether the table goes on, without a header. */
  readonly append?: boolean;
}

/** Writes a table with a row for each epoch. */
export class CSVLogger extends Callback {
  readonly #write: (line: string) => void | Promise<void>;
  readonly #separator: string;
  readonly #appends: boolean;
  #names: readonly string[] | undefined;

  /** @param write takes each row, with its line feed: appends to a file, to a string, … */
  constructor(
    write: (line: string) => void | Promise<void>,
    { separator = ',', append = false }: CSVLoggerOptions = {},
  ) {
    super();
    this.#write = write;
    this.#separator = separator;
    this.#appends = append;
  }

  override get stateName(): string {
    return 'CSVLogger';
  }

  override getState(): CallbackState {
    return { values: { names: this.#names ?? null } };
  }

  /** The table goes on: its header is there. */
  override setState({ values = {} }: CallbackState): void {
    this.#names = (values.names as readonly string[] | null) ?? undefined;
  }

  override onTrainBegin(): void {
    this.#names = undefined;
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if (this.#names === undefined) {
      this.#names = Object.keys(logs).sort();
      if (!this.#appends) await this.#row(['epoch', ...this.#names]);
    }
    await this.#row([String(epoch), ...this.#names.map((name) => cellOf(logs[name]))]);
  }

  async #row(cells: readonly string[]): Promise<void> {
    await this.#write(`${cells.join(this.#separator)}\n`);
  }
}

function cellOf(value: number | readonly number[] | undefined): string {
  if (value === undefined) return 'NA';
  return typeof value === 'number' ? String(value) : `"[${value.join(', ')}]"`;
}
