/** Where batches come from: arrays that are cut, or datasets that are iterated. */

import type { PhiloxStream } from '../array/philox.ts';
import { Tensor } from '../array/tensor.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { ClassWeight } from './class-weights.ts';
import { type BatchLike, readSamples, type Samples, sliceSamples, takeSamples } from './samples.ts';
import { shuffledOrder } from './shuffle.ts';

/**
 * Batches one after the other: an iterable, an async iterable, or a function that makes one for each epoch.
 *
 * An iterable that can be iterated once only, such as a generator, needs `stepsPerEpoch` for more than one epoch.
 */
export type Dataset =
  | Iterable<BatchLike>
  | AsyncIterable<BatchLike>
  | (() => Iterable<BatchLike> | AsyncIterable<BatchLike>);

/** Gives the batches of one epoch after the other. */
export interface DataSource {
  /** Batches of an epoch, where that is known. */
  readonly steps: number | undefined;
  epoch(): AsyncIterable<Samples> | Iterable<Samples>;
}

/** Whether a value is a dataset, and not arrays: arrays, tensors and records are not iterated. */
export function isDataset(value: unknown): value is Dataset {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (ArrayBuffer.isView(value) || value instanceof Tensor) return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

export interface ArraySourceOptions {
  readonly batchSize: number;
  /** Decides the order of each epoch; absent for the order as it is. */
  readonly stream?: PhiloxStream | undefined;
}

/** Cuts arrays into batches; the last one may be smaller. */
export function arraySource(samples: Samples, { batchSize, stream }: ArraySourceOptions): DataSource {
  const { rows } = samples;
  return {
    steps: Math.ceil(rows / batchSize),
    *epoch() {
      const order = stream === undefined ? undefined : shuffledOrder(rows, stream);
      for (let start = 0; start < rows; start += batchSize) {
        const stop = Math.min(start + batchSize, rows);
        yield order === undefined
          ? sliceSamples(samples, start, stop)
          : takeSamples(samples, order.subarray(start, stop));
      }
    },
  };
}

/** Reads batches from a dataset; with `steps`, so many in each epoch, and the next epoch goes on from there. */
export function datasetSource(
  model: KerasModel,
  dataset: Dataset,
  action: string,
  { steps, classWeight }: { readonly steps?: number | undefined; readonly classWeight?: ClassWeight | undefined },
): DataSource {
  let iterator: Iterator<BatchLike> | AsyncIterator<BatchLike> | undefined;
  return {
    steps,
    async *epoch() {
      for (let done = 0; steps === undefined || done < steps; ) {
        const isFresh = iterator === undefined;
        iterator ??= open(dataset);
        const next = await iterator.next();
        if (!next.done) {
          done++;
          yield readSamples(model, next.value, action, classWeight);
          continue;
        }
        iterator = undefined;
        // An end right after the beginning: there is nothing more to come.
        if (steps === undefined || isFresh) return;
      }
    },
  };
}

function open(dataset: Dataset): Iterator<BatchLike> | AsyncIterator<BatchLike> {
  const made = typeof dataset === 'function' ? dataset() : dataset;
  return Symbol.asyncIterator in made ? made[Symbol.asyncIterator]() : made[Symbol.iterator]();
}
