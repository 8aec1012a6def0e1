import { describe, expect, test } from 'vitest';
import { type NestedArray, type Tensor, tensor } from '../array/tensor.ts';
import { evaluate } from '../backends/reference/evaluate.ts';
import { apply, applyAll, constant, input, parameter } from '../graph/apply.ts';
import { type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import { Variable } from '../graph/variable.ts';
import { relu, relu6, softplus } from '../ops/activations.ts';
import { greater, where } from '../ops/compare.ts';
import { conv } from '../ops/convolution.ts';
import { add, exp, maximum, minimum, multiply, power, sqrt, square, stopGradient } from '../ops/elementwise.ts';
import { matmul } from '../ops/matrix.ts';
import { cummax, max, prod, sum } from '../ops/reduce.ts';
import { split } from '../ops/shape.ts';
import { argsort } from '../ops/sorting.ts';
import { gradients } from './gradients.ts';

/** The gradient of the sum of f(x), as nested arrays. */
function gradientAt(f: (x: SymbolicTensor) => SymbolicTensor, value: Tensor): NestedArray {
  const x = input('x', value);
  const [dx] = gradients(f(x), [x]) as [SymbolicTensor];
  return (evaluate({ inputs: [x], outputs: [dx] }, [value])[0] as Tensor).toArray();
}

function weight(name: string, values: NestedArray): Variable {
  const value = tensor(values);
  return new Variable({ name, shape: value.shape, initialize: () => value });
}

function primitivesOf(outputs: readonly SymbolicTensor[]): string[] {
  return topologicalOrder(outputs).map((node) => node.primitive);
}

describe('gradients()', () => {
  test('adds up what comes by several ways', () => {
    expect(gradientAt((x) => add(multiply(x, x), multiply(x, 3)), tensor([1, 2]))).toEqual([5, 7]);
  });

  test('gives zeros where there is no way', () => {
    const [x, y] = ['x', 'y'].map((name) => input(name, { shape: [2], dtype: 'float32' })) as [
      SymbolicTensor,
      SymbolicTensor,
    ];
    const [dx, dy] = gradients(square(x), [x, y]) as [SymbolicTensor, SymbolicTensor];
    const results = evaluate({ inputs: [x, y], outputs: [dx, dy] }, [tensor([1, 2]), tensor([3, 4])]);
    expect(results.map((result) => result.toArray())).toEqual([
      [2, 4],
      [0, 0],
    ]);
  });

  test('differentiates with respect to values in between, and through them', () => {
    const x = input('x', { shape: [], dtype: 'float32' });
    const between = multiply(x, 2);
    const wrt = gradients(square(between), [x, between]);
    const results = evaluate({ inputs: [x], outputs: wrt }, [tensor(3)]);
    expect(results.map((result) => result.data[0])).toEqual([24, 12]);
  });

  test('weights the loss by the gradient that comes after it', () => {
    const x = input('x', { shape: [2], dtype: 'float32' });
    const [dx] = gradients(square(x), [x], constant(tensor([10, 100]))) as [SymbolicTensor];
    expect(evaluate({ inputs: [x], outputs: [dx] }, [tensor([1, 2])])[0]?.toArray()).toEqual([20, 400]);
  });

  test('refuses a gradient of another shape than the loss', () => {
    const x = input('x', { shape: [2], dtype: 'float32' });
    expect(() => gradients(x, [x], constant(tensor([1])))).toThrow('found float32[2] and its gradient float32[1]');
  });

  test('computes nothing for a frozen kernel, nor for what lies before the first trainable one', () => {
    const x = input('x', { shape: [1, 8, 8, 3], dtype: 'float32' });
    const kernels = [3, 4, 4].map((channels, index) =>
      parameter(
        new Variable({
          name: `kernel${index}`,
          shape: [3, 3, channels, 4],
          initialize: () => tensor(new Float32Array(36 * channels), [3, 3, channels, 4]),
        }),
      ),
    );
    let activation = x;
    for (const kernel of kernels) activation = relu(conv(activation, kernel));
    const loss = sum(activation);
    const trained = gradients(loss, [kernels[1] as SymbolicTensor]);
    const found = primitivesOf(trained).filter((primitive) => primitive.endsWith('Gradient'));
    // Through the last layer to the input of it, and to the kernel of the one before.
    expect(found).toEqual(['convolveInputGradient', 'convolveFilterGradient']);
  });

  test('walks a graph that is thousands of nodes deep', () => {
    const deep = (x: SymbolicTensor): SymbolicTensor => {
      let y = x;
      for (let depth = 0; depth < 20_000; depth++) y = apply('add', [y, x], {});
      return y;
    };
    expect(gradientAt(deep, tensor([1]))).toEqual([20_001]);
  });

  test('puts the gradients of parts side by side', () => {
    const x = input('x', { shape: [2, 6], dtype: 'float32' });
    const parts = split(x, [1, 3], 1);
    const weighted = parts.map((part, index) => sum(multiply(part, index + 1)));
    const [dx] = gradients(
      weighted.reduce((left, right) => add(left, right)),
      [x],
    ) as [SymbolicTensor];
    expect(primitivesOf([dx])).toContain('concatenate');
    expect(primitivesOf([dx])).not.toContain('pad');
    const [result] = evaluate({ inputs: [x], outputs: [dx] }, [tensor(new Float32Array(12), [2, 6])]);
    expect(result?.toArray()).toEqual([
      [1, 2, 2, 3, 3, 3],
      [1, 2, 2, 3, 3, 3],
    ]);
  });

  test('stops where stopGradient says so', () => {
    expect(gradientAt((x) => multiply(x, stopGradient(x)), tensor([3]))).toEqual([3]);
    const x = input('x', { shape: [2], dtype: 'float32' });
    expect(primitivesOf(gradients(stopGradient(exp(x)), [x]))).not.toContain('exp');
  });

  test('takes integers and what they choose as given', () => {
    const sorted = (x: SymbolicTensor): SymbolicTensor =>
      multiply(apply('takeAlongAxis', [x, argsort(x)], { axis: 0 }), constant(tensor([1, 10, 100])));
    expect(gradientAt(sorted, tensor([3, 1, 2]))).toEqual([100, 1, 10]);
  });

  test('refuses to go through a function of the host, unless nothing is wanted there', () => {
    const { kernel, x } = { kernel: parameter(weight('kernel', [2])), x: input('x', { shape: [1], dtype: 'float32' }) };
    const host = (symbol: SymbolicTensor): SymbolicTensor =>
      applyAll('host', [symbol], { name: 'double', outputs: [x], run: (inputs) => inputs })[0] as SymbolicTensor;
    expect(() => gradients(host(multiply(x, kernel)), [kernel])).toThrow(
      'Cannot differentiate: the loss depends on a weight or input through host function "double"',
    );
    expect(() => gradients(multiply(host(x), kernel), [kernel])).not.toThrow();
  });
});

describe('where a derivative jumps', () => {
  test('|x| and sign', () => {
    expect(gradientAt((x) => apply('absolute', [x], {}), tensor([-2, 0, 2]))).toEqual([-1, 0, 1]);
    expect(gradientAt((x) => apply('sign', [x], {}), tensor([-2, 0, 2]))).toEqual([0, 0, 0]);
  });

  test('equal operands of maximum and minimum share', () => {
    const other = constant(tensor([1, 2, 3]));
    expect(gradientAt((x) => maximum(x, other), tensor([2, 2, 2]))).toEqual([1, 0.5, 0]);
    expect(gradientAt((x) => minimum(x, other), tensor([2, 2, 2]))).toEqual([0, 0.5, 1]);
    expect(gradientAt((x) => maximum(x, x), tensor([2]))).toEqual([1]);
  });

  test('relu and relu6 are flat where they bend', () => {
    expect(gradientAt((x) => relu6(x), tensor([-1, 0, 1, 6, 7]))).toEqual([0, 0, 1, 0, 0]);
    expect(gradientAt((x) => relu(x), tensor([-1, 0, 1]))).toEqual([0, 0, 1]);
    expect(gradientAt((x) => relu(x, 0.5), tensor([-1, 0, 1]))).toEqual([0.5, 0.5, 1]);
  });

  test('softplus is smooth at 0', () => {
    expect(gradientAt((x) => softplus(x), tensor([0]))).toEqual([0.5]);
  });

  test('equal maxima of a reduction share', () => {
    expect(gradientAt((x) => max(x), tensor([1, 4, 4, 2, 4, 4]))).toEqual([0, 0.25, 0.25, 0, 0.25, 0.25]);
  });

  test('a running maximum shares with the record that it equals', () => {
    expect(gradientAt((x) => cummax(x, 0), tensor([1, 3, 3, 2]))).toEqual([1, 2, 1, 0]);
  });

  test('powers at 0', () => {
    expect(gradientAt((x) => power(x, 2), tensor([0, -3]))).toEqual([0, -6]);
    expect(gradientAt((x) => power(x, 0), tensor([0, 2]))).toEqual([0, 0]);
    expect(gradientAt((x) => power(x, 1), tensor([0, 2]))).toEqual([1, 1]);
    expect(gradientAt((x) => power(0, x), tensor([2]))).toEqual([0]);
    expect(gradientAt((x) => sqrt(x), tensor([0]))).toEqual([Number.POSITIVE_INFINITY]);
  });

  test('products with zeros', () => {
    expect(gradientAt((x) => prod(x), tensor([2, 0, 3]))).toEqual([0, 6, 0]);
    expect(gradientAt((x) => prod(x), tensor([0, 0, 3]))).toEqual([0, 0, 0]);
    expect(gradientAt((x) => apply('cumulativeProduct', [x], { axis: 0, reverse: false }), tensor([2, 0, 3]))).toEqual([
      1, 8, 0,
    ]);
  });

  test('what select leaves out has no gradient, not even NaN', () => {
    expect(gradientAt((x) => where(greater(x, 0), x, multiply(x, x)), tensor([-2, 5]))).toEqual([-4, 1]);
  });
});

describe('loops', () => {
  /** h ← tanh(h · kernel + x), all states stacked. */
  function recurrent(length: number) {
    const spec = (shape: readonly number[]) => ({ shape, dtype: 'float32' as const });
    const [h, x] = [input('h', spec([2, 3])), input('x', spec([2, 3]))];
    const kernel = input('kernel', spec([3, 3]));
    const next = apply('tanh', [add(matmul(h, kernel), x)], {});
    const weights = parameter(
      weight('kernel', [
        [0.5, -1, 0.2],
        [0.3, 0.1, 0.7],
        [-0.4, 0.6, 0.9],
      ]),
    );
    const sequence = input('sequence', spec([length, 2, 3]));
    const initial = input('initial', spec([2, 3]));
    const [last, states] = applyAll('scan', [initial, sequence, weights], {
      body: { inputs: [h, x, kernel], outputs: [next, next] },
      length,
      carryCount: 1,
      sequenceCount: 1,
      reverse: false,
    }) as [SymbolicTensor, SymbolicTensor];
    return { last, states, weights, sequence, initial };
  }

  test('the gradient of a kernel is one product over all steps', () => {
    const { last, weights } = recurrent(5);
    const order = topologicalOrder(gradients(sum(last), [weights]));
    const dots = order.filter((node) => node.primitive === 'dot');
    expect(dots.map((node) => node.inputs.map(({ shape }) => shape))).toEqual([
      [
        [10, 3],
        [10, 3],
      ],
    ]);
  });

  test('nothing is computed for a frozen kernel', () => {
    const { states, sequence } = recurrent(5);
    const order = topologicalOrder(gradients(sum(states), [sequence]));
    expect(order.map((node) => node.primitive)).not.toContain('dot');
    const bodies = order.flatMap((node) => (node.primitive === 'scan' ? [node.attributes] : []));
    const backward = bodies.find(({ reverse }) => reverse);
    expect(primitivesOf(backward?.body.outputs ?? []).filter((primitive) => primitive === 'dot')).toHaveLength(1);
  });

  test('a loop that nothing is wanted of is not run backwards', () => {
    const { last } = recurrent(2);
    const other = parameter(weight('other', [1]));
    const order = topologicalOrder(gradients(multiply(sum(last), other), [other]));
    expect(order.filter((node) => node.primitive === 'scan')).toHaveLength(1);
  });
});
