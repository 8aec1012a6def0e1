import { describe, expect, test } from 'vitest';
import { b, empty, f, GREATEST, INF, i, type KernelCases, LEAST, NAN } from '../../../test/support/kernel-case.ts';
import { CONTRACTION_KERNEL_CASES } from '../../../test/support/kernel-cases-of-contractions.ts';
import { MOVING_KERNEL_CASES } from '../../../test/support/kernel-cases-of-moving.ts';
import { Tensor, tensor } from '../../array/tensor.ts';
import { applyAll, constant, input } from '../../graph/apply.ts';
import type { Graph } from '../../graph/node.ts';
import type { PrimitiveAttributes, PrimitiveName } from '../../graph/primitives.ts';
import { Variable } from '../../graph/variable.ts';
import { evaluate } from './evaluate.ts';
import { kernels } from './kernels.ts';

/** One input vector and what a primitive without attributes makes of it. */
const one = (x: Tensor, y: Tensor) => ({ inputs: [x], attributes: {}, expected: [y] });
const two = (left: Tensor, right: Tensor, y: Tensor) => ({ inputs: [left, right], attributes: {}, expected: [y] });

function counterBody(): Graph {
  const total = input('total', { shape: [], dtype: 'float32' });
  const x = input('x', { shape: [], dtype: 'float32' });
  const scale = input('scale', { shape: [], dtype: 'float32' });
  const scaled = applyAll('multiply', [x, scale], {})[0] as typeof x;
  const next = applyAll('add', [total, scaled], {})[0] as typeof x;
  return { inputs: [total, x, scale], outputs: [next, next] };
}

