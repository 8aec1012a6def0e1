import { formatShape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Fields } from '../../layers/fields.ts';
import { loop } from '../../layers/rnn/loop.ts';
import { logSoftmax } from '../../ops/activations.ts';
import { equal, notEqual } from '../../ops/compare.ts';
import { full } from '../../ops/creation.ts';
import { add, logaddexp, multiply, negative, subtract } from '../../ops/elementwise.ts';
import { oneHot } from '../../ops/indexing.ts';
import { matmul } from '../../ops/matrix.ts';
import { cast, toFloat } from '../../ops/operand.ts';
import { pad } from '../../ops/padding.ts';
import { sum } from '../../ops/reduce.ts';
import { between, concatenate, swapaxes, transpose } from '../../ops/shape.ts';
import { FunctionalLoss, type LossConfig, type LossOptions, lossFields } from './loss.ts';

/** The logarithm of a probability that is as good as 0. */
const LOG_ZERO = -1e5;

/** The class that stands for nothing; it also fills up the targets. */
const BLANK = 0;

/**
 * −log of the probability that predictions spell the targets, over all ways to stretch them and to put blanks between.
 *
 * `yTrue` is `[batch, labels]`, filled up with 0, and `yPred` are logits `[batch, steps, classes]`, class 0 the blank.
 *
 * @throws {ShapeError} when the shapes are others.
 */
function ctc(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  if (yTrue.shape.length !== 2 || yPred.shape.length !== 3) {
    throw new ShapeError(
      `Cannot compute CTC: found targets ${formatShape(yTrue.shape)} and predictions ${formatShape(yPred.shape)}, ` +
        'expected [batch, labels] and [batch, steps, classes]',
    );
  }
  const [batch, labels] = yTrue.shape as [number, number];
  const classes = yPred.shape[2] as number;
  const target = cast(yTrue, 'int32');
  const logs = logSoftmax(yPred);
  const blank = transpose(between(logs, 2, BLANK, BLANK + 1), [1, 0, 2]);
  const emitted = transpose(matmul(logs, swapaxes(oneHot(target, classes), 1, 2)), [1, 0, 2]);
  // 1 where the next label is the same: then a blank must lie between.
  const neighbours = equal(between(target, 1, 0, labels - 1), between(target, 1, 1, labels));
  const repeats = pad(toFloat(neighbours), [
    [0, 0],
    [0, 1],
  ]);
  const viaBlank = multiply(subtract(1, repeats), LOG_ZERO);
  const direct = multiply(repeats, LOG_ZERO);
  // Logarithms of the probabilities of having spelt n labels and standing on a blank, or on the n-th label.
  const onBlank = concatenate([full([batch, 1], 0, 'float32'), full([batch, labels], LOG_ZERO, 'float32')], 1);
  const onLabel = full([batch, labels], LOG_ZERO, 'float32');
  const { carries } = loop([onBlank, onLabel], [emitted, blank], (states, steps) => {
    const [wasBlank, wasLabel] = states as [SymbolicTensor, SymbolicTensor];
    const [labelLog, blankLog] = steps as [SymbolicTensor, SymbolicTensor];
    const before = addToLater(wasBlank, add(wasLabel, direct));
    const label = logaddexp(add(between(before, 1, 0, labels), labelLog), add(wasLabel, labelLog));
    const stay = add(before, blankLog);
    return { carries: [addToLater(stay, add(add(wasLabel, blankLog), viaBlank)), label], outputs: [] };
  });
  const [lastBlank, lastLabel] = carries as [SymbolicTensor, SymbolicTensor];
  const final = addToLater(lastBlank, lastLabel);
  const lengths = sum(notEqual(target, BLANK), -1);
  return negative(sum(multiply(final, oneHot(lengths, labels + 1)), -1));
}

/** Adds to all probabilities but the first, in logarithms. */
function addToLater(logs: SymbolicTensor, more: SymbolicTensor): SymbolicTensor {
  const later = between(logs, 1, 1, logs.shape[1] as number);
  return concatenate([between(logs, 1, 0, 1), logaddexp(later, more)], 1);
}

/** Connectionist temporal classification: for sequences that are spelt without being told when. */
export class CTC extends FunctionalLoss {
  static readonly className = 'CTC';
  static readonly fields: Fields<LossConfig> = lossFields('ctc');

  constructor(options: LossOptions = {}) {
    super(CTC.className, CTC.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return ctc(yTrue, yPred);
  }
}
