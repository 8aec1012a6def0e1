import type { Callback } from '../training/callbacks/callback.ts';
import type { KerasModel } from './keras-model.ts';
import type { PredictOutputs } from './predictor.ts';

/** Tells callbacks how a prediction goes, in Keras' order. */
export class PredictHooks {
  readonly #model: KerasModel;
  readonly #callbacks: readonly Callback[];
  #batch = 0;

  constructor(model: KerasModel, callbacks: readonly Callback[]) {
    this.#model = model;
    this.#callbacks = callbacks;
  }

  async begin(steps: number): Promise<void> {
    this.#model.stopPredicting = false;
    for (const callback of this.#callbacks) {
      callback.setModel(this.#model);
      callback.setParams({ epochs: 1, steps, verbose: 0 });
    }
    for (const callback of this.#callbacks) await callback.onPredictBegin();
  }

  async beginBatch(): Promise<void> {
    for (const callback of this.#callbacks) await callback.onPredictBatchBegin(this.#batch);
  }

  /** Gives true when a callback has ended the prediction. */
  async endBatch(outputs: PredictOutputs): Promise<boolean> {
    for (const callback of this.#callbacks) await callback.onPredictBatchEnd(this.#batch, { outputs });
    this.#batch++;
    return this.#model.stopPredicting;
  }

  async end(): Promise<void> {
    for (const callback of this.#callbacks) await callback.onPredictEnd();
  }
}
