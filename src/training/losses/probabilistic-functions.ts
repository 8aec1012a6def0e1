/** Distances of distributions: one value for each sample. */
import { normalizeAxis } from '../../array/shape.ts';
import { tensor } from '../../array/tensor.ts';
import { constant } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { sigmoid, softmax } from '../../ops/activations.ts';
import { notEqual, where } from '../../ops/compare.ts';
import {
  binaryCrossentropy as binaryCrossentropies,
  categoricalCrossentropy as categoricalCrossentropies,
  sparseCategoricalCrossentropy as sparseCategoricalCrossentropies,
} from '../../ops/crossentropy.ts';
import { add, clip, divide, log, multiply, negative, power, subtract } from '../../ops/elementwise.ts';
import { oneHot } from '../../ops/indexing.ts';
import { toFloat } from '../../ops/operand.ts';
import { mean, sum } from '../../ops/reduce.ts';
import { expandDims, reshape, squeeze } from '../../ops/shape.ts';
import { EPSILON } from '../epsilon.ts';

/** Options of cross entropies, with Keras' defaults. */
export interface CrossentropyOptions {
  /** Whether predictions are logits instead of probabilities. */
  readonly fromLogits?: boolean;
  /** How much of each target is spread over all classes. */
  readonly labelSmoothing?: number;
  readonly axis?: number;
}

/** Σ yTrue · log(yTrue / yPred) over the last axis, with both from 1e-7 to 1. */
export function klDivergence(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const [target, prediction] = [clip(toFloat(yTrue), EPSILON, 1), clip(toFloat(yPred), EPSILON, 1)];
  return sum(multiply(target, log(divide(target, prediction))), -1);
}

/** mean(yPred − yTrue · log(yPred + 1e-7)) over the last axis. */
export function poisson(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  return mean(subtract(yPred, multiply(toFloat(yTrue), log(add(yPred, EPSILON)))), -1);
}

function smoothClasses(yTrue: SymbolicTensor, labelSmoothing: number): SymbolicTensor {
  const target = toFloat(yTrue);
  if (labelSmoothing === 0) return target;
  const classes = target.shape.at(-1) as number;
  return add(multiply(target, 1 - labelSmoothing), labelSmoothing / classes);
}

function smoothBinary(yTrue: SymbolicTensor, labelSmoothing: number): SymbolicTensor {
  const target = toFloat(yTrue);
  return labelSmoothing === 0 ? target : add(multiply(target, 1 - labelSmoothing), 0.5 * labelSmoothing);
}

/** −Σ yTrue · log(yPred) over the axis of classes. */
export function categoricalCrossentropy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  { fromLogits = false, labelSmoothing = 0, axis = -1 }: CrossentropyOptions = {},
): SymbolicTensor {
  return categoricalCrossentropies(smoothClasses(yTrue, labelSmoothing), yPred, fromLogits, axis);
}

/** Categorical cross entropy in which each class counts α · (1 − yPred)^γ: less, the better it is known. */
export function categoricalFocalCrossentropy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  {
    alpha = 0.25,
    gamma = 2,
    fromLogits = false,
    labelSmoothing = 0,
    axis = -1,
  }: CrossentropyOptions & { readonly alpha?: number | readonly number[]; readonly gamma?: number } = {},
): SymbolicTensor {
  const target = smoothClasses(yTrue, labelSmoothing);
  const given = fromLogits ? softmax(yPred, axis) : toFloat(yPred);
  const probability = clip(divide(given, sum(given, axis, true)), EPSILON, 1 - EPSILON);
  const entropy = multiply(negative(target), log(probability));
  const weight = multiply(power(subtract(1, probability), gamma), classWeights(alpha));
  return sum(multiply(weight, entropy), axis);
}

function classWeights(alpha: number | readonly number[]): SymbolicTensor | number {
  return typeof alpha === 'number' ? alpha : constant(tensor([...alpha]));
}

/** −log(yPred[yTrue]) for targets that are class numbers; 0 where the target is `ignoreClass`. */
export function sparseCategoricalCrossentropy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  { fromLogits = false, ignoreClass = null, axis = -1 }: SparseCrossentropyOptions = {},
): SymbolicTensor {
  const target = classNumbers(yTrue, yPred, axis);
  if (ignoreClass === null) return sparseCategoricalCrossentropies(target, yPred, fromLogits, axis);
  const isValid = notEqual(toFloat(target), ignoreClass);
  const values = sparseCategoricalCrossentropies(
    where(isValid, target, 0),
    where(expandDims(isValid, axis), yPred, 0),
    fromLogits,
    axis,
  );
  return where(reshape(isValid, values.shape), values, 0);
}

export interface SparseCrossentropyOptions {
  readonly fromLogits?: boolean;
  /** The class number of samples that do not count. */
  readonly ignoreClass?: number | null;
  readonly axis?: number;
}

/** Which samples `sparseCategoricalCrossentropy` counts. */
export function isCounted(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  ignoreClass: number,
  axis: number,
): SymbolicTensor {
  const place = normalizeAxis(axis, yPred.shape.length);
  const isValid = notEqual(toFloat(classNumbers(yTrue, yPred, axis)), ignoreClass);
  return reshape(
    isValid,
    yPred.shape.filter((_, other) => other !== place),
  );
}

function classNumbers(yTrue: SymbolicTensor, yPred: SymbolicTensor, axis: number): SymbolicTensor {
  return yTrue.shape.length === yPred.shape.length && yTrue.shape.at(axis) === 1 ? squeeze(yTrue, axis) : yTrue;
}

/** The mean over the axis of −yTrue · log(yPred) − (1 − yTrue) · log(1 − yPred). */
export function binaryCrossentropy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  { fromLogits = false, labelSmoothing = 0, axis = -1 }: CrossentropyOptions = {},
): SymbolicTensor {
  return mean(binaryCrossentropies(smoothBinary(yTrue, labelSmoothing), yPred, fromLogits), axis);
}

/** Binary cross entropy in which each value counts (1 − p)^γ, p being the probability of what is right. */
export function binaryFocalCrossentropy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  {
    applyClassBalancing = false,
    alpha = 0.25,
    gamma = 2,
    fromLogits = false,
    labelSmoothing = 0,
    axis = -1,
  }: CrossentropyOptions & {
    readonly applyClassBalancing?: boolean;
    readonly alpha?: number;
    readonly gamma?: number;
  } = {},
): SymbolicTensor {
  const target = smoothBinary(yTrue, labelSmoothing);
  const probability = fromLogits ? sigmoid(yPred) : toFloat(yPred);
  const rest = subtract(1, target);
  const right = add(multiply(target, probability), multiply(rest, subtract(1, probability)));
  const entropy = binaryCrossentropies(target, probability, false);
  const focal = multiply(power(subtract(1, right), gamma), entropy);
  if (!applyClassBalancing) return mean(focal, axis);
  return mean(multiply(add(multiply(target, alpha), multiply(rest, 1 - alpha)), focal), axis);
}

/** (1 − yPred[yTrue]^q) / q: less sensitive to wrong labels than the cross entropy, which it nears as q nears 0. */
export function categoricalGeneralizedCrossEntropy(
  yTrue: SymbolicTensor,
  yPred: SymbolicTensor,
  q = 0.5,
): SymbolicTensor {
  const hot = oneHot(yTrue, yPred.shape.at(-1) as number);
  return divide(subtract(1, power(sum(multiply(yPred, hot), -1), q)), q);
}
