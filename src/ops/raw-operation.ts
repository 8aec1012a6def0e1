/**
 * Operations as saved models call them: by name, with the argument names of Python.
 *
 * Arguments come from three places: the call (by position or by keyword), the constructor of the operation (its config),
 * and defaults. Keras moved some between the first two over its versions, so that they are one list here.
 */
import { type NestedArray, Tensor, tensor } from '../array/tensor.ts';
import { UnsupportedError } from '../errors.ts';
import { SymbolicTensor } from '../graph/node.ts';
import type { IndexItem, SliceSpec } from './indexing.ts';
import { knownValue } from './known-values.ts';
import type { Operand } from './operand.ts';
import { stack } from './shape.ts';

/** Values of a call, tensors already symbolic, inline arrays already host tensors or nested lists. */
export interface RawCall {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

export interface RawOperation {
  /** Names that the config and the keywords may have; `name` is always allowed and has no meaning. */
  readonly keys: readonly string[];
  /**
   * Adds the operation to the graph.
   *
   * @throws {TypeError} when an argument is missing, unknown, or of another kind.
   * @throws {UnsupportedError} when an argument asks for what Hornet does not have.
   */
  call(inputs: RawCall, config: Readonly<Record<string, unknown>>): SymbolicTensor | SymbolicTensor[];
}

/** Config keys that an operation does not know: it would compute something else than the file says. */
export function unknownKeys(operation: RawOperation, config: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(config).filter((key) => key !== 'name' && !operation.keys.includes(key));
}

/**
 * Declares an operation.
 *
 * `signature` names the positional arguments, in order; `*xs` takes a list, or all arguments that follow
 * when the first is no list. `defaults` has
 * the keys that may be left out, and all keys of the config.
 */
export function rawOperation(
  title: string,
  signature: string,
  defaults: Readonly<Record<string, unknown>>,
  run: (call: CallArguments) => SymbolicTensor | SymbolicTensor[],
): RawOperation {
  const positional = signature.split(' ').filter((name) => name !== '');
  const names = positional.map((name) => name.replace('*', ''));
  const keys = [...new Set([...names, ...Object.keys(defaults)])];
  const operation: RawOperation = {
    keys,
    call: (inputs, config) => {
      const unknown = [...unknownKeys(operation, config), ...unknownKeys(operation, inputs.kwargs)];
      if (unknown.length > 0) {
        throw new TypeError(
          `Cannot call ${title}: found ${unknown.join(', ')}, expected only ${keys.join(', ') || 'nothing'}`,
        );
      }
      return run(
        new CallArguments(title, {
          ...defaults,
          ...config,
          ...byName(title, positional, inputs.args),
          ...inputs.kwargs,
        }),
      );
    },
  };
  return operation;
}

/** A row of a table: names (of one function, separated by spaces), signature, defaults, and what to do. */
export type OperationRow = readonly [
  names: string,
  signature: string,
  defaults: Readonly<Record<string, unknown>>,
  run: (call: CallArguments) => SymbolicTensor | SymbolicTensor[],
];

/** The first of several names that is given: TensorFlow 1 called some arguments otherwise. */
export function either(call: CallArguments, ...names: string[]): string {
  return names.find((name) => call.has(name)) ?? (names[0] as string);
}

function byName(title: string, positional: readonly string[], args: readonly unknown[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [index, value] of args.entries()) {
    const name = positional[index];
    if (name?.startsWith('*')) {
      const rest = args.slice(index);
      const isList = Array.isArray(value) && (rest.length === 1 || positional.length > index + 1);
      values[name.slice(1)] = isList ? value : rest;
      if (isList) continue;
      return values;
    }
    if (name === undefined) {
      throw new TypeError(
        `Cannot call ${title}: found ${args.length} arguments, expected at most ${positional.length}`,
      );
    }
    values[name] = value;
  }
  return values;
}

/** The arguments of one call, read by name and checked for their kind. */
export class CallArguments {
  readonly #title: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(title: string, values: Readonly<Record<string, unknown>>) {
    this.#title = title;
    this.#values = values;
  }

