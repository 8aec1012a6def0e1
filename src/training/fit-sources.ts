/** Where the batches of a training, of its validation and of an evaluation come from, as the options say. */
import { freshSeed } from '../array/philox.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { PredictInputs } from '../model/read-inputs.ts';
import { arraySource, type DataSource, type Dataset, datasetSource, isDataset } from './data-source.ts';
import type { EvaluateOptions, FitOptions } from './fit-options.ts';
import { type BatchLike, readSamples, sliceSamples, type TargetValues } from './samples.ts';

export interface FitSources {
  readonly training: DataSource;
  readonly validation: DataSource | undefined;
}

const DEFAULT_BATCH_SIZE = 32;

/** @throws {RangeError} when the options do not fit the samples. */
export function fitSources(
  model: KerasModel,
  x: PredictInputs | Dataset,
  y: TargetValues | undefined,
  options: FitOptions,
): FitSources {
  const { batchSize = DEFAULT_BATCH_SIZE, shuffle = true, seed, validationSplit = 0, stepsPerEpoch } = options;
  const { classWeight, sampleWeight, validationData } = options;
  if (isDataset(x)) {
    if (validationSplit > 0) throw new RangeError('Cannot fit: validationSplit needs arrays, found a dataset');
    const training = datasetSource(model, x, 'fit', { steps: stepsPerEpoch, classWeight });
    return { training, validation: validationSource(model, validationData, options) };
  }
  const samples = readSamples(model, { x, y, sampleWeight }, 'fit', classWeight);
  const order = shuffle ? (seed ?? freshSeed()) : undefined;
  const source = { batchSize: checkedBatchSize(batchSize), seed: order };
  if (validationSplit === 0 || validationData !== undefined) {
    const training = limited(arraySource(samples, source), stepsPerEpoch);
    return { training, validation: validationSource(model, validationData, options) };
  }
  const split = Math.floor(samples.rows * (1 - validationSplit));
  if (!(split > 0 && split < samples.rows)) {
    throw new RangeError(
      `Cannot fit: validationSplit ${validationSplit} of ${samples.rows} samples leaves ${split} to train on, ` +
        'expected some on both sides',
    );
  }
  const held = sliceSamples(samples, split, samples.rows);
  return {
    training: limited(arraySource(sliceSamples(samples, 0, split), source), stepsPerEpoch),
    validation: arraySource(held, { batchSize: checkedBatchSize(options.validationBatchSize ?? batchSize) }),
  };
}

function validationSource(
  model: KerasModel,
  data: BatchLike | Dataset | undefined,
  options: FitOptions,
): DataSource | undefined {
  if (data === undefined) return undefined;
  const { batchSize = DEFAULT_BATCH_SIZE, validationBatchSize = batchSize, validationSteps } = options;
  if (isDataset(data)) return datasetSource(model, data, 'validate', { steps: validationSteps });
  return arraySource(readSamples(model, data, 'validate'), { batchSize: checkedBatchSize(validationBatchSize) });
}

export function evaluationSource(
  model: KerasModel,
  x: PredictInputs | Dataset,
  y: TargetValues | undefined,
  { batchSize = DEFAULT_BATCH_SIZE, sampleWeight, steps }: EvaluateOptions,
): DataSource {
  if (isDataset(x)) return datasetSource(model, x, 'evaluate', { steps });
  return arraySource(readSamples(model, { x, y, sampleWeight }, 'evaluate'), {
    batchSize: checkedBatchSize(batchSize),
  });
}

function checkedBatchSize(batchSize: number): number {
  if (Number.isSafeInteger(batchSize) && batchSize > 0) return batchSize;
  throw new RangeError(`Cannot train: batchSize is ${batchSize}, expected an integer above 0`);
}

/** No more than so many batches in each epoch. */
export function limited(source: DataSource, steps: number | undefined): DataSource {
  if (steps === undefined || (source.steps !== undefined && source.steps <= steps)) return source;
  return {
    ...source,
    steps,
    async *epoch(skipped = 0) {
      let done = skipped;
      if (done >= steps) return;
      for await (const samples of source.epoch(skipped)) {
        yield samples;
        if (++done === steps) return;
      }
    },
  };
}
