import { classNameOf, type KerasObject } from './keras-object.ts';

/** A condition that a weight keeps after each update. It matters to training alone; reading and writing need its name. */
export interface Constraint extends KerasObject {
  readonly role: 'constraint';
}

const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  MaxNorm: { maxValue: 2, axis: 0 },
  MinMaxNorm: { minValue: 0, maxValue: 1, rate: 1, axis: 0 },
  NonNeg: {},
  UnitNorm: { axis: 0 },
};

/** A constraint by class name and configuration, or `undefined` when there is none of that name. */
export function createConstraint(
  className: string,
  config: Readonly<Record<string, unknown>> = {},
): Constraint | undefined {
  return Object.hasOwn(DEFAULTS, className)
    ? { role: 'constraint', className, config: { ...DEFAULTS[className], ...config } }
    : undefined;
}

/** A constraint from a name such as `max_norm`, or one that exists already. */
export function resolveConstraint(value: unknown): Constraint | undefined {
  if (typeof value === 'string') return createConstraint(classNameOf(value));
  return (value as Partial<Constraint> | undefined)?.role === 'constraint' ? (value as Constraint) : undefined;
}
