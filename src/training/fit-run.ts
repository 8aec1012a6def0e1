import type { Callback, CallbackState, Logs } from './callbacks/callback.ts';
import type { SourceMark } from './data-source.ts';
import { type TrainingPosition, TrainingStateError } from './training-state.ts';

/** How far one call of `fit` is, and its callbacks. It knows nothing of the samples, so that it may outlive them. */
export class FitRun {
  readonly #hooks: ReadonlyMap<string, Callback>;
  #epoch: number;
  #step = 0;
  /** Of the last batch, then of the epoch. */
  logs: Logs = {};
  #telling: { readonly of: 'batch' | 'epoch'; readonly told: Set<string> } | null = null;
  /** Where the epoch begins. */
  #training: SourceMark | undefined;
  #validation: SourceMark | null = null;

  constructor(hooks: readonly Callback[], epoch: number) {
    this.#hooks = new Map(namedHooks(hooks));
    this.#epoch = epoch;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Batches of the epoch that are done. */
  get step(): number {
    return this.#step;
  }

  /** What callbacks were being told of when the state was taken that this run goes on from. */
  get untold(): 'batch' | 'epoch' | undefined {
    return this.#telling?.of;
  }

  /** Where the next epoch begins. */
  markSources(training: SourceMark, validation: SourceMark | null): void {
    this.#training = training;
    this.#validation = validation;
  }

  /** Calls one hook of all callbacks, one after the other. */
  async call(hook: (callback: Callback) => void | Promise<void>): Promise<void> {
    for (const callback of this.#hooks.values()) await hook(callback);
  }

  finishBatch(logs: Logs): void {
    this.#step++;
    this.logs = logs;
  }

  /** Tells callbacks of the end of a batch; those that a stored training has told already are left out. */
  async tellBatchEnd(): Promise<void> {
    await this.#tell('batch', (callback) => callback.onTrainBatchEnd(this.#step - 1, this.logs));
    this.#telling = null;
  }

  /** Tells callbacks of the end of the epoch. */
  async tellEpochEnd(): Promise<void> {
    await this.#tell('epoch', (callback) => callback.onEpochEnd(this.#epoch, this.logs));
    this.#epoch++;
    this.#step = 0;
    this.#telling = null;
  }

  /** A state that a callback takes meanwhile counts those that have been told, and itself. */
  async #tell(of: 'batch' | 'epoch', hook: (callback: Callback) => void | Promise<void>): Promise<void> {
    this.#telling ??= { of, told: new Set() };
    for (const [name, callback] of this.#hooks) {
      if (this.#telling.told.has(name)) continue;
      this.#telling.told.add(name);
      await hook(callback);
    }
  }

  position(stopTraining: boolean): TrainingPosition | null {
    if (this.#training === undefined) return null;
    const telling = this.#telling && { of: this.#telling.of, told: [...this.#telling.told] };
    return {
      epoch: this.#epoch,
      step: this.#step,
      logs: { ...this.logs },
      telling,
      stopTraining,
      training: this.#training,
      validation: this.#validation,
    };
  }

  /** Goes to where another run was. */
  goTo({ epoch, step, logs, telling, training, validation }: TrainingPosition): void {
    this.#epoch = epoch;
    this.#step = step;
    this.logs = { ...logs };
    this.#telling = telling && { of: telling.of, told: new Set(telling.told) };
    this.markSources(training, validation);
  }

  callbackStates(): Record<string, CallbackState> {
    const states = [...this.#hooks].map(([name, callback]) => [name, callback.getState()] as const);
    return Object.fromEntries(states.filter((entry): entry is [string, CallbackState] => entry[1] !== undefined));
  }

  /**
   * Gives callbacks their states; names those for which there is no callback.
   *
   * @throws {TrainingStateError} when one cannot take its state.
   */
  restoreCallbacks(states: Readonly<Record<string, CallbackState>>): string[] {
    for (const [name, state] of Object.entries(states)) {
      try {
        this.#hooks.get(name)?.setState(state);
      } catch (error) {
        throw new TrainingStateError([`the callback ${name} cannot take its state: ${(error as Error).message}`]);
      }
    }
    return Object.keys(states).filter((name) => !this.#hooks.has(name));
  }
}

/** Callbacks by name; several of one name are numbered. */
function namedHooks(hooks: readonly Callback[]): [string, Callback][] {
  const counts = new Map<string, number>();
  return hooks.map((hook) => {
    const { stateName } = hook;
    const count = counts.get(stateName) ?? 0;
    counts.set(stateName, count + 1);
    return [count === 0 ? stateName : `${stateName}_${count}`, hook];
  });
}
