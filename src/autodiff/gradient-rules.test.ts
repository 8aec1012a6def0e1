/** Every rule against finite differences: the table's keys decide what is tested. */
import { describe, expect, test } from 'vitest';
import { numericalGradient, randomNumbers, weightedSum } from '../../test/support/numerical-gradient.ts';
import { type Shape, sizeOf } from '../array/shape.ts';
import { Tensor, tensor } from '../array/tensor.ts';
import { evaluate } from '../backends/reference/evaluate.ts';
import { wasmBackend } from '../backends/wasm/wasm-backend.ts';
import { apply, applyAll, input } from '../graph/apply.ts';
import type { Graph, SymbolicTensor } from '../graph/node.ts';
import type {
  BinaryName,
  CumulativeName,
  PoolAttributes,
  PrimitiveAttributes,
  PrimitiveName,
  UnaryName,
} from '../graph/primitives.ts';
import { shapeRules } from '../graph/shape-rules.ts';
import { gradientRules } from './gradient-rules.ts';
import { gradients } from './gradients.ts';

const random = randomNumbers(20261121);

interface Case<K extends PrimitiveName> {
  readonly attributes: PrimitiveAttributes[K];
  readonly inputs: readonly Tensor[];
}

/** The cases of each rule; for primitives without one, what the table says instead. */
type Cases = { readonly [K in PrimitiveName]: readonly Case<K>[] | 'zero' | 'not differentiable' };

function between(low: number, high: number, shape: Shape): Tensor {
  const data = Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * random());
  return new Tensor(shape, 'float32', data);
}

/** Numbers that lie apart, in random order, so that no difference crosses a tie; none is near 0. */
function apart(shape: Shape): Tensor {
  const size = sizeOf(shape);
  const data = Float32Array.from({ length: size }, (_, index) => (index - size / 2 + 0.25) * 0.5);
  for (let index = size - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [data[index], data[other]] = [data[other] as number, data[index] as number];
  }
  return new Tensor(shape, 'float32', data);
}

function integers(values: readonly number[], shape: Shape = [values.length]): Tensor {
  return tensor(Int32Array.from(values), shape);
}

const SHAPES: readonly Shape[] = [[], [5], [2, 3]];

function unary<K extends UnaryName>(low: number, high: number): Case<K>[] {
  return SHAPES.map((shape) => ({ attributes: {} as PrimitiveAttributes[K], inputs: [between(low, high, shape)] }));
}

function binary<K extends BinaryName>(left: [number, number], right: [number, number]): Case<K>[] {
  return SHAPES.map((shape) => ({
    attributes: {} as PrimitiveAttributes[K],
    inputs: [between(...left, shape), between(...right, shape)],
  }));
}

/** Operands that differ by more than the differences reach. */
function extremum<K extends 'maximum' | 'minimum'>(): Case<K>[] {
  return SHAPES.map((shape) => {
    const left = apart(shape);
    const moved = Float32Array.from(left.data as Float32Array, (value) => value + (random() < 0.5 ? 0.125 : -0.125));
    return { attributes: {} as PrimitiveAttributes[K], inputs: [left, new Tensor(shape, 'float32', moved)] };
  });
}

const REDUCTIONS: readonly [Shape, readonly number[]][] = [
  [[], []],
  [[4], [0]],
  [[2, 3], []],
  [[2, 3], [1]],
  [
    [2, 3, 2],
    [0, 2],
  ],
];

function reduce<K extends 'sum' | 'product' | 'max' | 'min'>(make: (shape: Shape) => Tensor): Case<K>[] {
  return REDUCTIONS.map(([shape, axes]) => ({
    attributes: { axes } as PrimitiveAttributes[K],
    inputs: [make(shape)],
  }));
}

