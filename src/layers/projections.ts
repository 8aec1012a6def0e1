/** The mathematics of constraints. */
import { UnsupportedError } from '../errors.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { add, clip, divide, maximum, multiply, sqrt, square } from '../ops/elementwise.ts';
import type { Axes } from '../ops/operand.ts';
import { sum } from '../ops/reduce.ts';

type Config = Readonly<Record<string, unknown>>;
type Projection = (weight: SymbolicTensor, config: Config) => SymbolicTensor;

/** Keras' fuzz factor. */
const EPSILON = 1e-7;

const PROJECTIONS: Readonly<Record<string, Projection>> = {
  MaxNorm: (weight, { maxValue, axis }) => withNorms(weight, axis, (norms) => clip(norms, 0, Number(maxValue))),
  MinMaxNorm: (weight, { minValue, maxValue, rate, axis }) =>
    withNorms(weight, axis, (norms) => {
      const wanted = multiply(clip(norms, Number(minValue), Number(maxValue)), Number(rate));
      return add(wanted, multiply(norms, 1 - Number(rate)));
    }),
  NonNeg: (weight) => maximum(weight, 0),
  UnitNorm: (weight, { axis }) => divide(weight, add(normsOf(weight, axis), EPSILON)),
};

function normsOf(weight: SymbolicTensor, axis: unknown): SymbolicTensor {
  return sqrt(sum(square(weight), axis as Axes, true));
}

/** The vectors along the axes with other norms. */
function withNorms(
  weight: SymbolicTensor,
  axis: unknown,
  wanted: (norms: SymbolicTensor) => SymbolicTensor,
): SymbolicTensor {
  const norms = normsOf(weight, axis);
  return multiply(weight, divide(wanted(norms), add(norms, EPSILON)));
}

/**
 * The weight, changed so that it keeps the condition of the constraint's class.
 *
 * @throws {UnsupportedError} for `RadialConstraint`, which only Keras 2 had.
 */
export function projectionOf(className: string, config: Config, weight: SymbolicTensor): SymbolicTensor {
  const project = PROJECTIONS[className];
  if (project === undefined) {
    throw new UnsupportedError(`Cannot train with constraint ${className}: Keras 3 no longer has it`, className);
  }
  return project(weight, config);
}