const cases: KernelCases<PrimitiveName> = {
  ...CONTRACTION_KERNEL_CASES,
  ...MOVING_KERNEL_CASES,
  negate: [one(f([1, -2, INF, NAN]), f([-1, 2, -INF, NAN])), one(i([5, LEAST]), i([-5, LEAST]))],
  absolute: [one(f([-1.5, 0, -INF]), f([1.5, 0, INF])), one(i([-7, LEAST]), i([7, LEAST]))],
  sign: [one(f([-3, 0, 4, NAN]), f([-1, 0, 1, NAN])), one(i([-3, 0, 4]), i([-1, 0, 1]))],
  exp: [one(f([0, 1, -INF, 1000, NAN]), f([1, Math.E, 0, INF, NAN])), one(empty(0, 3), empty(0, 3))],
  expm1: [one(f([0, 1e-8, -INF]), f([0, 1e-8, -1]))],
  log: [one(f([1, Math.E, 0, -1]), f([0, Math.log(Math.fround(Math.E)), -INF, NAN]))],
  log1p: [one(f([0, 1e-8, -1]), f([0, 1e-8, -INF]))],
  sqrt: [one(f([4, 2, 0, -1]), f([2, Math.SQRT2, 0, NAN]))],
  rsqrt: [one(f([4, 0, INF]), f([0.5, INF, 0]))],
  sin: [one(f([0, 1, INF]), f([0, Math.sin(1), NAN]))],
  cos: [one(f([0, 1, INF]), f([1, Math.cos(1), NAN]))],
  tan: [one(f([0, 1]), f([0, Math.tan(1)]))],
  asin: [one(f([0, 1, 2]), f([0, Math.PI / 2, NAN]))],
  acos: [one(f([1, 0, 2]), f([0, Math.PI / 2, NAN]))],
  atan: [one(f([0, 1, INF]), f([0, Math.PI / 4, Math.PI / 2]))],
  sinh: [one(f([0, 1]), f([0, 1.1752011936438014]))],
  cosh: [one(f([0, 1]), f([1, 1.5430806348152437]))],
  tanh: [one(f([0, 1, -INF]), f([0, 0.7615941559557649, -1]))],
  asinh: [one(f([0, 1]), f([0, 0.881373587019543]))],
  acosh: [one(f([1, 2, 0]), f([0, 1.3169578969248166, NAN]))],
  atanh: [one(f([0, 0.5, 1]), f([0, 0.5493061443340548, INF]))],
  // Values of Abramowitz and Stegun, table 7.1.
  erf: [
    one(
      f([0, 0.5, 1, -1, 2, 3, 7, -INF, NAN]),
      f([0, 0.5204998778, 0.8427007929, -0.8427007929, 0.995322265, 0.9999779095, 1, -1, NAN]),
    ),
  ],
  sigmoid: [one(f([0, 1000, -1000, NAN]), f([0.5, 1, 0, NAN]))],
  floor: [one(f([1.5, -1.5, INF]), f([1, -2, INF]))],
  ceil: [one(f([1.5, -1.5, 2]), f([2, -1, 2]))],
  round: [one(f([0.5, 1.5, 2.5, -1.5, 2.4999, INF, NAN]), f([0, 2, 2, -2, 2, INF, NAN]))],
  relu: [one(f([0.5, -2, 0, NAN, INF, -INF]), f([0.5, 0, 0, NAN, INF, 0]))],
  stopGradient: [one(f([0.5, -2, NAN]), f([0.5, -2, NAN]))],

  add: [
    two(f([1, 0.1, INF]), f([2, 0.2, -INF]), f([3, Math.fround(0.1) + Math.fround(0.2), NAN])),
    two(i([GREATEST]), i([1]), i([LEAST])),
    two(empty(2, 0), empty(2, 0), empty(2, 0)),
  ],
  subtract: [two(f([1, 5]), f([2, 3]), f([-1, 2])), two(i([LEAST]), i([1]), i([GREATEST]))],
  multiply: [two(f([2, 0]), f([3, INF]), f([6, NAN])), two(i([0x7fffffff]), i([0x7fffffff]), i([1]))],
  divide: [two(f([1, 1, 0, -1]), f([4, 0, 0, 0]), f([0.25, INF, NAN, -INF]))],
  floorDivide: [
    two(f([7, -7, 7, -7, 1]), f([2, 2, -2, -2, 0]), f([3, -4, -4, 3, INF])),
    two(i([7, -7, 7, -7, 7]), i([2, 2, -2, -2, 0]), i([3, -4, -4, 3, 0])),
  ],
  remainder: [
    two(f([7, -7, 7, -7, 1, -1]), f([3, 3, -3, -3, 0, INF]), f([1, 2, -2, -1, NAN, INF])),
    two(i([7, -7, 7, -7, 7]), i([3, 3, -3, -3, 0]), i([1, 2, -2, -1, 0])),
  ],
  power: [
    two(f([2, 2, -8, 1, NAN, -1]), f([3, -1, 1 / 3, NAN, 0, INF]), f([8, 0.5, NAN, 1, 1, 1])),
    two(i([3, 2, -1, 5, 65536, 0]), i([4, -1, -3, 0, 2, 0]), i([81, 0, -1, 1, 0, 1])),
  ],
  maximum: [two(f([1, NAN, 3]), f([2, 0, NAN]), f([2, NAN, NAN])), two(i([1, -5]), i([0, 2]), i([1, 2]))],
  minimum: [two(f([1, NAN, 3]), f([2, 0, NAN]), f([1, NAN, NAN])), two(i([1, -5]), i([0, 2]), i([0, -5]))],
  atan2: [two(f([1, -1, 0]), f([0, 0, -1]), f([Math.PI / 2, -Math.PI / 2, Math.PI]))],

  equal: [two(f([1, NAN, 0]), f([1, NAN, 2]), b([true, false, false])), two(b([true]), b([true]), b([true]))],
  notEqual: [two(f([1, NAN]), f([1, NAN]), b([false, true]))],
  less: [two(i([1, 2, 3]), i([2, 2, 2]), b([true, false, false]))],
  lessEqual: [two(f([1, 2, NAN]), f([2, 2, 2]), b([true, true, false]))],
  greater: [two(f([1, 3]), f([2, 2]), b([false, true]))],
  greaterEqual: [two(i([1, 2, 3]), i([2, 2, 2]), b([false, true, true]))],

  logicalAnd: [two(b([true, true, false]), b([true, false, false]), b([true, false, false]))],
  logicalOr: [two(b([true, true, false]), b([true, false, false]), b([true, true, false]))],
  logicalXor: [two(b([true, true, false]), b([true, false, false]), b([false, true, false]))],
  logicalNot: [one(b([true, false]), b([false, true]))],

  sum: [
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
      ],
      attributes: { axes: [0] },
      expected: [f([4, 6])],
    },
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
      ],
      attributes: { axes: [0, 1] },
      expected: [f(10)],
    },
    { inputs: [i([GREATEST, 1])], attributes: { axes: [0] }, expected: [i(LEAST)] },
    { inputs: [empty(2, 0)], attributes: { axes: [1] }, expected: [f([0, 0])] },
    // 2²⁴ + 1 + 1 loses both ones when each partial sum is a float32.
    { inputs: [f([16777216, 1, 1])], attributes: { axes: [0] }, expected: [f(16777218)] },
  ],
  product: [
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
      ],
      attributes: { axes: [1] },
      expected: [f([2, 12])],
    },
    { inputs: [i([65536, 65536])], attributes: { axes: [0] }, expected: [i(0)] },
    { inputs: [empty(0)], attributes: { axes: [0] }, expected: [f(1)] },
  ],
  max: [
    {
      inputs: [
        f([
          [1, 5],
          [NAN, 2],
        ]),
      ],
      attributes: { axes: [1] },
      expected: [f([5, NAN])],
    },
    {
      inputs: [
        b([
          [false, true],
          [false, false],
        ]),
      ],
      attributes: { axes: [1] },
      expected: [b([true, false])],
    },
    { inputs: [empty(0)], attributes: { axes: [0] }, expected: [f(-INF)] },
    { inputs: [new Tensor([0], 'int32', new Int32Array(0))], attributes: { axes: [0] }, expected: [i(LEAST)] },
  ],
  min: [
    {
      inputs: [
        f([
          [1, 5],
          [NAN, 2],
        ]),
      ],
      attributes: { axes: [1] },
      expected: [f([1, NAN])],
    },
    {
      inputs: [
        b([
          [true, true],
          [false, true],
        ]),
      ],
      attributes: { axes: [1] },
      expected: [b([true, false])],
    },
    { inputs: [empty(0)], attributes: { axes: [0] }, expected: [f(INF)] },
    { inputs: [new Tensor([0], 'int32', new Int32Array(0))], attributes: { axes: [0] }, expected: [i(GREATEST)] },
  ],
  argMax: [
    {
      inputs: [
        f([
          [1, 5, 5],
          [NAN, 9, NAN],
        ]),
      ],
      attributes: { axis: 1 },
      expected: [i([1, 0])],
    },
    {
      inputs: [
        i([
          [1, 5],
          [2, 4],
        ]),
      ],
      attributes: { axis: 0 },
      expected: [i([1, 0])],
    },
  ],
  argMin: [
    {
      inputs: [
        f([
          [3, 1, 1],
          [0, NAN, -1],
        ]),
      ],
      attributes: { axis: 1 },
      expected: [i([1, 1])],
    },
  ],

  cumulativeSum: [
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
      ],
      attributes: { axis: 0, reverse: false },
      expected: [
        f([
          [1, 2],
          [4, 6],
        ]),
      ],
    },
    { inputs: [i([1, 2, 3])], attributes: { axis: 0, reverse: true }, expected: [i([6, 5, 3])] },
    { inputs: [empty(0)], attributes: { axis: 0, reverse: false }, expected: [empty(0)] },
  ],
  cumulativeProduct: [{ inputs: [f([2, 3, 4])], attributes: { axis: 0, reverse: false }, expected: [f([2, 6, 24])] }],
  cumulativeMax: [
    { inputs: [f([2, 1, NAN, 4])], attributes: { axis: 0, reverse: false }, expected: [f([2, 2, NAN, NAN])] },
  ],
  cumulativeMin: [{ inputs: [i([2, 3, 1])], attributes: { axis: 0, reverse: true }, expected: [i([1, 1, 1])] }],

  input: [],
  parameter: [
    {
      inputs: [],
      attributes: { variable: new Variable({ name: 'w', shape: [2], initialize: () => f([1, 2]) }) },
      expected: [f([1, 2])],
    },
  ],
  constant: [{ inputs: [], attributes: { value: i([3]) }, expected: [i([3])] }],
  // The answers of the authors' own code to all bits 0 and to all bits 1.
  randomBits: [
    {
      inputs: [i([0, 0]), i([0, 0])],
      attributes: { shape: [4] },
      expected: [i([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8].map((word) => word | 0))],
    },
  ],
  iota: [
    {
      inputs: [],
      attributes: { shape: [2, 2], dtype: 'int32', axis: 0 },
      expected: [
        i([
          [0, 0],
          [1, 1],
        ]),
      ],
    },
    { inputs: [], attributes: { shape: [1, 3], dtype: 'float32', axis: 1 }, expected: [f([[0, 1, 2]])] },
  ],
  select: [
    { inputs: [b([true, false]), i([1, 2]), i([3, 4])], attributes: {}, expected: [i([1, 4])] },
    { inputs: [b([true, false]), f([1, NAN]), f([NAN, 4])], attributes: {}, expected: [f([1, 4])] },
  ],
  cast: [
    {
      inputs: [f([1.9, -1.9, NAN, INF, -INF, 3e9])],
      attributes: { dtype: 'int32' },
      expected: [i([1, -1, 0, GREATEST, LEAST, GREATEST])],
    },
    { inputs: [f([0, -0.5, NAN])], attributes: { dtype: 'bool' }, expected: [b([false, true, true])] },
    { inputs: [b([true, false])], attributes: { dtype: 'float32' }, expected: [f([1, 0])] },
  ],
  scan: [
    {
      inputs: [f(100), f([1, 2, 3]), f(10)],
      attributes: { body: counterBody(), length: 3, carryCount: 1, sequenceCount: 1, reverse: false },
      expected: [f(160), f([110, 130, 160])],
    },
    {
      inputs: [f(100), f([1, 2, 3]), f(10)],
      attributes: { body: counterBody(), length: 3, carryCount: 1, sequenceCount: 1, reverse: true },
      expected: [f(160), f([160, 150, 130])],
    },
    {
      inputs: [f(100), empty(0), f(10)],
      attributes: { body: counterBody(), length: 0, carryCount: 1, sequenceCount: 1, reverse: false },
      expected: [f(100), empty(0)],
    },
  ],
  host: [
    {
      inputs: [tensor(['a', 'bcd'])],
      attributes: {
        name: 'lengths',
        outputs: [{ shape: [2], dtype: 'int32' }],
        run: ([words]) => [i((words as Tensor<'string'>).data.map((word) => word.length))],
      },
      expected: [i([1, 3])],
    },
  ],
};

