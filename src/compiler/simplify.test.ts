import { describe, expect, test } from 'vitest';
import { Tensor, tensor } from '../array/tensor.ts';
import { apply, constant, input, parameter } from '../graph/apply.ts';
import { type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import { Variable } from '../graph/variable.ts';
import { atOnce } from '../pause.ts';
import { foldAffine } from './fold-affine.ts';
import { type Evaluate, simplify } from './simplify.ts';

/** Knows enough to fold the constants of these tests: sums of two. */
const evaluate: Evaluate = ({ outputs }) =>
  outputs.map(({ node, shape }) => {
    const [left, right] = node.inputs.map((each) => {
      if (each.node.primitive !== 'constant') throw new TypeError('not a constant');
      return each.node.attributes.value.data as Float32Array;
    }) as [Float32Array, Float32Array];
    if (node.primitive !== 'add') throw new TypeError(`cannot fold ${node.primitive}`);
    return new Tensor(
      shape,
      'float32',
      left.map((value, index) => value + (right[index] as number)),
    );
  });

const float = (...shape: number[]): SymbolicTensor => input('x', { shape, dtype: 'float32' });

function weight(...shape: number[]): SymbolicTensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return parameter(new Variable({ name: 'weight', shape, initialize: () => tensor(new Float32Array(size), shape) }));
}

/** The value after simplification. */
function simplified(output: SymbolicTensor): SymbolicTensor {
  return atOnce(simplify({ inputs: [], outputs: [output] }, evaluate)).outputs[0] as SymbolicTensor;
}

function primitivesOf(output: SymbolicTensor): string[] {
  return topologicalOrder([output]).map((node) => node.primitive);
}

const same = (value: number, ...shape: number[]): SymbolicTensor =>
  apply(
    'broadcast',
    [
      constant(
        tensor(
          Float32Array.of(value),
          shape.map(() => 1),
        ),
      ),
    ],
    { shape },
  );

describe('simplify()', () => {
  test('computes a common part once', () => {
    const x = float(3);
    const y = apply('add', [apply('exp', [x], {}), apply('exp', [x], {})], {});
    expect(primitivesOf(simplified(y))).toEqual(['input', 'exp', 'add']);
  });

  test('folds constants', () => {
    const sum = apply('add', [constant(tensor([1, 2])), constant(tensor([10, 20]))], {});
    const { node } = simplified(sum);
    expect(node.primitive === 'constant' && node.attributes.value.toArray()).toEqual([11, 22]);
  });

  test.each<[string, (x: SymbolicTensor) => SymbolicTensor]>([
    ['a product with 1', (x) => apply('multiply', [same(1, 2, 3), x], {})],
    ['a quotient by 1', (x) => apply('divide', [x, same(1, 2, 3)], {})],
    ['a difference with 0', (x) => apply('subtract', [x, same(0, 2, 3)], {})],
    ['two negations', (x) => apply('negate', [apply('negate', [x], {})], {})],
    ['a whole slice', (x) => apply('slice', [x], { starts: [0, 0], stops: [2, 3], strides: [1, 1] })],
    [
      'a padding of nothing',
      (x) =>
        apply('pad', [x], {
          padding: [
            [0, 0],
            [0, 0],
          ],
          value: 1,
        }),
    ],
    ['a concatenation of one', (x) => apply('concatenate', [x], { axis: 0 })],
    ['a cast to its dtype', (x) => apply('cast', [x], { dtype: 'float32' })],
    ['a reshape there and back', (x) => apply('reshape', [apply('reshape', [x], { shape: [6] })], { shape: [2, 3] })],
    [
      'a transposition there and back',
      (x) => apply('transpose', [apply('transpose', [x], { permutation: [1, 0] })], { permutation: [1, 0] }),
    ],
    ['a maximum with −∞', (x) => apply('maximum', [x, same(Number.NEGATIVE_INFINITY, 2, 3)], {})],
  ])('drops %s', (_, build) => {
    const x = float(2, 3);
    expect(simplified(build(x))).toBe(x);
  });

  test('keeps a sum with 0, which turns −0 into 0', () => {
    const x = float(3);
    expect(simplified(apply('add', [x, same(0, 3)], {})).node.primitive).toBe('add');
  });

  test('joins bounds on one side', () => {
    const x = float(3);
    const twice = apply('maximum', [same(2, 3), apply('maximum', [x, same(1, 3)], {})], {});
    const { node } = simplified(twice);
    expect(node.inputs[0]).toBe(x);
    expect(node.inputs[1]?.node.inputs[0]?.node).toMatchObject({ attributes: { value: { data: Float32Array.of(2) } } });
  });

  test('computes between layers whose channels come first as if they came last', () => {
    const toFirst = (x: SymbolicTensor): SymbolicTensor => apply('transpose', [x], { permutation: [0, 3, 1, 2] });
    const toLast = (x: SymbolicTensor): SymbolicTensor => apply('transpose', [x], { permutation: [0, 2, 3, 1] });
    const [x, y, vector] = [float(2, 4, 5, 3), float(2, 4, 5, 3), weight(3)];
    const wide = apply('broadcast', [apply('reshape', [vector], { shape: [1, 3, 1, 1] })], { shape: [2, 3, 4, 5] });
    const sum = apply('maximum', [apply('add', [toFirst(x), wide], {}), same(0, 2, 3, 4, 5)], {});
    const padding = [0, 0, 1, 2].map((high) => [0, high] as const);
    const padded = apply('pad', [apply('concatenate', [sum, toFirst(y)], { axis: 1 })], { padding, value: 0 });
    const found = simplified(toLast(padded));
    expect(primitivesOf(found)).not.toContain('transpose');
    expect(found.shape).toEqual([2, 5, 7, 6]);
    expect(primitivesOf(simplified(padded)).filter((primitive) => primitive === 'transpose')).toHaveLength(1);
    // Nothing is gained where one of the values is as it is.
    const mixed = apply('add', [toFirst(x), float(2, 3, 4, 5)], {});
    expect(primitivesOf(simplified(mixed))).toEqual(['input', 'transpose', 'input', 'add']);
  });

  test('lets a product transpose its operands', () => {
    const [x, y] = [float(4, 3), float(4, 5)];
    const flipped = apply('transpose', [x], { permutation: [1, 0] });
    const { node } = simplified(apply('dot', [flipped, y], { transposeLeft: false, transposeRight: false }));
    expect(node.inputs).toEqual([x, y]);
    expect(node.attributes).toEqual({ transposeLeft: true, transposeRight: false });
  });

  test('lets a convolution pad with zeros, and not with anything else', () => {
    const x = float(1, 5, 2);
    const window = { strides: [1], padding: [[1, 0]] as const, dilation: [1], groups: 1 };
    const padded = (value: number): SymbolicTensor =>
      apply(
        'convolve',
        [
          apply('pad', [x], {
            padding: [
              [0, 0],
              [0, 2],
              [0, 0],
            ],
            value,
          }),
          weight(3, 2, 4),
        ],
        window,
      );
    expect(simplified(padded(0)).node).toMatchObject({ inputs: [x, {}], attributes: { padding: [[1, 2]] } });
    expect(primitivesOf(simplified(padded(1)))).toContain('pad');
  });

  test('computes before it broadcasts', () => {
    const x = float(3);
    const wide = apply('broadcast', [apply('reshape', [x], { shape: [1, 3] })], { shape: [100, 3] });
    const y = simplified(apply('add', [apply('exp', [wide], {}), same(2, 100, 3)], {}));
    expect(y.node.primitive).toBe('broadcast');
    expect(y.node.inputs[0]?.node.primitive).toBe('add');
  });
});