function cumulative<K extends CumulativeName>(make: (shape: Shape) => Tensor): Case<K>[] {
  const lanes: readonly [Shape, number][] = [
    [[1], 0],
    [[4], 0],
    [[3, 2], 0],
    [[2, 3, 2], 1],
  ];
  return lanes.flatMap(([shape, axis]) =>
    [false, true].map((reverse) => ({
      attributes: { axis, reverse } as PrimitiveAttributes[K],
      inputs: [make(shape)],
    })),
  );
}

const FLAGS = [false, true];
const MATRICES = FLAGS.flatMap((transposeLeft) =>
  FLAGS.flatMap((transposeRight) => [[], [2]].map((batch) => ({ transposeLeft, transposeRight, batch }))),
);

interface Window {
  readonly x: Shape;
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
}

const WINDOWS: readonly Window[] = [
  { x: [2, 5, 2], window: [3], strides: [1], padding: [[1, 1]], dilation: [1] },
  { x: [1, 7, 2], window: [2], strides: [2], padding: [[0, 1]], dilation: [2] },
  {
    x: [1, 4, 5, 2],
    window: [3, 2],
    strides: [2, 1],
    padding: [
      [1, 0],
      [0, 1],
    ],
    dilation: [1, 2],
  },
  {
    x: [1, 3, 3, 2, 1],
    window: [2, 2, 2],
    strides: [1, 2, 1],
    padding: [
      [0, 0],
      [1, 0],
      [0, 1],
    ],
    dilation: [1, 1, 1],
  },
];

const CONVOLUTIONS = WINDOWS.flatMap(({ x, window, strides, padding, dilation }) => {
  const channels = x.at(-1) as number;
  return [...new Set([1, channels])].map((groups) => {
    const kernel = [...window, channels / groups, 2];
    const attributes = { strides, padding, dilation, groups };
    const y = shapeRules.convolve([spec(x), spec(kernel)], attributes)[0]?.shape as Shape;
    return { x, kernel, y, attributes };
  });
});

const POOLS = WINDOWS.map(({ x, window, strides, padding, dilation }) => {
  const attributes: PoolAttributes = { window, strides, padding, dilation };
  return { x, attributes, y: shapeRules.maxPool([spec(x)], attributes)[0]?.shape as Shape };
});

function spec(shape: Shape): { shape: Shape; dtype: 'float32' } {
  return { shape, dtype: 'float32' };
}

const some = (shape: Shape): Tensor => between(-1, 1, shape);

/** A recurrent step with two carries, a sequence, a matrix and a vector that all steps use; stacks two values. */
function recurrent(length: number, reverse: boolean): Case<'scan'> {
  const h = input('h', spec([2, 3]));
  const c = input('c', spec([2, 3]));
  const x = input('x', spec([2, 3]));
  const kernel = input('kernel', spec([3, 3]));
  const bias = input('bias', spec([1, 3]));
  const product = apply('dot', [h, kernel], { transposeLeft: false, transposeRight: true });
  const stretched = apply('broadcast', [bias], { shape: [2, 3] });
  const sum = apply('add', [apply('add', [product, x], {}), stretched], {});
  const gate = apply('sigmoid', [sum], {});
  const nextC = apply('add', [apply('multiply', [c, gate], {}), apply('tanh', [sum], {})], {});
  const nextH = apply('multiply', [gate, nextC], {});
  const body = { inputs: [h, c, x, kernel, bias], outputs: [nextH, nextC, nextH, apply('exp', [gate], {})] };
  return {
    attributes: { body, length, carryCount: 2, sequenceCount: 1, reverse },
    inputs: [
      [2, 3],
      [2, 3],
      [length, 2, 3],
      [3, 3],
      [1, 3],
    ].map(some),
  };
}

