/** Cases of `interop/make-ops-fixtures.py`: calls of operations, and what Keras or NumPy computes. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Dtype } from '../../src/array/dtype.ts';
import { type Tensor, tensor } from '../../src/array/tensor.ts';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import { input } from '../../src/graph/apply.ts';
import type { SymbolicTensor } from '../../src/graph/node.ts';

export type EncodedTensor = readonly [Dtype, readonly number[], readonly (number | string)[]];

export interface OperationCase {
  readonly op: string;
  readonly args: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly expected: readonly EncodedTensor[];
}

/** Keras' functions and ours round differently; a unit of float32 is 6e-8. */
const RELATIVE = 2e-5;
const ABSOLUTE = 2e-6;

export function readCases(family: string): readonly OperationCase[] {
  const url = new URL(`../fixtures/ops/${family}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as readonly OperationCase[];
}

function decodeNumber(value: number | string): number {
  if (value === 'nan') return Number.NaN;
  if (value === 'inf') return Number.POSITIVE_INFINITY;
  return value === '-inf' ? Number.NEGATIVE_INFINITY : Number(value);
}

export function decodeTensor([dtype, shape, values]: EncodedTensor): Tensor {
  return tensor(values.map(decodeNumber), shape, dtype);
}

/** Arguments of one case: tensors become inputs of a graph, so that nothing is known of them but their shapes. */
export class DecodedArguments {
  readonly symbols: SymbolicTensor[] = [];
  readonly values: Tensor[] = [];

  decode(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((element) => this.decode(element));
    if (typeof value === 'object' && value !== null) {
      if ('tensor' in value) return this.#input(decodeTensor(value.tensor as EncodedTensor));
      return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, this.decode(element)]));
    }
    return value === 'nan' || value === 'inf' || value === '-inf' ? decodeNumber(value) : value;
  }

  #input(value: Tensor): SymbolicTensor {
    const symbol = input(`input ${this.symbols.length}`, value);
    this.symbols.push(symbol);
    this.values.push(value);
    return symbol;
  }

  /** Evaluates the outputs and compares them with what is expected: shape, dtype and every element. */
  expectOutputs(result: SymbolicTensor | readonly SymbolicTensor[], expected: readonly EncodedTensor[]): void {
    const outputs = Array.isArray(result) ? (result as readonly SymbolicTensor[]) : [result as SymbolicTensor];
    const actual = evaluate({ inputs: this.symbols, outputs }, this.values);
    expect(actual.length).toBe(expected.length);
    for (const [index, output] of actual.entries()) expectClose(output, expected[index] as EncodedTensor);
  }
}

function expectClose(actual: Tensor, [dtype, shape, values]: EncodedTensor): void {
  expect({ dtype: actual.dtype, shape: actual.shape }).toEqual({ dtype, shape });
  const wrong = values.flatMap((value, index) => {
    const [got, want] = [Number(actual.data[index]), decodeNumber(value)];
    const isSame = Object.is(got + 0, want + 0) || Math.abs(got - want) <= ABSOLUTE + RELATIVE * Math.abs(want);
    return isSame ? [] : [`[${index}] is ${got}, expected ${want}`];
  });
  expect(wrong).toEqual([]);
}
