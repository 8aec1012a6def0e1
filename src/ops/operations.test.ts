import { describe, expect, test } from 'vitest';
import { DecodedArguments, decodeTensor, type EncodedTensor, readCases } from '../../test/support/operation-cases.ts';
import { tensor } from '../array/tensor.ts';
import { evaluate } from '../backends/reference/evaluate.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { operations, unknownKeys } from './operations.ts';

/** Arguments that must be known while tracing come as constants. */
const CONSTANT_ARGUMENTS: Readonly<Record<string, readonly number[]>> = {
  Quantile: [1],
  Percentile: [1],
  ScaleAndTranslate: [1, 2, 3],
};

function isTensor(value: unknown): value is { readonly tensor: EncodedTensor } {
  return typeof value === 'object' && value !== null && 'tensor' in value;
}

const tested = new Set<string>();

for (const family of ['elementwise', 'arrays', 'networks', 'images']) {
  describe(family, () => {
    for (const [index, { op, args, kwargs = {}, config = {}, expected }] of readCases(family).entries()) {
      tested.add(op);
      test(`${index} ${op} ${JSON.stringify(config)}`, () => {
        const operation = operations.get(op);
        if (operation === undefined) throw new Error(`${op} is missing`);
        expect(unknownKeys(operation, config)).toEqual([]);
        const decoded = new DecodedArguments();
        const positional = args.map((arg, position) => {
          const isKnown = CONSTANT_ARGUMENTS[op]?.includes(position) === true;
          return isKnown && isTensor(arg) ? decodeTensor(arg.tensor) : decoded.decode(arg);
        });
        const call = { args: positional, kwargs: decoded.decode(kwargs) as Record<string, unknown> };
        const result = operation.call(call, decoded.decode(config) as Record<string, unknown>);
        decoded.expectOutputs(result, expected);
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
    const call = { args: [tensor([4, 1, 3, 2])], kwargs: {} };
    const result = operations.get('Argpartition')?.call(call, { kth: 1, axis: -1 });
    const [order] = evaluate({ inputs: [], outputs: [result as SymbolicTensor] }, []);
    expect(order?.data[1]).toBe(3);
  });

  test('refuse a config key that they do not know', () => {
    const mean = operations.get('Mean');
    expect(mean && unknownKeys(mean, { axis: 1, name: 'mean', where: 2 })).toEqual(['where']);
    expect(() => mean?.call({ args: [1], kwargs: {} }, { where: 2 })).toThrow('Cannot call Mean: found where');
  });

  test('say which argument is missing, and which is one too many', () => {
    expect(() => operations.get('Add')?.call({ args: [1], kwargs: {} }, {})).toThrow('argument "x2" is nothing');
    expect(() => operations.get('Cast')?.call({ args: [1], kwargs: {} }, {})).toThrow('argument "dtype" is nothing');
    expect(() => operations.get('Exp')?.call({ args: [1, 2], kwargs: {} }, {})).toThrow('expected at most 1');
  });
});
