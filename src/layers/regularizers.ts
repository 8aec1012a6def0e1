import { classNameOf, fillConfig, type KerasObject } from './keras-object.ts';

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

/** Names that do not follow from their class by the rule of case. */
const ALIASES: Readonly<Record<string, string>> = { l1_l2: 'L1L2', l1l2: 'L1L2', l1L2: 'L1L2' };

/**
 * A regularizer by class name and configuration, or `undefined` when there is none of that name.
 *
 * @throws {TypeError} when the configuration has an unknown key.
 */
export function createRegularizer(
  className: string,
  config: Readonly<Record<string, unknown>> = {},
): Regularizer | undefined {
  const defaults = Object.hasOwn(DEFAULTS, className) ? DEFAULTS[className] : undefined;
  return defaults && { role: 'regularizer', className, config: fillConfig(className, defaults, config) };
}

/** A regularizer from a name such as `l2`, or one that exists already. */
export function resolveRegularizer(value: unknown): Regularizer | undefined {
  if (typeof value === 'string') {
    return createRegularizer(Object.hasOwn(ALIASES, value) ? (ALIASES[value] as string) : classNameOf(value));
  }
  return (value as Partial<Regularizer> | undefined)?.role === 'regularizer' ? (value as Regularizer) : undefined;
}
