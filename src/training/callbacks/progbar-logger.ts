import { Callback, type Logs } from './callback.ts';

/** Where progress is shown. */
export interface ProgressOutput {
  /** A line that stays. */
  line(text: string): void;
  /** Replaces the line that is being written; absent where that cannot be done. */
  readonly rewrite?: (text: string) => void;
}

interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const BAR_WIDTH = 20;

/** A line is not written anew more often than this, in milliseconds. */
const REFRESH_INTERVAL = 50;

/** The terminal where there is one, else the console. */
function defaultOutput(): ProgressOutput {
  const { stdout } = (globalThis as { readonly process?: { readonly stdout?: Terminal } }).process ?? {};
  if (stdout?.isTTY !== true) return { line: (text) => console.log(text) };
  return {
    line: (text) => stdout.write(`\r\u001b[K${text}\n`),
    rewrite: (text) => stdout.write(`\r\u001b[K${text}`),
  };
}

/** Shows how far a training is, its losses and metrics, its speed and the time left, as Keras does. */
export class ProgbarLogger extends Callback {
  readonly #output: ProgressOutput;
  #began = 0;
  #shown = 0;
  #done = 0;

  constructor(output: ProgressOutput = defaultOutput()) {
    super();
    this.#output = output;
  }

  /** A training that goes on may begin with the end of an epoch. */
  override onTrainBegin(): void {
    this.#began = performance.now();
  }

  override onEpochBegin(epoch: number): void {
    this.#output.line(`Epoch ${epoch + 1}/${this.params.epochs}`);
    this.#began = performance.now();
    this.#shown = 0;
    this.#done = 0;
  }

  override onTrainBatchEnd(batch: number, logs: Logs): void {
    this.#done = batch + 1;
    const now = performance.now();
    if (this.params.verbose !== 1 || this.#output.rewrite === undefined || now - this.#shown < REFRESH_INTERVAL) return;
    this.#shown = now;
    this.#output.rewrite(this.#text(logs, true));
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    this.#output.line(this.#text(logs, false));
  }

  #text(logs: Logs, isRunning: boolean): string {
    const { steps, verbose } = this.params;
    const seconds = (performance.now() - this.#began) / 1000;
    const perStep = seconds / Math.max(this.#done, 1);
    const total = steps ?? (isRunning ? undefined : this.#done);
    const share = total === undefined ? 0 : Math.min(this.#done / total, 1);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = verbose === 1 ? ` ${'━'.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}` : '';
    const left = isRunning && total !== undefined ? perStep * (total - this.#done) : undefined;
    const time = left === undefined ? `${seconds.toFixed(0)}s` : `${left.toFixed(0)}s left`;
    const values = Object.entries(logs).map(([name, value]) => ` - ${name}: ${formatLog(value)}`);
    return `${this.#done}/${total ?? '?'}${bar} ${time} ${formatStep(perStep)}/step${values.join('')}`;
  }
}

function formatStep(seconds: number): string {
  if (seconds >= 1) return `${seconds.toFixed(1)}s`;
  return seconds >= 1e-3 ? `${(seconds * 1e3).toFixed(0)}ms` : `${(seconds * 1e6).toFixed(0)}us`;
}

function formatLog(value: number | readonly number[]): string {
  if (typeof value !== 'number') return `[${value.map(formatLog).join(', ')}]`;
  return Math.abs(value) > 1e-3 || value === 0 ? value.toFixed(4) : value.toExponential(4);
}
