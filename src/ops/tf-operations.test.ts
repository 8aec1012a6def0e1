import { describe, expect, test } from 'vitest';
import { DecodedArguments, readCases } from '../../test/support/operation-cases.ts';
import { tensor } from '../array/tensor.ts';
import { evaluate } from '../backends/reference/evaluate.ts';
import { input } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { decodeNodeAttributes, tfNodeOperations } from './tf-node-operations.ts';
import { tfOperations } from './tf-operations.ts';

const tested = new Set<string>();

describe('tfOperations', () => {
  for (const [index, { op, args, kwargs = {}, expected }] of readCases('tensorflow').entries()) {
    tested.add(op);
    test(`${index} ${op}`, () => {
      const decoded = new DecodedArguments();
      const operation = tfOperations.get(op);
      if (operation === undefined) throw new Error(`${op} is missing`);
      const call = {
        args: decoded.decode(args) as unknown[],
        kwargs: decoded.decode(kwargs) as Record<string, unknown>,
      };
      decoded.expectOutputs(operation.call({ ...call, kwargs: { ...call.kwargs, name: null } }, {}), expected);
    });
  }

  test('each is tested', () => {
    expect([...tfOperations.keys()].filter((name) => !tested.has(name))).toEqual([]);
  });

  test('a shape that is computed from the extents of an input is known', () => {
    const x = input('x', { shape: [2, 3, 4], dtype: 'float32' });
    const run = (name: string, args: unknown[]): SymbolicTensor =>
      tfOperations.get(name)?.call({ args, kwargs: {} }, {}) as SymbolicTensor;
    const extents = run('shape', [x]);
    const rows = run('__operators__.getitem', [extents, [0]]);
    const columns = run('math.multiply', [run('__operators__.getitem', [extents, [1]]), 4]);
    expect(run('reshape', [x, [rows, columns]]).shape).toEqual([2, 12]);
    expect(
      run('reshape', [x, run('concat', [[[-1], run('__operators__.getitem', [extents, [{ start: 2 }]])], 0])]).shape,
    ).toEqual([6, 4]);
  });
});

