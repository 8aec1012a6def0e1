/** What few predictions need: callbacks that are told of batches, and batches that come one after the other. */
import { Tensor } from '../array/tensor.ts';
import type { Callback } from '../training/callbacks/callback.ts';
import type { BatchLike } from '../training/samples.ts';
import type { KerasModel } from './keras-model.ts';
import type { PredictOptions, PredictOutputs } from './predictor.ts';
import type { PredictInputs } from './read-inputs.ts';
import { concatenateRows } from './rows.ts';

/** Tells callbacks how a prediction goes, in Keras' order. */
export class PredictHooks {
  readonly #model: KerasModel;
  readonly #callbacks: readonly Callback[];
  #batch = 0;

  constructor(model: KerasModel, callbacks: readonly Callback[]) {
    this.#model = model;
    this.#callbacks = callbacks;
  }

  async begin(steps: number | undefined): Promise<void> {
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

/** A batch as `fit` takes it, of which the inputs alone are used; or the inputs, where they are one tensor or typed array. */
export type PredictBatch = BatchLike | Tensor | (ArrayLike<number> & ArrayBufferView);

/** Batches one after the other, or a function that makes them. */
export type PredictDataset =
  | Iterable<PredictBatch>
  | AsyncIterable<PredictBatch>
  | (() => Iterable<PredictBatch> | AsyncIterable<PredictBatch>);

/**
 * Predicts batch by batch, as large as they come, and joins the rows.
 *
 * @throws {RangeError} when there are no batches.
 */
export async function predictDataset(
  model: KerasModel,
  dataset: PredictDataset,
  { callbacks = [], steps, signal, backend }: PredictOptions,
): Promise<PredictOutputs> {
  const hooks = new PredictHooks(model, callbacks);
  await hooks.begin(steps);
  const options = { batchSize: Number.MAX_SAFE_INTEGER, ...(backend === undefined ? {} : { backend }) };
  const batches: PredictOutputs[] = [];
  for await (const batch of typeof dataset === 'function' ? dataset() : dataset) {
    signal?.throwIfAborted();
    await hooks.beginBatch();
    const outputs: PredictOutputs = await model.predict<PredictOutputs>(inputsOf(batch), options);
    batches.push(outputs);
    if ((await hooks.endBatch(outputs)) || batches.length === steps) break;
  }
  await hooks.end();
  if (batches.length === 0) throw new RangeError('Cannot predict: found no batches, expected at least one');
  return join(batches);
}

function inputsOf(batch: PredictBatch): PredictInputs {
  if (batch instanceof Tensor || ArrayBuffer.isView(batch)) return batch as PredictInputs;
  return Array.isArray(batch) ? (batch[0] as PredictInputs) : (batch as { readonly x: PredictInputs }).x;
}

/** Outputs of one nesting, their rows one below the other. */
function join(batches: readonly PredictOutputs[]): PredictOutputs {
  const [first] = batches;
  if (first instanceof Tensor) return concatenateRows(batches as readonly Tensor[]);
  const part = (key: string | number): PredictOutputs =>
    join(batches.map((batch) => (batch as Record<string | number, PredictOutputs>)[key] as PredictOutputs));
  if (Array.isArray(first)) return first.map((_, index) => part(index));
  return Object.fromEntries(Object.keys(first as object).map((key) => [key, part(key)]));
}