  #fail(name: string, expected: string): never {
    const value = this.#values[name];
    const found = value === undefined ? 'nothing' : describe(value);
    throw new TypeError(`Cannot call ${this.#title}: argument "${name}" is ${found}, expected ${expected}`);
  }

  /** Whether the argument is given and not null. */
  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  raw(name: string): unknown {
    return this.#values[name];
  }

  /** A tensor, a literal, or a nested list of numbers, whose dtype is int32 when all are integers. */
  tensor(name: string): Operand {
    return toOperand(this.#values[name]) ?? this.#fail(name, 'a tensor or numbers');
  }

  tensorOrNull(name: string): Operand | null {
    return this.has(name) ? this.tensor(name) : null;
  }

  tensors(name: string): Operand[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) return [this.tensor(name)];
    return value.map((element) => toOperand(element) ?? this.#fail(name, 'a list of tensors'));
  }

  number(name: string): number {
    const value = this.#number(this.#values[name]);
    return value ?? this.#fail(name, 'a number');
  }

  numberOrNull(name: string): number | null {
    return this.has(name) ? this.number(name) : null;
  }

  /** A list of numbers; a constant tensor counts as one. */
  numbers(name: string): number[] {
    const value = knownValue(this.#values[name]);
    if (typeof value === 'number') return [value];
    if (!Array.isArray(value)) this.#fail(name, 'a list of numbers that are known while tracing');
    return value.map((element) => this.#number(element) ?? this.#fail(name, 'a list of numbers'));
  }

  numbersOrNull(name: string): number[] | null {
    return this.has(name) ? this.numbers(name) : null;
  }

  /** One number, or a list. */
  numberOrNumbers(name: string): number | number[] {
    const value = this.#number(this.#values[name]);
    return value ?? this.numbers(name);
  }

  /** Axes: one, a list, or null. */
  axes(name = 'axis'): number | number[] | null {
    return this.has(name) ? this.numberOrNumbers(name) : null;
  }

  /** Numbers nested to any depth, as a list or a constant tensor. */
  nested(name: string): NestedArray {
    const value = this.#values[name];
    if (value instanceof Tensor) return value.toArray();
    if (value instanceof SymbolicTensor) {
      if (value.node.primitive !== 'constant') this.#fail(name, 'numbers that are known while tracing');
      return value.node.attributes.value.toArray();
    }
    return typeof value === 'number' || Array.isArray(value) ? value : this.#fail(name, 'numbers');
  }

  boolean(name: string): boolean {
    const value = this.#values[name];
    return typeof value === 'boolean'
      ? value
      : value === 0 || value === 1
        ? value === 1
        : this.#fail(name, 'true or false');
  }

  string(name: string): string {
    const value = this.#values[name];
    return typeof value === 'string' ? value : this.#fail(name, 'a string');
  }

  /** One of several words; null means the first. */
  choice<const Words extends readonly string[]>(name: string, words: Words): Words[number] {
    if (!this.has(name)) return words[0] as Words[number];
    const value = this.string(name).toLowerCase();
    return words.find((other) => other === value) ?? this.#fail(name, words.map((other) => `"${other}"`).join(' or '));
  }

  /** The name of a dtype, or null. Keras 3 may write a policy instead. */
  dtypeOrNull(name = 'dtype'): string | null {
    const value = this.#values[name];
    if (value === undefined || value === null) return null;
    if (typeof value === 'string') return value;
    const policy = (value as { config?: { name?: unknown } }).config?.name;
    return typeof policy === 'string' ? policy : this.#fail(name, 'the name of a dtype');
  }

  /** Square brackets: slices, indices, ellipses and new axes. */
  key(name: string): IndexItem[] {
    const value = this.#values[name];
    const items = Array.isArray(value) ? value : [value];
    return items.map((item) => {
      const decoded = toIndexItem(item);
      return decoded === undefined ? this.#fail(name, 'indices and slices') : decoded;
    });
  }

  /** @throws {UnsupportedError} when the argument differs from the only value that Hornet has. */
  require(name: string, only: unknown): void {
    const value = this.#values[name];
    if (value === only || value === undefined || value === null) return;
    throw new UnsupportedError(
      `Cannot call ${this.#title}: "${name}" is ${describe(value)}, only ${describe(only)} is supported`,
      `${this.#title} with ${name} ${describe(value)}`,
    );
  }

  #number(value: unknown): number | undefined {
    const resolved = knownValue(value);
    if (typeof resolved === 'number') return resolved;
    if (typeof resolved === 'boolean') return Number(resolved);
    return undefined;
  }
}

function describe(value: unknown): string {
  if (value instanceof SymbolicTensor) return 'a computed tensor';
  return value instanceof Tensor ? 'a tensor' : JSON.stringify(value);
}

function toOperand(value: unknown): Operand | undefined {
  if (value instanceof SymbolicTensor || value instanceof Tensor) return value;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (!Array.isArray(value)) return undefined;
  // A list that holds tensors, as in tf.reshape(x, [n, -1]), is packed into one.
  if (value.some((element) => element instanceof SymbolicTensor || element instanceof Tensor)) return packed(value);
  const elements = value.flat(Number.POSITIVE_INFINITY) as unknown[];
  if (!elements.every((element) => typeof element === 'number' || typeof element === 'boolean')) return undefined;
  const isInteger = elements.length > 0 && elements.every(Number.isInteger);
  return tensor(value as NestedArray, undefined, isInteger ? 'int32' : undefined);
}

function packed(list: readonly unknown[]): Operand | undefined {
  const parts = list.map(toOperand);
  return parts.every((part) => part !== undefined) ? stack(parts) : undefined;
}

/** Python's objects between square brackets, as the dialects of Keras write them. */
function toIndexItem(item: unknown): IndexItem | undefined {
  if (item === null || item === '...' || typeof item === 'number') return item;
  if (item instanceof Tensor || item instanceof SymbolicTensor)
    return item.shape.length === 0 ? scalarIndex(item) : item;
  if (Array.isArray(item)) return item.every((element) => typeof element === 'number') ? item : undefined;
  if (typeof item !== 'object') return undefined;
  const { class_name: className, config } = item as { class_name?: unknown; config?: SliceSpec };
  if (className === '__ellipsis__') return '...';
  const spec = className === '__slice__' ? (config ?? {}) : (item as SliceSpec);
  return { start: bound(spec.start), stop: bound(spec.stop), step: bound(spec.step) };
}

/** A bound of a slice may come as a constant tensor. */
function bound(value: unknown): number | null {
  const resolved = knownValue(value);
  if (resolved === null || resolved === undefined) return null;
  if (typeof resolved === 'number') return resolved;
  throw new UnsupportedError('Cannot slice: found a computed bound, expected a number', 'computed slice bounds');
}

function scalarIndex(item: Tensor | SymbolicTensor): IndexItem {
  const value = knownValue(item);
  return typeof value === 'number' ? value : item;
}
