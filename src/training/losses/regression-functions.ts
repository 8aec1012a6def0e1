/** Distances of numbers: one value for each sample, the mean over the last axis. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { softplus } from '../../ops/activations.ts';
import { lessEqual, where } from '../../ops/compare.ts';
import { abs, add, divide, log, maximum, multiply, negative, square, subtract } from '../../ops/elementwise.ts';
import { normalize } from '../../ops/normalization.ts';
import { mean, sum } from '../../ops/reduce.ts';
import { alignRanks } from '../align.ts';
import { EPSILON } from '../epsilon.ts';

/** mean((yTrue − yPred)²). */
export function meanSquaredError(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  return mean(square(subtract(...alignRanks(yTrue, yPred))), -1);
}

/** mean(|yTrue − yPred|). */
export function meanAbsoluteError(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  return mean(abs(subtract(...alignRanks(yTrue, yPred))), -1);
}

/** 100 · mean(|yTrue − yPred| / |yTrue|), with |yTrue| at least 1e-7. */
export function meanAbsolutePercentageError(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [target, prediction] = alignRanks(yTrue, yPred);
  const relative = divide(subtract(target, prediction), maximum(abs(target), EPSILON));
  return multiply(mean(abs(relative), -1), 100);
}

/** mean((log(1 + yTrue) − log(1 + yPred))²), with both at least 1e-7. */
export function meanSquaredLogarithmicError(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [target, prediction] = alignRanks(yTrue, yPred);
  const logOf = (x: SymbolicTensor): SymbolicTensor => log(add(maximum(x, EPSILON), 1));
  return mean(square(subtract(logOf(prediction), logOf(target))), -1);
}

/** The cosine of the angle between the vectors along an axis: 1 where they point the same way. */
export function cosineOfAngle(yTrue: SymbolicTensor, yPred: SymbolicTensor, axis = -1): SymbolicTensor {
  const [target, prediction] = alignRanks(yTrue, yPred);
  return sum(multiply(normalize(target, axis), normalize(prediction, axis)), axis);
}

/** The negative cosine of the angle between the vectors along an axis: −1 where they point the same way. */
export function cosineSimilarity(yTrue: SymbolicTensor, yPred: SymbolicTensor, axis = -1): SymbolicTensor {
  return negative(cosineOfAngle(yTrue, yPred, axis));
}

/** Half the square of errors up to `delta`, and beyond it a line with the slope that the square has there. */
export function huber(yTrue: SymbolicTensor, yPred: SymbolicTensor, delta = 1): SymbolicTensor {
  const [target, prediction] = alignRanks(yTrue, yPred);
  const error = subtract(prediction, target);
  const magnitude = abs(error);
  const line = subtract(multiply(magnitude, delta), 0.5 * delta * delta);
  return mean(where(lessEqual(magnitude, delta), multiply(square(error), 0.5), line), -1);
}

/** mean(log(cosh(yPred − yTrue))). */
export function logCosh(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [target, prediction] = alignRanks(yTrue, yPred);
  const error = subtract(prediction, target);
  return mean(subtract(add(error, softplus(multiply(error, -2))), Math.LN2), -1);
}
