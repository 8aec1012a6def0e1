/**
 * Configuration fields: what a layer's options are called, what they may be, their defaults, and how a file encodes
 * them. A layer states each option once, as a row in its `fields`; the constructor, `getConfig`, the readers of every
 * Keras dialect and the check for unknown keys all follow from it.
 */
import type { SymbolicTensor } from '../graph/node.ts';
import { type Activation, resolveActivation } from './activation.ts';
import { type Constraint, resolveConstraint } from './constraints.ts';
import { type Initializer, resolveInitializer } from './initializers.ts';
import { type Regularizer, resolveRegularizer } from './regularizers.ts';

/** How a file encodes a field: `plain` as JSON, the others as names or `{ class_name, config }`. */
export type FieldKind = 'plain' | 'activation' | 'initializer' | 'regularizer' | 'constraint' | 'layer' | 'layers';

export interface Field<T> {
  readonly kind: FieldKind;
  /** What the field may be, for error messages. */
  readonly expected: string;
  /** The value that is meant, or `undefined` when it is none that the field may have. */
  parse(value: unknown): T | undefined;
  /** Absent for a field that must be given. */
  readonly default?: () => T;
}

/** One field for each entry of a configuration. */
export type Fields<C> = { readonly [K in keyof C]-?: Field<C[K]> };

/** What may be given where a configuration will hold a `T`. */
export type OptionInput<T> = [T] extends [Activation]
  ? Activation | string | ((x: SymbolicTensor) => SymbolicTensor)
  : [T] extends [Initializer]
    ? Initializer | string
    : [T] extends [Regularizer | null]
      ? Regularizer | string | null
      : [T] extends [Constraint | null]
        ? Constraint | string | null
        : [T] extends [readonly number[]]
          ? number | readonly number[]
          : T;

/** The options of a constructor: those named in `R` must be given. */
export type Options<C, R extends keyof C = never> = { readonly [K in R]: OptionInput<C[K]> } & {
  readonly [K in Exclude<keyof C, R>]?: OptionInput<C[K]> | undefined;
};

/**
 * Checks options against fields and fills in the defaults.
 *
 * @throws {TypeError} when an option is unknown, missing, or not what its field may be.
 */
export function resolveConfig<C>(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>): C {
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(fields, key)) {
      const known = Object.keys(fields).join(', ');
      throw new TypeError(`Cannot create ${className}: found an unknown option "${key}", expected one of ${known}`);
    }
  }
  const resolved: Record<string, unknown> = {};
  for (const key in fields) {
    const field: Field<unknown> = fields[key];
    const given = options[key];
    if (given === undefined) {
      if (field.default === undefined) throw new TypeError(`Cannot create ${className}: option "${key}" is missing`);
      resolved[key] = field.default();
      continue;
    }
    const value = field.parse(given);
    if (value === undefined) {
      throw new TypeError(
        `Cannot create ${className}: option "${key}" is ${abbreviate(given)}, expected ${field.expected}`,
      );
    }
    resolved[key] = value;
  }
  return resolved as C;
}

/** A value as JSON, cut where it would fill the screen. */
function abbreviate(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function field<T>(
  kind: FieldKind,
  expected: string,
  parse: (value: unknown) => T | undefined,
  fallback: [T] | [],
): Field<T> {
  if (fallback.length === 0) return { kind, expected, parse };
  const [value] = fallback;
  return { kind, expected, parse, default: () => value };
}

/** A number; without a default it must be given. */
export function number(...fallback: [number] | []): Field<number> {
  return field('plain', 'a number', (value) => (typeof value === 'number' ? value : undefined), fallback);
}

export function integer(...fallback: [number] | []): Field<number> {
  return field(
    'plain',
    'an integer',
    (value) => (Number.isSafeInteger(value) ? (value as number) : undefined),
    fallback,
  );
}

/** An integer of at least 1. */
export function positiveInteger(...fallback: [number] | []): Field<number> {
  const parse = (value: unknown): number | undefined =>
    Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
  return field('plain', 'an integer above 0', parse, fallback);
}

/** A bool; Python's 0 and 1 are taken too. */
export function boolean(...fallback: [boolean] | []): Field<boolean> {
  const parse = (value: unknown): boolean | undefined =>
    typeof value === 'boolean' ? value : value === 0 || value === 1 ? value === 1 : undefined;
  return field('plain', 'true or false', parse, fallback);
}

export function string(...fallback: [string] | []): Field<string> {
  return field('plain', 'a string', (value) => (typeof value === 'string' ? value : undefined), fallback);
}

/** One of a closed set of strings. */
export function oneOf<const S extends string>(names: readonly S[], ...fallback: [NoInfer<S>] | []): Field<S> {
  return field(
    'plain',
    names.map((name) => `"${name}"`).join(' or '),
    (value) => names.find((name) => name === value),
    fallback,
  );
}

/** One extent per axis; a single number stands for all. A list of one element stands for all too, as in Keras. */
export function extents(ndim: number, ...fallback: [number | readonly number[]] | []): Field<readonly number[]> {
  const parse = (value: unknown): readonly number[] | undefined => {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    const full = list.length === 1 ? new Array<unknown>(ndim).fill(list[0]) : list;
    return full.length === ndim && full.every(Number.isSafeInteger) ? (full as number[]) : undefined;
  };
  const expected = `an integer or ${ndim} integers`;
  if (fallback.length === 0) return field('plain', expected, parse, []);
  return field('plain', expected, parse, [parse(fallback[0]) as readonly number[]]);
}

/** Any of several fields, the first that fits; `null` where the field itself may be null. */
export function nullable<T>(inner: Field<T>, ...fallback: [T | null] | []): Field<T | null> {
  return field(
    inner.kind,
    `${inner.expected} or null`,
    (value) => (value === null ? null : inner.parse(value)),
    fallback.length === 0 ? [null] : fallback,
  );
}

/** A value that is kept as it is, for what has its own check in the constructor. */
export function anything<T>(expected: string, check: (value: unknown) => boolean, ...fallback: [T] | []): Field<T> {
  return field('plain', expected, (value) => (check(value) ? (value as T) : undefined), fallback);
}

export function activation(fallback: string | null): Field<Activation> {
  const expected = 'the name of an activation, a function, or a layer';
  return {
    kind: 'activation',
    expected,
    parse: resolveActivation,
    default: () => resolveActivation(fallback) as Activation,
  };
}

export function initializer(fallback: string): Field<Initializer> {
  return {
    kind: 'initializer',
    expected: 'the name of an initializer, or an initializer',
    parse: resolveInitializer,
    default: () => resolveInitializer(fallback) as Initializer,
  };
}

export function regularizer(): Field<Regularizer | null> {
  const parse = (value: unknown): Regularizer | null | undefined => (value === null ? null : resolveRegularizer(value));
  return field('regularizer', 'the name of a regularizer, a regularizer, or null', parse, [null]);
}

export function constraint(): Field<Constraint | null> {
  const parse = (value: unknown): Constraint | null | undefined => (value === null ? null : resolveConstraint(value));
  return field('constraint', 'the name of a constraint, a constraint, or null', parse, [null]);
}
