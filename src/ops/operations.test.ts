import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Dtype } from '../array/dtype.ts';
import { Tensor, tensor } from '../array/tensor.ts';
import { evaluate } from '../backends/reference/evaluate.ts';
import { input } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { operations, unknownKeys } from './operations.ts';

type Encoded = readonly [Dtype, readonly number[], readonly (number | string)[]];

interface Case {
  readonly op: string;
  readonly args: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly expected: readonly Encoded[];
}

/** Keras' functions and ours round differently; a unit of float32 is 6e-8. */
const RELATIVE = 2e-5;
const ABSOLUTE = 2e-6;

const FAMILIES = ['elementwise', 'arrays', 'networks', 'images'];

function decodeNumber(value: number | string): number {
  if (value === 'nan') return Number.NaN;
  if (value === 'inf') return Number.POSITIVE_INFINITY;
  return value === '-inf' ? Number.NEGATIVE_INFINITY : Number(value);
}

function decodeTensor([dtype, shape, values]: Encoded): Tensor {
  return tensor(values.map(decodeNumber), shape, dtype);
}

/** Tensors become inputs of the graph, so that nothing is known while tracing but their shapes. */
function decode(value: unknown, inputs: SymbolicTensor[], values: Tensor[]): unknown {
  if (Array.isArray(value)) return value.map((element) => decode(element, inputs, values));
  if (typeof value === 'object' && value !== null && 'tensor' in value) {
    const decoded = decodeTensor(value.tensor as Encoded);
    const symbol = input(`input ${inputs.length}`, decoded);
    inputs.push(symbol);
    values.push(decoded);
    return symbol;
  }
  if (value === 'nan' || value === 'inf' || value === '-inf') return decodeNumber(value);
  return value;
}

function expectClose(actual: Tensor, [dtype, shape, values]: Encoded): void {
  expect({ dtype: actual.dtype, shape: actual.shape }).toEqual({ dtype, shape });
  const wrong = values.flatMap((value, index) => {
    const [got, want] = [Number(actual.data[index]), decodeNumber(value)];
    const isSame = Object.is(got + 0, want + 0) || Math.abs(got - want) <= ABSOLUTE + RELATIVE * Math.abs(want);
    return isSame ? [] : [`[${index}] is ${got}, expected ${want}`];
  });
  expect(wrong).toEqual([]);
}

/** Arguments that must be known while tracing come as constants: quantiles, shapes, places of slices. */
const CONSTANT_ARGUMENTS: Readonly<Record<string, readonly number[]>> = {
  Quantile: [1],
  Percentile: [1],
  ScaleAndTranslate: [1, 2, 3],
};

const tested = new Set<string>();

for (const family of FAMILIES) {
  const url = new URL(`../../test/fixtures/ops/${family}.json`, import.meta.url);
  const cases = JSON.parse(readFileSync(url, 'utf8')) as readonly Case[];
  describe(family, () => {
    for (const [index, { op, args, kwargs = {}, config = {}, expected }] of cases.entries()) {
      tested.add(op);
      test(`${index} ${op} ${JSON.stringify(config)}`, () => {
        const operation = operations.get(op);
        if (operation === undefined) throw new Error(`${op} is missing`);
        expect(unknownKeys(operation, config)).toEqual([]);
        const [symbols, values]: [SymbolicTensor[], Tensor[]] = [[], []];
        const call = {
          args: args.map((arg, position) => {
            if (!CONSTANT_ARGUMENTS[op]?.includes(position)) return decode(arg, symbols, values);
            return typeof arg === 'object' && arg !== null && 'tensor' in arg
              ? decodeTensor(arg.tensor as Encoded)
              : arg;
          }),
          kwargs: Object.fromEntries(Object.entries(kwargs).map(([key, arg]) => [key, decode(arg, symbols, values)])),
        };
        const result = operation.call(call, decode(config, symbols, values) as Record<string, unknown>);
        const outputs = Array.isArray(result) ? result : [result];
        const actual = evaluate({ inputs: symbols, outputs }, values);
        expect(actual.length).toBe(expected.length);
        for (const [position, output] of actual.entries()) expectClose(output, expected[position] as Encoded);
      });
    }
  });
}

describe('operations', () => {
  test('each is tested against Keras', () => {
    // The order of the elements on either side of a partition is not defined, so that there is nothing to compare.
    expect([...operations.keys()].filter((name) => !tested.has(name))).toEqual(['Argpartition']);
  });

  test('Argpartition puts the element of a rank in its place', () => {
    const result = operations
      .get('Argpartition')
      ?.call({ args: [tensor([4, 1, 3, 2])], kwargs: {} }, { kth: 1, axis: -1 });
    const [order] = evaluate({ inputs: [], outputs: [result as SymbolicTensor] }, []);
    expect(order?.data[1]).toBe(3);
  });

  test('refuse a config key that they do not know', () => {
    const mean = operations.get('Mean');
    expect(mean && unknownKeys(mean, { axis: 1, name: 'mean', where: 2 })).toEqual(['where']);
    expect(() => mean?.call({ args: [1], kwargs: {} }, { where: 2 })).toThrow('Cannot call Mean: found where');
  });

  test('say which argument is missing', () => {
    expect(() => operations.get('Add')?.call({ args: [1], kwargs: {} }, {})).toThrow('argument "x2" is nothing');
  });
});

test('a tensor of the fixtures keeps its dtype', () => {
  expect(decodeTensor(['bool', [1], [1]])).toEqual(new Tensor([1], 'bool', new Uint8Array([1])));
});
