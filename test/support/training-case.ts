/** Cases of `interop/make-training-fixtures.py`: losses, metrics, optimizers and schedules, and what Keras computes. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Tensor } from '../../src/array/tensor.ts';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import { input } from '../../src/graph/apply.ts';
import type { SymbolicTensor } from '../../src/graph/node.ts';
import { decodeTensor, type EncodedTensor } from './operation-cases.ts';

/** Shows of the issue: equal within 1e-5; what is near 0 within 1e-6. */
const RELATIVE = 1e-5;
const ABSOLUTE = 1e-6;

export function readTrainingCases<C>(name: string): readonly C[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/training/${name}.json`, import.meta.url), 'utf8')) as C[];
}

/** Names of all classes of a kind that Keras exports, without bases. */
export function readClassNames(kind: string): readonly string[] {
  const byKind = readTrainingCases<Readonly<Record<string, readonly string[]>>>('classes');
  const names = byKind.find((one) => kind in one)?.[kind];
  if (names === undefined) throw new Error(`There are no classes of the kind ${kind}`);
  return names;
}

/** Names of Keras' classes, or such as are here alone, that have fewer cases than `least`. */
export function namesWithFewCases(
  kind: string,
  known: readonly string[],
  cases: readonly string[],
  least: number,
): readonly string[] {
  const names = new Set([...readClassNames(kind), ...known]);
  return [...names].filter((name) => cases.filter((one) => one === name).length < least);
}

/** Inputs of a graph, with the values that they have in a case. */
export class CaseInputs {
  readonly symbols: SymbolicTensor[] = [];
  readonly values: Tensor[] = [];

  add(encoded: EncodedTensor): SymbolicTensor {
    const value = decodeTensor(encoded);
    const symbol = input(`input ${this.symbols.length}`, value);
    this.symbols.push(symbol);
    this.values.push(value);
    return symbol;
  }

  optional(encoded: EncodedTensor | undefined): SymbolicTensor | undefined {
    return encoded === undefined ? undefined : this.add(encoded);
  }

  evaluate(outputs: readonly SymbolicTensor[]): Tensor[] {
    return evaluate({ inputs: this.symbols, outputs }, this.values);
  }
}

/** Compares shape and every element; what differs is named by `label` and index. */
export function expectClose(actual: Tensor, encoded: EncodedTensor, label = ''): void {
  const expected = decodeTensor(encoded);
  expect(actual.shape, label).toEqual(expected.shape);
  const wrong = Array.from(expected.data as Float32Array).flatMap((want, index) => {
    const got = Number(actual.data[index]);
    const isClose = Object.is(got + 0, want + 0) || Math.abs(got - want) <= ABSOLUTE + RELATIVE * Math.abs(want);
    return isClose ? [] : [`${label}[${index}] is ${got}, expected ${want}`];
  });
  expect(wrong).toEqual([]);
}
