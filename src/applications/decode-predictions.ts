import { formatShape } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import { type ClassLabel, labelOf } from './class-labels.ts';

export interface DecodePredictionsOptions {
  /** What the classes are called, in the order of the model's outputs: names, or what `readLabels` gives. */
  readonly labels: readonly (string | ClassLabel)[];
  /** Number of classes for each sample, 5 unless given. */
  readonly top?: number;
}

/** One class that a model thinks likely. */
export interface DecodedPrediction extends ClassLabel {
  /** Place of the class among the model's outputs. */
  readonly index: number;
  readonly score: number;
}

/**
 * The likeliest classes of each sample, the best first, as Keras' `decode_predictions`; of equal scores the first class is
 * first. Predictions are `[batch, classes]`.
 *
 * Keras downloads the names of ImageNet's classes; here the caller passes them.
 *
 * ```ts
 * import { decodePredictions, tensor } from 'hornet';
 *
 * const [first] = decodePredictions(tensor([[0.25, 0.75]]), { labels: ['cat', 'dog'], top: 1 });
 *
 * expect(first).toEqual([{ index: 1, className: 'dog', classDescription: 'dog', score: 0.75 }]);
 * ```
 *
 * @throws {RangeError} when the predictions have another number of classes than there are labels.
 */
export function decodePredictions(
  predictions: Tensor,
  { labels, top = 5 }: DecodePredictionsOptions,
): DecodedPrediction[][] {
  const { shape, data } = predictions;
  const [samples = 0, classes = 0] = shape;
  if (shape.length !== 2 || classes !== labels.length || predictions.dtype === 'string') {
    throw new RangeError(
      `Cannot decode predictions: found ${predictions.dtype}${formatShape(shape)}, ` +
        `expected numbers of shape [samples, ${labels.length}], as there are ${labels.length} labels`,
    );
  }
  if (!Number.isSafeInteger(top) || top < 1) {
    throw new RangeError(`Cannot decode predictions: found top ${top}, expected a whole number of at least 1`);
  }
  const names = labels.map((label) => (typeof label === 'string' ? labelOf(label) : label));
  return Array.from({ length: samples }, (_, sample) => {
    const scores = data.slice(sample * classes, (sample + 1) * classes) as ArrayLike<number>;
    return Array.from(names, ({ className, classDescription }, index) => ({
      index,
      className,
      classDescription,
      score: scores[index] as number,
    }))
      .sort(byScore)
      .slice(0, top);
  });
}

/** Descending. What is not a number comes first, as NumPy sorts it, so that a broken model shows. */
function byScore({ score: a }: DecodedPrediction, { score: b }: DecodedPrediction): number {
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a)) || b - a || 0;
}
