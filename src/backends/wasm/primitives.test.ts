/** Every primitive, compiled, against the interpreter: the table's keys decide what is tested. */
import { describe, expect, test } from 'vitest';
import {
  type PrimitiveCase,
  type PrimitiveCases,
  random,
  spec,
  type Values,
  values,
} from '../../../test/support/primitive-case.ts';
import { CONTRACTION_CASES } from '../../../test/support/primitive-cases-of-contractions.ts';
import type { Dtype } from '../../array/dtype.ts';
import type { Shape } from '../../array/shape.ts';
import { Tensor, tensor } from '../../array/tensor.ts';
import { applyAll, constant, input } from '../../graph/apply.ts';
import type { Graph, SymbolicTensor } from '../../graph/node.ts';
import type {
  BinaryName,
  CompareName,
  CumulativeName,
  LogicalName,
  PrimitiveAttributes,
  PrimitiveName,
  UnaryName,
} from '../../graph/primitives.ts';
import { shapeRules } from '../../graph/shape-rules.ts';
import { Variable } from '../../graph/variable.ts';
import { evaluate } from '../reference/evaluate.ts';
import { referenceBackend } from '../reference/reference-backend.ts';
import { wasmBackend } from './wasm-backend.ts';

const SHAPES: readonly Shape[] = [[], [0], [1], [4], [7], [3, 5], [2, 0, 3], [1, 17, 1], [40, 33]];

/** The operand as it is, and broadcast along each axis from a smaller one. */
function elementwise<K extends PrimitiveName>(
  attributes: PrimitiveAttributes[K],
  dtypes: readonly (readonly Dtype[])[],
): PrimitiveCase<K>[] {
  return dtypes.flatMap((operands) =>
    SHAPES.flatMap((shape) =>
      (['plain', 'special'] as const).map((kind) => ({
        attributes,
        inputs: operands.map((dtype) => values(shape, dtype, kind)),
      })),
    ),
  );
}

const FLOAT: readonly (readonly Dtype[])[] = [['float32']];
const FLOATS: readonly (readonly Dtype[])[] = [['float32', 'float32']];
const NUMBERS: readonly (readonly Dtype[])[] = [
  ['float32', 'float32'],
  ['int32', 'int32'],
];

function unary<K extends UnaryName>(dtypes = FLOAT): PrimitiveCase<K>[] {
  return elementwise<K>({} as PrimitiveAttributes[K], dtypes);
}

function binary<K extends BinaryName>(dtypes = NUMBERS): PrimitiveCase<K>[] {
  return elementwise<K>({} as PrimitiveAttributes[K], dtypes);
}

function compare<K extends CompareName>(): PrimitiveCase<K>[] {
  return elementwise<K>({} as PrimitiveAttributes[K], [...NUMBERS, ['bool', 'bool']]);
}

function logical<K extends LogicalName>(count: number): PrimitiveCase<K>[] {
  return elementwise<K>({} as PrimitiveAttributes[K], [new Array<Dtype>(count).fill('bool')]);
}

const REDUCTIONS: readonly [Shape, readonly number[]][] = [
  [[], []],
  [[5], [0]],
  [[0], [0]],
  [[3, 0], [0]],
  [[0, 3], [0]],
  [[4, 7], []],
  [[4, 7], [0]],
  [[4, 7], [1]],
  [[33, 21], [0]],
  [
    [3, 1, 50],
    [1, 2],
  ],
  [
    [5, 6, 7],
    [0, 2],
  ],
  [[5, 6, 7], [1]],
  [
    [2, 3, 4, 5],
    [1, 2],
  ],
  [
    [2, 3, 4, 5],
    [0, 3],
  ],
  [[3, 2100], [1]],
  [[700, 18], [0]],
  [
    [2, 2, 1],
    [0, 1, 2],
  ],
];

function reduce<K extends 'sum' | 'product' | 'max' | 'min'>(
  dtypes: readonly Dtype[],
  near?: Values,
): PrimitiveCase<K>[] {
  return dtypes.flatMap((dtype) =>
    REDUCTIONS.flatMap(([shape, axes]) =>
      (dtype === 'float32' ? (['plain', 'special'] as const) : (['plain'] as const)).map((kind) => ({
        attributes: { axes } as PrimitiveAttributes[K],
        inputs: [values(shape, dtype, kind === 'plain' && dtype === 'float32' ? (near ?? kind) : kind)],
      })),
    ),
  );
}

