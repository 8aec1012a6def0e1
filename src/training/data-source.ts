/** Where batches come from: arrays that are cut, or datasets that are iterated. */

import { PhiloxStream } from '../array/philox.ts';
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

/** Where the next epoch of a source begins; plain values, so that it can be stored. */
export type SourceMark =
  | { readonly kind: 'arrays'; readonly rows: number; readonly batchSize: number; readonly order: OrderMark | null }
  /** `taken` batches of the iterator that is open were taken in earlier epochs. */
  | { readonly kind: 'dataset'; readonly taken: number };

/** The state of the generator that orders samples. */
export interface OrderMark {
  readonly seed: number;
  readonly drawn: number;
}

/** Gives the batches of one epoch after the other. */
export interface DataSource {
  /** Batches of an epoch, where that is known. */
  readonly steps: number | undefined;
  /** The batches of the next epoch, without the first ones. */
  epoch(skipped?: number): AsyncIterable<Samples> | Iterable<Samples>;
  /** Where the next epoch begins. */
  mark(): SourceMark;
  /** Goes to where another source of the same samples was; what was not ordered before may be ordered from here on. */
  goTo(mark: SourceMark): void;
  /** Says why the source cannot go there: other samples, other batches; `undefined` when it can. */
  misfit(mark: SourceMark): string | undefined;
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
  readonly seed?: number | undefined;
}

/** Cuts arrays into batches; the last one may be smaller. */
export function arraySource(samples: Samples, { batchSize, seed }: ArraySourceOptions): DataSource {
  const { rows } = samples;
  let order = seed === undefined ? undefined : { seed, stream: new PhiloxStream(seed) };
  return {
    steps: Math.ceil(rows / batchSize),
    *epoch(skipped = 0) {
      const indices = order && shuffledOrder(rows, order.stream);
      for (let start = skipped * batchSize; start < rows; start += batchSize) {
        const stop = Math.min(start + batchSize, rows);
        yield indices === undefined
          ? sliceSamples(samples, start, stop)
          : takeSamples(samples, indices.subarray(start, stop));
      }
    },
    mark: () => {
      const mark = order === undefined ? null : { seed: order.seed, drawn: order.stream.drawn };
      return { kind: 'arrays', rows, batchSize, order: mark };
    },
    goTo: (mark) => {
      if (mark.kind !== 'arrays' || mark.order === null || order === undefined) return;
      const { seed, drawn } = mark.order;
      order = { seed, stream: new PhiloxStream(seed, drawn) };
    },
    misfit: (mark) => {
      if (mark.kind !== 'arrays') return `the state is of a training on a dataset, this one is on arrays`;
      if (mark.rows === rows && mark.batchSize === batchSize && (mark.order === null) === (order === undefined)) {
        return undefined;
      }
      const describe = (count: number, size: number, isShuffled: boolean): string =>
        `${count} samples in batches of ${size}, ${isShuffled ? 'shuffled' : 'in their order'}`;
      const before = describe(mark.rows, mark.batchSize, mark.order !== null);
      return `the state is of a training on ${before}, this one is on ${describe(rows, batchSize, order !== undefined)}`;
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
  /** Batches of the iterator that were taken. */
  let taken = 0;
  /** Batches to leave out, which another source took. */
  let left = 0;
  return {
    steps,
    async *epoch(skipped = 0) {
      for (left += skipped; left > 0; ) {
        const isFresh = iterator === undefined;
        iterator ??= open(dataset);
        if (!(await iterator.next()).done) {
          taken++;
          left--;
          continue;
        }
        if (steps === undefined || isFresh) {
          throw new RangeError(`Cannot ${action}: the dataset ends before the batch at which the training goes on`);
        }
        iterator = undefined;
        taken = 0;
      }
      for (let done = skipped; steps === undefined || done < steps; ) {
        const isFresh = iterator === undefined;
        iterator ??= open(dataset);
        const next = await iterator.next();
        if (!next.done) {
          done++;
          taken++;
          yield readSamples(model, next.value, action, classWeight);
          continue;
        }
        iterator = undefined;
        taken = 0;
        // An end right after the beginning: there is nothing more to come.
        if (steps === undefined || isFresh) return;
      }
    },
    mark: () => ({ kind: 'dataset', taken: taken + left }),
    goTo: (mark) => {
      iterator = undefined;
      taken = 0;
      left = mark.kind === 'dataset' ? mark.taken : 0;
    },
    misfit: ({ kind }) =>
      kind === 'dataset' ? undefined : 'the state is of a training on arrays, this one is on a dataset',
  };
}

function open(dataset: Dataset): Iterator<BatchLike> | AsyncIterator<BatchLike> {
  const made = typeof dataset === 'function' ? dataset() : dataset;
  return Symbol.asyncIterator in made ? made[Symbol.asyncIterator]() : made[Symbol.iterator]();
}
