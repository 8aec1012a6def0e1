import { describe, expect, test } from 'vitest';
import { DecodedArguments, readCases } from '../../test/support/operation-cases.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { activations, hardSigmoidKeras2, linear, mish } from './activations.ts';
import { tri } from './creation.ts';
import * as publicOps from './public.ts';

type AnyFunction = (...args: unknown[]) => SymbolicTensor | SymbolicTensor[];

const functions: Readonly<Record<string, AnyFunction>> = {
  ...(publicOps as unknown as Record<string, AnyFunction>),
  hardSigmoidKeras2: hardSigmoidKeras2 as AnyFunction,
  linear: linear as AnyFunction,
  mish: mish as AnyFunction,
  tri: tri as AnyFunction,
};

/** Functions whose raw operation or TensorFlow function has another name. */
const TESTED_AS: Readonly<Record<string, string>> = {
  max: 'Max',
  variance: 'Var',
  batchNormalization: 'BatchNorm',
  layerNormalization: 'LayerNorm',
  rmsNormalization: 'RMSNorm',
  gatherNd: 'gather_nd',
  full: 'Full',
};

function letters(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

const families = ['elementwise', 'arrays', 'networks', 'images', 'functions', 'tensorflow'];
const tested = new Set(families.flatMap((family) => readCases(family).map(({ op }) => letters(op))));

describe('functions', () => {
  for (const [index, { op, args, expected }] of readCases('functions').entries()) {
    test(`${index} ${op}`, () => {
      const decoded = new DecodedArguments();
      const run = functions[op];
      if (run === undefined) throw new Error(`${op} is missing`);
      decoded.expectOutputs(run(...(decoded.decode(args) as unknown[])), expected);
    });
  }

  test('all that are public are tested against Keras or NumPy', () => {
    const untested = Object.keys(publicOps).filter((name) => !tested.has(letters(TESTED_AS[name] ?? name)));
    // The order on either side of a partition is not defined; its test is beside the raw operations.
    expect(untested).toEqual(['argpartition']);
  });

  test('the table of activations has those of Keras 3.15 and the hard sigmoid of Keras 2', () => {
    expect(Object.keys(activations).length).toBe(32);
    const untested = Object.keys(activations).filter((name) => !tested.has(`keras.activations.${letters(name)}`));
    expect(untested).toEqual([]);
  });
});