describe('tfNodeOperations', () => {
  const x = tensor([
    [1, -2, 3],
    [4, 5, -6],
  ]);
  const compute = (name: string, args: readonly unknown[], attributes: Record<string, unknown> = {}): unknown => {
    const operation = tfNodeOperations.get(name);
    if (operation === undefined) throw new Error(`${name} is missing`);
    const result = operation.call({ args, kwargs: {} }, decodeNodeAttributes(attributes));
    const outputs = Array.isArray(result) ? result : [result];
    const values = evaluate({ inputs: [], outputs }, []).map((output) => output.toArray());
    return values.length === 1 ? values[0] : values;
  };
  const T = { type: 'DT_FLOAT' };

  test.each<[name: string, args: unknown[], attributes: Record<string, unknown>, expected: unknown]>([
    [
      'AddV2',
      [x, 1],
      { T },
      [
        [2, -1, 4],
        [5, 6, -5],
      ],
    ],
    [
      'Relu',
      [x],
      { T },
      [
        [1, 0, 3],
        [4, 5, 0],
      ],
    ],
    [
      'Reshape',
      [x, [-1, 2]],
      { T, Tshape: { type: 'DT_INT32' } },
      [
        [1, -2],
        [3, 4],
        [5, -6],
      ],
    ],
    [
      'Transpose',
      [x, [1, 0]],
      { T, Tperm: { type: 'DT_INT32' } },
      [
        [1, 4],
        [-2, 5],
        [3, -6],
      ],
    ],
    ['Mean', [x, [1]], { keep_dims: { b: true }, T }, [[2 / 3].map(Math.fround), [1]]],
    ['Sum', [x, 0], { keep_dims: { b: false } }, [5, 3, -3]],
    ['Max', [x, [0, 1]], {}, 5],
    [
      'ConcatV2',
      [x, x, 1],
      { N: { i: '2' } },
      [
        [1, -2, 3, 1, -2, 3],
        [4, 5, -6, 4, 5, -6],
      ],
    ],
    ['Pack', [x, x], { axis: { i: '0' }, N: { i: '2' } }, [x.toArray(), x.toArray()]],
    [
      'Unpack',
      [x],
      { num: { i: '2' }, axis: { i: '0' } },
      [
        [1, -2, 3],
        [4, 5, -6],
      ],
    ],
    [
      'AddN',
      [x, x],
      {},
      [
        [2, -4, 6],
        [8, 10, -12],
      ],
    ],
    [
      'BiasAdd',
      [x, [1, 2, 3]],
      { data_format: { s: btoa('NHWC') } },
      [
        [2, 0, 6],
        [5, 7, -3],
      ],
    ],
    ['LeakyRelu', [tensor([-2, 1])], { alpha: { f: 0.5 } }, [-1, 1]],
    ['Cast', [tensor([1.5])], { SrcT: T, DstT: { type: 'DT_INT32' } }, [1]],
    ['Squeeze', [tensor([[1]])], { squeeze_dims: { list: { i: ['0'] } } }, [1]],
    ['Squeeze', [tensor([[1]])], { squeeze_dims: { list: {} } }, 1],
    [
      'StridedSlice',
      [x, [0, 1], [2, 2], [1, 1]],
      { begin_mask: { i: '1' }, end_mask: { i: '1' }, shrink_axis_mask: { i: '2' } },
      [-2, 5],
    ],
    [
      'GatherV2',
      [x, [2, 0], 1],
      { batch_dims: { i: '0' } },
      [
        [3, 1],
        [-6, 4],
      ],
    ],
    [
      'Split',
      [1, x],
      { num_split: { i: '3' } },
      [
        [[1], [4]],
        [[-2], [5]],
        [[3], [-6]],
      ],
    ],
    [
      'SplitV',
      [x, [1, 2], 1],
      { num_split: { i: '2' } },
      [
        [[1], [4]],
        [
          [-2, 3],
          [5, -6],
        ],
      ],
    ],
    ['PadV2', [tensor([1]), [[1, 0]], 7], {}, [7, 1]],
    ['Pad', [tensor([1]), [[1, 0]]], {}, [0, 1]],
    ['MirrorPad', [tensor([1, 2]), [[1, 0]]], { mode: { s: btoa('REFLECT') } }, [2, 1, 2]],
    ['OneHot', [tensor([1], undefined, 'int32'), 2, 1, 0], { axis: { i: '-1' } }, [[0, 1]]],
    ['ArgMax', [x, 1], { output_type: { type: 'DT_INT64' } }, [2, 1]],
    ['ArgMin', [x, 1], {}, [1, 2]],
    [
      'Cumsum',
      [x, 1],
      { reverse: { b: false }, exclusive: { b: true } },
      [
        [0, 1, -1],
        [0, 4, 9],
      ],
    ],
    [
      'TopKV2',
      [x, 1],
      { sorted: { b: true } },
      [
        [[3], [5]],
        [[2], [1]],
      ],
    ],
    [
      'MatMul',
      [x, x],
      { transpose_b: { b: true }, transpose_a: { b: false } },
      [
        [14, -24],
        [-24, 77],
      ],
    ],
    [
      'BatchMatMulV2',
      [x, x],
      { adj_x: { b: false }, adj_y: { b: true } },
      [
        [14, -24],
        [-24, 77],
      ],
    ],
    [
      'Einsum',
      [x],
      { equation: { s: btoa('ij->ji') } },
      [
        [1, 4],
        [-2, 5],
        [3, -6],
      ],
    ],
  ])('%s %j', (name, args, attributes, expected) => {
    expect(compute(name, args, attributes)).toEqual(expected);
  });

  test.each(['Conv2D', 'DepthwiseConv2dNative'])('%s', (name) => {
    const image = tensor([
      [
        [[1], [2]],
        [[3], [4]],
      ],
    ]);
    const kernel = tensor([[[[1]], [[10]]]]);
    const attributes = {
      strides: { list: { i: ['1', '1', '1', '1'] } },
      dilations: { list: { i: ['1', '1', '1', '1'] } },
      padding: { s: btoa('VALID') },
      data_format: { s: btoa('NHWC') },
    };
    expect(compute(name, [image, kernel], attributes)).toEqual([[[[21]], [[43]]]]);
  });

  test.each([
    ['MaxPool', 4],
    ['AvgPool', 2.5],
  ])('%s', (name, expected) => {
    const image = tensor([
      [
        [[1], [2]],
        [[3], [4]],
      ],
    ]);
    const window = { list: { i: ['1', '2', '2', '1'] } };
    const attributes = {
      ksize: window,
      strides: window,
      padding: { s: btoa('SAME') },
      data_format: { s: btoa('NHWC') },
    };
    expect(compute(name, [image], attributes)).toEqual([[[[expected]]]]);
  });

  test('refuses an attribute that it does not know', () => {
    expect(() => compute('AddV2', [x, 1], { surprise: { b: true } })).toThrow('found surprise');
  });
});