/** A convolution over the carry, and a count of the steps, which has no gradient. */
function convolved(): Case<'scan'> {
  const count = input('count', { shape: [], dtype: 'int32' });
  const state = input('state', spec([1, 4, 2]));
  const kernel = input('kernel', spec([3, 2, 2]));
  const one = apply('iota', [], { shape: [], dtype: 'int32', axis: 0 });
  const attributes = { strides: [1], padding: [[1, 1]] as const, dilation: [1], groups: 1 };
  const next = apply('sin', [apply('convolve', [state, kernel], attributes)], {});
  const weight = apply(
    'broadcast',
    [apply('reshape', [apply('cast', [count], { dtype: 'float32' })], { shape: [1, 1, 1] })],
    {
      shape: [1, 4, 2],
    },
  );
  const seen = apply('multiply', [state, weight], {});
  const body = { inputs: [count, state, kernel], outputs: [apply('add', [count, one], {}), next, seen] };
  return {
    attributes: { body, length: 3, carryCount: 2, sequenceCount: 0, reverse: false },
    inputs: [integers([2], []), some([1, 4, 2]), some([3, 2, 2])],
  };
}

const CASES: Cases = {
  negate: unary(-2, 2),
  absolute: SHAPES.map((shape) => ({ attributes: {}, inputs: [apart(shape)] })),
  sign: 'zero',
  exp: unary(-2, 2),
  expm1: unary(-2, 2),
  log: unary(0.5, 3),
  log1p: unary(-0.5, 3),
  sqrt: unary(0.5, 3),
  rsqrt: unary(0.5, 3),
  sin: unary(-3, 3),
  cos: unary(-3, 3),
  tan: unary(-1, 1),
  asin: unary(-0.7, 0.7),
  acos: unary(-0.7, 0.7),
  atan: unary(-3, 3),
  sinh: unary(-2, 2),
  cosh: unary(-2, 2),
  tanh: unary(-2, 2),
  asinh: unary(-3, 3),
  acosh: unary(1.5, 4),
  atanh: unary(-0.7, 0.7),
  erf: unary(-2, 2),
  sigmoid: unary(-4, 4),
  floor: 'zero',
  ceil: 'zero',
  round: 'zero',
  relu: SHAPES.map((shape) => ({ attributes: {}, inputs: [apart(shape)] })),
  stopGradient: 'zero',

  add: binary([-2, 2], [-2, 2]),
  subtract: binary([-2, 2], [-2, 2]),
  multiply: binary([-2, 2], [-2, 2]),
  divide: binary([-2, 2], [0.5, 2]),
  floorDivide: 'zero',
  // The quotient is 1 everywhere: no difference crosses a step.
  remainder: binary([2, 2.5], [1.5, 1.8]),
  power: binary([0.5, 2], [-2, 2]),
  maximum: extremum(),
  minimum: extremum(),
  atan2: [...binary<'atan2'>([-2, 2], [0.5, 2]), ...binary<'atan2'>([0.5, 2], [-2, 2])],

  equal: 'not differentiable',
  notEqual: 'not differentiable',
  less: 'not differentiable',
  lessEqual: 'not differentiable',
  greater: 'not differentiable',
  greaterEqual: 'not differentiable',
  logicalAnd: 'not differentiable',
  logicalOr: 'not differentiable',
  logicalXor: 'not differentiable',
  logicalNot: 'not differentiable',

  sum: reduce(some),
  product: reduce(some),
  max: reduce(apart),
  min: reduce(apart),
  argMax: 'not differentiable',
  argMin: 'not differentiable',
  cumulativeSum: cumulative(some),
  cumulativeProduct: cumulative(some),
  cumulativeMax: cumulative(apart),
  cumulativeMin: cumulative(apart),

  dot: MATRICES.map(({ transposeLeft, transposeRight, batch }) => ({
    attributes: { transposeLeft, transposeRight },
    inputs: [
      some([...batch, ...(transposeLeft ? [4, 3] : [3, 4])]),
      some([...batch, ...(transposeRight ? [2, 4] : [4, 2])]),
    ],
  })),
  convolve: CONVOLUTIONS.map(({ x, kernel, attributes }) => ({ attributes, inputs: [some(x), some(kernel)] })),
  convolveInputGradient: CONVOLUTIONS.map(({ x, kernel, y, attributes }) => ({
    attributes: { ...attributes, inputShape: x },
    inputs: [some(y), some(kernel)],
  })),
  convolveFilterGradient: CONVOLUTIONS.map(({ x, kernel, y, attributes }) => ({
    attributes: { ...attributes, kernelShape: kernel },
    inputs: [some(x), some(y)],
  })),

  maxPool: POOLS.map(({ x, attributes }) => ({ attributes, inputs: [apart(x)] })),
  averagePool: POOLS.map(({ x, attributes }) => ({ attributes, inputs: [some(x)] })),
  maxPoolGradient: POOLS.map(({ x, y, attributes }) => {
    const given = apart(x);
    return { attributes, inputs: [given, poolOf(given, attributes), some(y)] };
  }),
  averagePoolGradient: POOLS.map(({ x, y, attributes }) => ({
    attributes: { ...attributes, inputShape: x },
    inputs: [some(y)],
  })),

  // Indices repeat, count from the end, and lie outside.
  gather: [
    { attributes: { axis: 0 }, inputs: [some([3]), integers([1], [])] },
    { attributes: { axis: 0 }, inputs: [some([4, 2]), integers([1, 1, -1, 0])] },
    { attributes: { axis: 1 }, inputs: [some([2, 3, 2]), integers([2, 0, 2, -3], [2, 2])] },
  ],
  takeAlongAxis: [
    { attributes: { axis: 0 }, inputs: [some([4]), integers([3, 3, -1, 0, 1])] },
    { attributes: { axis: 1 }, inputs: [some([2, 3, 2]), integers([0, 1, -1, 1, 1, 1, 2, 2], [2, 2, 2])] },
  ],
  scatterAdd: [
    { attributes: { axis: 0, extent: 3 }, inputs: [integers([1, 1, -1, 7]), some([4, 2])] },
    { attributes: { axis: 1, extent: 4 }, inputs: [integers([0, -4, 3, -5], [2, 2]), some([2, 2, 2])] },
  ],
  argSort: 'not differentiable',

  reshape: [
    { attributes: { shape: [3, 2] }, inputs: [some([2, 3])] },
    { attributes: { shape: [] }, inputs: [some([1, 1])] },
  ],
  transpose: [
    { attributes: { permutation: [2, 0, 1] }, inputs: [some([2, 3, 4])] },
    { attributes: { permutation: [0, 3, 1, 2] }, inputs: [some([2, 3, 1, 2])] },
    { attributes: { permutation: [1, 0] }, inputs: [some([5, 3])] },
  ],
  broadcast: [
    { attributes: { shape: [2, 3, 4] }, inputs: [some([1, 3, 1])] },
    { attributes: { shape: [3] }, inputs: [some([3])] },
  ],
  slice: [
    { attributes: { starts: [1, 0], stops: [3, 2], strides: [1, 1] }, inputs: [some([4, 3])] },
    { attributes: { starts: [1, 0], stops: [6, 5], strides: [2, 3] }, inputs: [some([6, 5])] },
    { attributes: { starts: [0], stops: [5], strides: [4] }, inputs: [some([9])] },
    { attributes: { starts: [2], stops: [2], strides: [1] }, inputs: [some([3])] },
  ],
  pad: [
    {
      attributes: {
        padding: [
          [1, 0],
          [0, 2],
        ],
        value: 3,
      },
      inputs: [some([2, 3])],
    },
    { attributes: { padding: [[0, 0]], value: 0 }, inputs: [some([3])] },
  ],
  concatenate: [
    { attributes: { axis: 1 }, inputs: [some([2, 1]), some([2, 3]), some([2, 0])] },
    { attributes: { axis: 0 }, inputs: [some([2, 2]), some([1, 2])] },
    { attributes: { axis: 2 }, inputs: [some([2, 1, 3])] },
  ],
  reverse: [
    { attributes: { axes: [0, 2] }, inputs: [some([2, 2, 3])] },
    { attributes: { axes: [1] }, inputs: [some([2, 4])] },
    { attributes: { axes: [] }, inputs: [some([3])] },
  ],

  input: 'zero',
  parameter: 'zero',
  constant: 'zero',
  iota: 'zero',
  randomBits: 'not differentiable',
  select: [
    {
      attributes: {},
      inputs: [tensor([true, false, true]), some([3]), some([3])],
    },
    { attributes: {}, inputs: [tensor([false, true, true, false], [2, 2], 'bool'), some([2, 2]), some([2, 2])] },
  ],
  cast: [
    { attributes: { dtype: 'float32' }, inputs: [some([3])] },
    { attributes: { dtype: 'float32' }, inputs: [some([2, 2])] },
  ],
  scan: [recurrent(4, false), recurrent(3, true), recurrent(1, false), convolved()],
  host: 'not differentiable',
};

