import type { SymbolicTensor } from '../graph/node.ts';
import { classNameOf, fillConfig, type KerasObject } from './keras-object.ts';
import { projectionOf } from './projections.ts';

/** A condition that a weight keeps after each update. It matters to training alone; reading and writing need its name. */
export interface Constraint extends KerasObject {
  readonly role: 'constraint';
  /** The weight, changed so that it keeps the condition. */
  readonly project: (weight: SymbolicTensor) => SymbolicTensor;
}

const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  MaxNorm: { maxValue: 2, axis: 0 },
  MinMaxNorm: { minValue: 0, maxValue: 1, rate: 1, axis: 0 },
  NonNeg: {},
  RadialConstraint: {},
  UnitNorm: { axis: 0 },
};

/** Names of Keras 2 that do not follow from their class by the rule of case. */
const ALIASES: Readonly<Record<string, string>> = { maxnorm: 'MaxNorm', nonneg: 'NonNeg', unitnorm: 'UnitNorm' };

/**
 * A constraint by class name and configuration, or `undefined` when there is none of that name.
 *
 * @throws {TypeError} when the configuration has an unknown key.
 */
export function createConstraint(
  className: string,
  config: Readonly<Record<string, unknown>> = {},
): Constraint | undefined {
  const defaults = Object.hasOwn(DEFAULTS, className) ? DEFAULTS[className] : undefined;
  if (defaults === undefined) return undefined;
  const filled = fillConfig(className, defaults, config);
  const project = (weight: SymbolicTensor): SymbolicTensor => projectionOf(className, filled, weight);
  return { role: 'constraint', className, config: filled, project };
}

/** A constraint from a name such as `max_norm`, or one that exists already. */
export function resolveConstraint(value: unknown): Constraint | undefined {
  if (typeof value === 'string') {
    return createConstraint(Object.hasOwn(ALIASES, value) ? (ALIASES[value] as string) : classNameOf(value));
  }
  return (value as Partial<Constraint> | undefined)?.role === 'constraint' ? (value as Constraint) : undefined;
}
