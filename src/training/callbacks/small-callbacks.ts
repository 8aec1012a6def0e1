/** Callbacks of a few lines: what is written by the user, what ends a training that has gone astray. */
import { Callback, type Logs, numberIn } from './callback.ts';

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

export interface TerminateOnNaNOptions {
  /** Whether to throw, so that no callback takes the training for one that has ended: a backup stays. */
  readonly raiseError?: boolean;
}

/** Ends training when the loss is no longer a finite number. */
export class TerminateOnNaN extends Callback {
  readonly #throws: boolean;

  constructor({ raiseError = false }: TerminateOnNaNOptions = {}) {
    super();
    this.#throws = raiseError;
  }

  /** @throws {RangeError} when it is to throw. */
  override onTrainBatchEnd(batch: number, logs: Logs): void {
    const loss = numberIn(logs, 'loss');
    if (loss === undefined || Number.isFinite(loss)) return;
    if (this.#throws) throw new RangeError(`Cannot go on training: the loss is ${loss} at batch ${batch}`);
    console.warn(`Batch ${batch}: invalid loss ${loss}, training ends`);
    this.model.stopTraining = true;
  }
}