function poolOf(x: Tensor, attributes: PoolAttributes): Tensor {
  const symbol = input('x', x);
  return evaluate({ inputs: [symbol], outputs: [apply('maxPool', [symbol], attributes)] }, [x])[0] as Tensor;
}

/** Relative to the greatest element: where sums cancel, an error relative to the result says nothing. */
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  for (let index = 0; index < expected.length; index++) {
    const error = Math.abs((actual[index] as number) - (expected[index] as number)) / scale;
    if (!(error <= tolerance))
      expect(`element ${index}: ${actual[index]}`).toBe(`element ${index}: ${expected[index]}`);
  }
}

/** Indices of the inputs that have gradients: x and y of `maxPoolGradient` only say where. */
function differentiableInputs(name: PrimitiveName, symbols: readonly SymbolicTensor[]): number[] {
  const floats = [...symbols.keys()].filter((index) => symbols[index]?.dtype === 'float32');
  return name === 'maxPoolGradient' ? [2] : floats;
}

async function checkCase<K extends PrimitiveName>(name: K, { attributes, inputs }: Case<K>): Promise<void> {
  const symbols = inputs.map(({ shape, dtype }, index) => input(`input${index}`, { shape, dtype }));
  const loss = weightedSum(applyAll(name, symbols, attributes), random);
  const indices = differentiableInputs(name, symbols);
  const wrt = indices.map((index) => symbols[index] as SymbolicTensor);
  const first = gradients(loss, wrt);
  expect(first.map(({ shape }) => shape)).toEqual(wrt.map(({ shape }) => shape));
  await checkGradients({ inputs: symbols, outputs: [loss] }, first, inputs, indices);
  const weighted = weightedSum(first, random);
  await checkGradients({ inputs: symbols, outputs: [weighted] }, gradients(weighted, wrt), inputs, indices);
}

