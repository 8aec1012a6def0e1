/** Cross entropies of Keras' backend functions; losses and metrics build on them. */
import { formatShape, shapesEqual } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { logSigmoid, logSoftmax } from './activations.ts';
import { add, clip, divide, log, multiply, negative, subtract } from './elementwise.ts';
import { oneHot } from './indexing.ts';
import { normalizeAxes, type Operand, toFloat, toSymbol } from './operand.ts';
import { sum } from './reduce.ts';
import { squeeze } from './shape.ts';

/** Probabilities are kept this far from 0 and 1. */
const EPSILON = 1e-7;

function checkShapes(target: SymbolicTensor, output: SymbolicTensor): void {
  if (shapesEqual(target.shape, output.shape)) return;
  throw new ShapeError(
    `Cannot compute a cross entropy: found a target of shape ${formatShape(target.shape)}, ` +
      `expected ${formatShape(output.shape)} as the output`,
  );
}

function logProbabilities(output: SymbolicTensor, fromLogits: boolean, axis: number): SymbolicTensor {
  if (fromLogits) return logSoftmax(output, axis);
  const normalized = divide(output, sum(output, axis, true));
  return log(clip(normalized, EPSILON, 1 - EPSILON));
}

/** −Σ target · log(output) over an axis; the outputs are normalised first. */
export function categoricalCrossentropy(
  target: Operand,
  output: Operand,
  fromLogits = false,
  axis = -1,
): SymbolicTensor {
  const [wanted, found] = [toFloat(target), toFloat(output)];
  checkShapes(wanted, found);
  return negative(sum(multiply(wanted, logProbabilities(found, fromLogits, axis)), axis));
}

/** −log(output[target]), for targets that are class numbers; the outputs are normalised first. */
export function sparseCategoricalCrossentropy(
  target: Operand,
  output: Operand,
  fromLogits = false,
  axis = -1,
): SymbolicTensor {
  const found = toFloat(output);
  const given = toSymbol(target);
  const classes = given.shape.length === found.shape.length && given.shape.at(-1) === 1 ? squeeze(given, -1) : given;
  const [place] = normalizeAxes(axis, found.shape.length) as [number];
  const logs = logProbabilities(found, fromLogits, axis);
  return negative(sum(multiply(oneHot(classes, found.shape[place] as number, place), logs), place));
}

/** −target · log(output) − (1 − target) · log(1 − output), element by element. */
export function binaryCrossentropy(target: Operand, output: Operand, fromLogits = false): SymbolicTensor {
  const [wanted, found] = [toFloat(target), toFloat(output)];
  checkShapes(wanted, found);
  const probability = clip(found, EPSILON, 1 - EPSILON);
  const [logYes, logNo] = fromLogits
    ? [logSigmoid(found), logSigmoid(negative(found))]
    : [log(probability), log(subtract(1, probability))];
  return negative(add(multiply(wanted, logYes), multiply(subtract(1, wanted), logNo)));
}