const LANES: readonly [Shape, number][] = [
  [[1], 0],
  [[9], 0],
  [[3, 8], 1],
  [[8, 3], 0],
  [[2, 5, 3], 1],
  [[0, 4], 1],
  [[40, 3], 0],
];

function argReduce<K extends 'argMax' | 'argMin'>(): PrimitiveCase<K>[] {
  return (['float32', 'int32', 'bool'] as const).flatMap((dtype) =>
    LANES.flatMap(([shape, axis]) =>
      (['plain', 'special'] as const).map((kind) => ({
        attributes: { axis } as PrimitiveAttributes[K],
        inputs: [values(shape, dtype, kind)],
      })),
    ),
  );
}

function cumulative<K extends CumulativeName>(): PrimitiveCase<K>[] {
  return (['float32', 'int32'] as const).flatMap((dtype) =>
    [...LANES, [[4, 0], 1] as [Shape, number]].flatMap(([shape, axis]) =>
      [true, false].map((reverse) => ({
        attributes: { axis, reverse } as PrimitiveAttributes[K],
        inputs: [values(shape, dtype, dtype === 'float32' ? () => 0.5 + random() : 'plain')],
      })),
    ),
  );
}

const indices = (shape: Shape, extent: number): Tensor =>
  values(shape, 'int32', () => Math.floor(random() * (2 * extent + 4)) - extent - 2);

function move<K extends PrimitiveName>(cases: readonly [Shape, PrimitiveAttributes[K]][]): PrimitiveCase<K>[] {
  return (['float32', 'int32', 'bool'] as const).flatMap((dtype) =>
    cases.map(([shape, attributes]) => ({ attributes, inputs: [values(shape, dtype, 'plain')] })),
  );
}

function variable(value: Tensor): Variable {
  const { shape } = value;
  return new Variable({ name: 'weight', shape, dtype: value.dtype as 'float32', initialize: () => value });
}

/** A loop whose carry is the sum so far and a doubled copy, over steps that are scaled. */
function accumulator(length: number, reverse: boolean): PrimitiveCase<'scan'> {
  const carry = input('carry', spec([3]));
  const other = input('other', spec([3]));
  const step = input('step', spec([3]));
  const scale = input('scale', spec([3]));
  const scaled = applyAll('multiply', [step, scale], {})[0] as SymbolicTensor;
  const sum = applyAll('add', [carry, scaled], {})[0] as SymbolicTensor;
  const body = { inputs: [carry, other, step, scale], outputs: [sum, carry, scaled, other] };
  return {
    attributes: { body, length, carryCount: 2, sequenceCount: 1, reverse },
    inputs: [[3], [3], [length, 3], [3]].map((shape) => values(shape, 'float32', 'plain')),
  };
}