async function checkGradients(
  graph: Graph,
  found: readonly SymbolicTensor[],
  inputs: readonly Tensor[],
  indices: readonly number[],
): Promise<void> {
  const whole = { inputs: graph.inputs, outputs: found };
  const results = evaluate(whole, inputs);
  for (const [position, index] of indices.entries()) {
    expectClose((results[position] as Tensor).data as Float32Array, numericalGradient(graph, inputs, index), 1e-3);
  }
  const program = await wasmBackend().compile(whole);
  const compiled = await program.run(inputs);
  for (const [position, result] of results.entries()) {
    expectClose((compiled[position] as Tensor).data as Float32Array, result.data as Float32Array, 1e-5);
  }
}

for (const name of Object.keys(gradientRules) as PrimitiveName[]) {
  const cases = CASES[name] as readonly Case<PrimitiveName>[] | string;
  const rule = gradientRules[name];
  describe(name, () => {
    test('is tested', () => {
      if (typeof rule === 'string') expect(cases).toBe(rule);
      else expect(typeof cases === 'string' ? 0 : cases.length).toBeGreaterThanOrEqual(2);
    });
    if (typeof cases === 'string') return;
    test.each([...cases.keys()])('case %i', (index) => checkCase(name, cases[index] as Case<PrimitiveName>));
  });
}