describe('foldAffine()', () => {
  const across = (vector: SymbolicTensor, ...shape: number[]): SymbolicTensor => {
    const own = shape.map((extent, axis) => (axis === shape.length - 1 ? extent : 1));
    return apply('broadcast', [apply('reshape', [vector], { shape: own })], { shape });
  };
  const convolve = (x: SymbolicTensor): SymbolicTensor =>
    apply('convolve', [x, weight(3, 2, 4)], { strides: [1], padding: [[1, 1]], dilation: [1], groups: 1 });

  test('moves the scale of a batch normalisation into the weights', () => {
    const x = float(1, 5, 2);
    const centred = apply('subtract', [convolve(x), across(weight(4), 1, 5, 4)], {});
    const y = apply(
      'add',
      [apply('multiply', [centred, across(weight(4), 1, 5, 4)], {}), across(weight(4), 1, 5, 4)],
      {},
    );
    const [output] = atOnce(foldAffine({ inputs: [x], outputs: [y] })).outputs as [SymbolicTensor];
    expect(output.node.primitive).toBe('add');
    expect(output.node.inputs[0]?.node.primitive).toBe('convolve');
    expect(output.node.inputs[0]?.node.inputs[0]).toBe(x);
    expect(output.node.inputs[0]?.node.inputs[1]?.node.primitive).toBe('multiply');
  });

  test('leaves a convolution alone whose result is read before it is scaled', () => {
    const x = float(1, 5, 2);
    const z = convolve(x);
    const graph = { inputs: [x], outputs: [apply('multiply', [z, across(weight(4), 1, 5, 4)], {}), z] };
    expect(atOnce(foldAffine(graph))).toBe(graph);
  });

  test('leaves a scale alone that depends on the input', () => {
    const [x, scale] = [float(1, 5, 2), float(4)];
    const graph = { inputs: [x, scale], outputs: [apply('multiply', [convolve(x), across(scale, 1, 5, 4)], {})] };
    expect(atOnce(foldAffine(graph))).toBe(graph);
  });
});