const CASES: PrimitiveCases<PrimitiveName> = {
  ...CONTRACTION_CASES,
  negate: unary([['float32'], ['int32']]),
  absolute: unary([['float32'], ['int32']]),
  sign: unary([['float32'], ['int32']]),
  exp: unary(),
  expm1: unary(),
  log: unary(),
  log1p: unary(),
  sqrt: unary(),
  rsqrt: unary(),
  sin: unary(),
  cos: unary(),
  tan: unary(),
  asin: unary(),
  acos: unary(),
  atan: unary(),
  sinh: unary(),
  cosh: unary(),
  tanh: unary(),
  asinh: unary(),
  acosh: unary(),
  atanh: unary(),
  erf: unary(),
  sigmoid: unary(),
  floor: unary(),
  ceil: unary(),
  round: unary(),
  relu: unary(),
  stopGradient: unary(),
  add: binary(),
  subtract: binary(),
  multiply: binary(),
  divide: binary(FLOATS),
  floorDivide: binary(),
  remainder: binary(),
  power: binary(),
  maximum: binary(),
  minimum: binary(),
  atan2: binary(FLOATS),
  equal: compare(),
  notEqual: compare(),
  less: compare(),
  lessEqual: compare(),
  greater: compare(),
  greaterEqual: compare(),
  logicalAnd: logical(2),
  logicalOr: logical(2),
  logicalXor: logical(2),
  logicalNot: logical(1),
  // Of one sign: where sums cancel, an error relative to the result says nothing.
  sum: reduce(['float32', 'int32'], () => 0.5 + random()),
  product: reduce(['float32', 'int32'], () => 0.95 + random() * 0.1),
  max: reduce(['float32', 'int32', 'bool']),
  min: reduce(['float32', 'int32', 'bool']),
  argMax: argReduce(),
  argMin: argReduce(),
  cumulativeSum: cumulative(),
  cumulativeProduct: cumulative(),
  cumulativeMax: cumulative(),
  cumulativeMin: cumulative(),
  gather: (['float32', 'int32', 'bool'] as const).flatMap((dtype) =>
    (
      [
        [[5], 0, [3, 2]],
        [[5, 3], 0, [4]],
        [[4, 5, 40], 1, [2, 3]],
        [[2, 6], 1, []],
        [[3, 0], 0, [2]],
        [[0, 3], 0, [2]],
        [[7, 50], 0, [0]],
      ] as [Shape, number, Shape][]
    ).map(([shape, axis, index]) => ({
      attributes: { axis },
      inputs: [values(shape, dtype, 'plain'), indices(index, shape[axis] as number)],
    })),
  ),
  takeAlongAxis: (['float32', 'int32', 'bool'] as const).flatMap((dtype) =>
    (
      [
        [[5], 0, [3]],
        [[4, 5, 3], 1, [4, 2, 3]],
        [[3, 4], 1, [3, 9]],
        [[3, 4], 1, [3, 0]],
      ] as [Shape, number, Shape][]
    ).map(([shape, axis, index]) => ({
      attributes: { axis },
      inputs: [values(shape, dtype, 'plain'), indices(index, shape[axis] as number)],
    })),
  ),
  scatterAdd: (['float32', 'int32'] as const).flatMap((dtype) =>
    (
      [
        [[6], [6], 0, 4],
        [[2, 3], [2, 3, 5], 0, 4],
        [[4], [2, 4, 19], 1, 3],
        [[0], [0, 5], 0, 3],
        [[3], [3, 0], 0, 3],
      ] as [Shape, Shape, number, number][]
    ).map(([index, updates, axis, extent]) => ({
      attributes: { axis, extent },
      inputs: [indices(index, extent), values(updates, dtype, 'plain')],
    })),
  ),
  argSort: (['float32', 'int32', 'bool'] as const).flatMap((dtype) =>
    [...LANES, [[4, 0], 1] as [Shape, number], [[600], 0] as [Shape, number]].flatMap(([shape, axis]) =>
      [true, false].map((descending) => ({
        attributes: { axis, descending },
        inputs: [values(shape, dtype, 'special')],
      })),
    ),
  ),
  reshape: move<'reshape'>([
    [[2, 6], { shape: [3, 4] }],
    [[1], { shape: [] }],
    [[0, 3], { shape: [3, 0, 2] }],
  ]),
  transpose: move<'transpose'>([
    [[3, 5], { permutation: [1, 0] }],
    [[2, 3, 4, 5], { permutation: [0, 2, 1, 3] }],
    [[2, 3, 4, 5], { permutation: [3, 1, 0, 2] }],
    [[40, 37], { permutation: [1, 0] }],
    [[9, 8], { permutation: [1, 0] }],
    [[3, 19, 2, 26], { permutation: [2, 3, 0, 1] }],
    [[2, 3, 18, 21], { permutation: [1, 3, 0, 2] }],
    [[0, 2], { permutation: [1, 0] }],
    [[6], { permutation: [0] }],
  ]),
  broadcast: move<'broadcast'>([
    [[1, 5], { shape: [4, 5] }],
    [[5, 1], { shape: [5, 9] }],
    [[2, 1, 3], { shape: [2, 6, 3] }],
    [[1, 1], { shape: [0, 7] }],
    [[1], { shape: [33] }],
  ]),
  slice: move<'slice'>([
    [[9], { starts: [2], stops: [8], strides: [1] }],
    [[9, 4], { starts: [1, 0], stops: [8, 3], strides: [3, 2] }],
    [[3, 5], { starts: [1, 5], stops: [1, 5], strides: [1, 1] }],
    [[4, 3, 10], { starts: [0, 1, 0], stops: [4, 2, 10], strides: [1, 1, 1] }],
  ]),
  pad: move<'pad'>([
    [[5], { padding: [[2, 1]], value: 3 }],
    [
      [2, 3, 4],
      {
        padding: [
          [0, 0],
          [1, 2],
          [3, 0],
        ],
        value: -2,
      },
    ],
    [
      [0, 2],
      {
        padding: [
          [1, 1],
          [0, 0],
        ],
        value: 1,
      },
    ],
    [[2], { padding: [[0, 0]], value: 1 }],
  ]),
  concatenate: (['float32', 'int32', 'bool'] as const).flatMap((dtype) =>
    (
      [
        [[[3], [0], [4]], 0],
        [
          [
            [2, 3, 2],
            [2, 1, 2],
          ],
          1,
        ],
        [
          [
            [5, 2],
            [5, 7],
            [5, 1],
          ],
          1,
        ],
        [[[2, 2]], 0],
      ] as [readonly Shape[], number][]
    ).map(([shapes, axis]) => ({
      attributes: { axis },
      inputs: shapes.map((shape) => values(shape, dtype, 'plain')),
    })),
  ),
  reverse: move<'reverse'>([
    [[5], { axes: [0] }],
    [[3, 4, 6], { axes: [1] }],
    [[3, 4, 6], { axes: [0, 2] }],
    [[3, 4], { axes: [] }],
    [[0, 4], { axes: [0] }],
  ]),
  input: [{ attributes: { name: 'x', ...spec([2, 3]) }, inputs: [] }],
  parameter: [{ attributes: { variable: variable(values([3, 2], 'float32', 'plain')) }, inputs: [] }],
  constant: (['float32', 'int32', 'bool'] as const).map((dtype) => ({
    attributes: { value: values([2, 5], dtype, 'plain') },
    inputs: [],
  })),
  iota: (['float32', 'int32'] as const).flatMap((dtype) =>
    (
      [
        [[7], 0],
        [[3, 9], 0],
        [[3, 9], 1],
        [[2, 0], 0],
      ] as [Shape, number][]
    ).map(([shape, axis]) => ({ attributes: { shape, dtype, axis }, inputs: [] })),
  ),
  randomBits: [[], [3], [16], [5, 7], [3, 0], [64], [1001]].flatMap((shape) =>
    [
      [
        [0, 0],
        [0, 0],
      ],
      [
        [-1, 2 ** 31 - 1],
        [7, -(2 ** 31)],
      ],
    ].map((words) => ({ attributes: { shape }, inputs: words.map((pair) => tensor(Int32Array.from(pair))) })),
  ),
  select: elementwise<'select'>({}, [
    ['bool', 'float32', 'float32'],
    ['bool', 'int32', 'int32'],
    ['bool', 'bool', 'bool'],
  ]),
  cast: (['float32', 'int32', 'bool'] as const).flatMap((from) =>
    (['float32', 'int32', 'bool'] as const).flatMap((dtype) => elementwise<'cast'>({ dtype }, [[from]])),
  ),
  scan: [accumulator(5, false), accumulator(4, true), accumulator(0, false), accumulator(1, false)],
  host: [
    {
      attributes: {
        name: 'double',
        outputs: [spec([4])],
        run: ([x]) => [
          new Tensor(
            [4],
            'float32',
            (x as Tensor<'float32'>).data.map((each) => each * 2),
          ),
        ],
      },
      inputs: [values([4], 'float32', 'plain')],
    },
  ],
};

