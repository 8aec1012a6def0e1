import { classNameOf, type KerasObject } from './keras-object.ts';

/** A penalty on a weight or an output. Its numbers matter to training alone; reading and writing need its name. */
export interface Regularizer extends KerasObject {
  readonly role: 'regularizer';
}

const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  L1: { l1: 0.01 },
  L2: { l2: 0.01 },
  L1L2: { l1: 0, l2: 0 },
  OrthogonalRegularizer: { factor: 0.01, mode: 'rows' },
};

/** A regularizer by class name and configuration, or `undefined` when there is none of that name. */
export function createRegularizer(
  className: string,
  config: Readonly<Record<string, unknown>> = {},
): Regularizer | undefined {
  const known = Object.hasOwn(DEFAULTS, className) ? className : undefined;
  return known === undefined
    ? undefined
    : { role: 'regularizer', className: known, config: { ...DEFAULTS[known], ...config } };
}

/** A regularizer from a name such as `l2`, or one that exists already. */
export function resolveRegularizer(value: unknown): Regularizer | undefined {
  if (typeof value === 'string') return createRegularizer(value === 'l1_l2' ? 'L1L2' : classNameOf(value));
  return (value as Partial<Regularizer> | undefined)?.role === 'regularizer' ? (value as Regularizer) : undefined;
}