/** Equal but for the last bit of a float32: the functions of JavaScript engines differ there. */
function expectSame(actual: Tensor, expected: Tensor): void {
  expect(actual.dtype).toBe(expected.dtype);
  expect(actual.shape).toEqual(expected.shape);
  if (expected.dtype !== 'float32') {
    expect(actual.data).toEqual(expected.data);
    return;
  }
  for (const [index, want] of (expected.data as Float32Array).entries()) {
    const got = actual.data[index] as number;
    const close = Object.is(got + 0, want + 0) || Math.abs(got - want) <= Math.abs(want) * 2 ** -23;
    expect(close, `element ${index} is ${got}, expected ${want}`).toBe(true);
  }
}

describe('kernels', () => {
  test('cover the table, and each is tested', () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(kernels).sort());
    const untested = Object.entries(cases).filter(([, list]) => list.length === 0);
    expect(untested.map(([name]) => name)).toEqual(['input']);
  });

  for (const [primitive, list] of Object.entries(cases)) {
    for (const [index, { inputs, attributes, expected }] of list.entries()) {
      test(`${primitive} ${index}`, () => {
        const symbols = inputs.map((value, position) => input(`input ${position}`, value));
        const outputs = applyAll(primitive as 'host', symbols, attributes as PrimitiveAttributes['host']);
        const actual = evaluate({ inputs: symbols, outputs }, inputs);
        expect(actual.length).toBe(expected.length);
        for (const [position, output] of actual.entries()) expectSame(output, expected[position] as Tensor);
      });
    }
  }

  test('constants keep their data when an output is changed', () => {
    const value = f([1, 2]);
    const [output] = evaluate({ inputs: [], outputs: [constant(value)] }, []);
    (output?.data as Float32Array)[0] = 7;
    expect(value.data[0]).toBe(1);
  });
});