/** Runs the primitive on both backends. */
async function compareBackends<K extends PrimitiveName>(
  primitive: K,
  { attributes, inputs, constants }: PrimitiveCase<K>,
) {
  const symbols = inputs.map((value, index) =>
    constants?.includes(index) ? constant(value) : input(`x${index}`, value),
  );
  const outputs = applyAll(primitive, symbols, attributes);
  const given = inputs.filter((_, index) => !constants?.includes(index));
  const graphInputs = symbols.filter((symbol) => symbol.node.primitive === 'input');
  const graph = { inputs: primitive === 'input' ? outputs : graphInputs, outputs };
  const fed = primitive === 'input' ? outputs.map((symbol) => values(symbol.shape, symbol.dtype, 'plain')) : given;
  const expected = evaluate(graph, fed);
  const program = await wasmBackend({ fallback: referenceBackend() }).compile(graph);
  return { expected, actual: await program.run(fed) };
}

/** The same elements in another order. */
function turned(value: Tensor): Tensor {
  return new Tensor(value.shape, value.dtype, value.data.slice().reverse() as typeof value.data);
}

/**
 * Runs the primitive alone, and twice in one program, where kernels that are equal share their code: on inputs that differ
 * but in elements.
 */
async function compareTwins<K extends PrimitiveName>(
  primitive: K,
  { attributes, inputs, constants }: PrimitiveCase<K>,
): Promise<{ alone: readonly Tensor[]; together: readonly Tensor[] }> {
  const isGiven = (index: number): boolean => !constants?.includes(index);
  const graphOf = (name: string): Graph => {
    const symbols = inputs.map((value, index) => (isGiven(index) ? input(`${name}${index}`, value) : constant(value)));
    return { inputs: symbols.filter((_, index) => isGiven(index)), outputs: applyAll(primitive, symbols, attributes) };
  };
  const [left, right] = [graphOf('x'), graphOf('y')];
  const backend = wasmBackend({ fallback: referenceBackend() });
  const fed = inputs.filter((_, index) => isGiven(index));
  const other = fed.map(turned);
  const single = await backend.compile(left);
  const both = await backend.compile({
    inputs: [...left.inputs, ...right.inputs],
    outputs: [...left.outputs, ...right.outputs],
  });
  return {
    alone: [...(await single.run(fed)), ...(await single.run(other))],
    together: await both.run([...fed, ...other]),
  };
}

