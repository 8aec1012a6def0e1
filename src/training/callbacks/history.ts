import { Callback, type CallbackState, type Logs } from './callback.ts';

type LogValue = Logs[string];

/** Keeps the logs of every epoch: what `fit` gives. */
export class History extends Callback {
  /** Numbers of the epochs. */
  readonly epoch: number[] = [];
  /** A list for each log, with one value for each epoch. */
  readonly history: Record<string, LogValue[]> = {};

  override get stateName(): string {
    return 'History';
  }

  override getState(): CallbackState {
    const lists = Object.entries(this.history).map(([name, values]) => [name, [...values]] as const);
    return { values: { epoch: [...this.epoch], history: Object.fromEntries(lists) } };
  }

  override setState({ values = {} }: CallbackState): void {
    this.onTrainBegin();
    this.epoch.push(...(values.epoch as readonly number[]));
    for (const [name, list] of Object.entries(values.history as Record<string, readonly LogValue[]>)) {
      this.history[name] = [...list];
    }
  }

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
