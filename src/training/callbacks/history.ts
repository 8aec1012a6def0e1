import { Callback, type Logs } from './callback.ts';

/** Keeps the logs of every epoch: what `fit` gives. */
export class History extends Callback {
  /** Numbers of the epochs. */
  readonly epoch: number[] = [];
  /** A list for each log, with one value for each epoch. */
  readonly history: Record<string, (number | readonly number[])[]> = {};

  override onTrainBegin(): void {
    this.epoch.length = 0;
    for (const name of Object.keys(this.history)) delete this.history[name];
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(logs)) {
      this.history[name] ??= [];
      this.history[name].push(value);
    }
  }
}