/** The greatest difference, relative to the expected value or to 1 if that is smaller; ∞ where only one is NaN or ∞. */
function greatestDifference(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.dtype).toBe(expected.dtype);
  let greatest = 0;
  for (let index = 0; index < expected.data.length; index++) {
    const [a, b] = [actual.data[index] as number, expected.data[index] as number];
    if (Object.is(a, b) || a === b) continue;
    const difference = Math.abs(a - b) / Math.max(1, Math.abs(b));
    greatest = Math.max(greatest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return greatest;
}

/** The attributes that are plain values. */
function describeAttributes(attributes: object): string {
  const plain = Object.entries(attributes).filter(([, value]) => typeof value !== 'object' || Array.isArray(value));
  return JSON.stringify(Object.fromEntries(plain));
}

describe('wasmBackend() computes as the interpreter does', () => {
  test.each(Object.keys(shapeRules) as PrimitiveName[])('%s', async (primitive) => {
    const cases = CASES[primitive] as readonly PrimitiveCase<PrimitiveName>[];
    expect(cases.length).toBeGreaterThan(0);
    for (const each of cases) {
      const { expected, actual } = await compareBackends(primitive, each);
      expect(actual.length).toBe(expected.length);
      for (const [index, value] of expected.entries()) {
        const difference = greatestDifference(actual[index] as Tensor, value);
        const shapes = each.inputs.map((value) => `${value.dtype}[${value.shape}]`).join(' ');
        expect(difference, `${shapes} ${describeAttributes(each.attributes)}`).toBeLessThanOrEqual(1e-5);
      }
    }
  });
});

describe('kernels that are equal', () => {
  const names = (Object.keys(shapeRules) as PrimitiveName[]).filter((name) => name !== 'input' && name !== 'host');
  test.each(names)('%s gives the bits that it gives alone', async (primitive) => {
    for (const each of CASES[primitive] as readonly PrimitiveCase<PrimitiveName>[]) {
      const { alone, together } = await compareTwins(primitive, each);
      expect(together.length).toBe(alone.length);
      for (const [index, { data }] of alone.entries()) expect(together[index]?.data).toEqual(data);
    }
  });
});
