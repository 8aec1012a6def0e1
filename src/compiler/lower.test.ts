import { describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { apply, applyAll, constant, input, parameter } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { Variable } from '../graph/variable.ts';
import { atOnce } from '../pause.ts';
import { formatSchedule } from './format-schedule.ts';
import { lowerGraph } from './lower.ts';

const float = (name: string, ...shape: number[]): SymbolicTensor => input(name, { shape, dtype: 'float32' });

function weight(name: string, ...shape: number[]): SymbolicTensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return parameter(new Variable({ name, shape, initialize: () => tensor(new Float32Array(size), shape) }));
}

function row(vector: SymbolicTensor, rows: number): SymbolicTensor {
  const [length] = vector.shape as [number];
  return apply('broadcast', [apply('reshape', [vector], { shape: [1, length] })], { shape: [rows, length] });
}

const dot = (x: SymbolicTensor, y: SymbolicTensor): SymbolicTensor =>
  apply('dot', [x, y], { transposeLeft: false, transposeRight: false });

const show = (inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): string =>
  formatSchedule(atOnce(lowerGraph({ inputs, outputs })));

describe('lowerGraph()', () => {
  test('makes one kernel of a chain of element-wise operations', () => {
    const [x, y] = [float('x', 4, 6), float('y', 6)];
    const sum = apply('add', [x, row(y, 4)], {});
    const z = apply('multiply', [apply('sigmoid', [sum], {}), sum], {});
    expect(show([x, y], [z])).toBe(
      'run\n  multiply = loop [4, 6]: multiply(sigmoid(add(input0, input1)), add(input0, input1))',
    );
  });

  test('works on the result of a product in place', () => {
    const x = float('x', 4, 6);
    const y = apply('tanh', [apply('add', [dot(x, weight('kernel', 6, 5)), row(weight('bias', 5), 4)], {})], {});
    expect(show([x], [y])).toBe('run\n  tanh = dot(input0, kernel) then [4, 5]: tanh(add(tanh, bias))');
  });

  test('keeps a value that two kernels read', () => {
    const x = float('x', 4);
    const y = apply('exp', [x], {});
    const sum = apply('sum', [y], { axes: [0] });
    const z = apply('divide', [y, apply('broadcast', [apply('reshape', [sum], { shape: [1] })], { shape: [4] })], {});
    expect(show([x], [z])).toBe(
      'run\n  exp = loop [4]: exp(input0)\n  sum = sum [] over [4]: exp\n  divide = loop [4]: divide(exp, sum)',
    );
  });

  test('computes the operand of a reduction while it reduces, and goes on with the result in place', () => {
    const x = float('x', 3, 5);
    const squares = apply('multiply', [x, x], {});
    const norm = apply('sqrt', [apply('sum', [squares], { axes: [1] })], {});
    expect(show([x], [norm])).toBe('run\n  sqrt = sum [3] over [5]: multiply(input0, input0) then [3]: sqrt(sqrt)');
  });

  test('puts what depends on variables only into the prologue', () => {
    const x = float('x', 4);
    const scale = apply('rsqrt', [weight('variance', 4)], {});
    expect(show([x], [apply('multiply', [x, scale], {})])).toBe(
      'prologue\n  rsqrt = loop [4]: rsqrt(variance)\nrun\n  multiply = loop [4]: multiply(input0, rsqrt)',
    );
  });

  test('reads through moves instead of making them', () => {
    const x = float('x', 3, 5);
    const moved = apply('transpose', [apply('slice', [x], { starts: [0, 1], stops: [3, 5], strides: [1, 2] })], {
      permutation: [1, 0],
    });
    const { kernels } = atOnce(lowerGraph({ inputs: [x], outputs: [apply('negate', [moved], {})] }));
    expect(kernels).toMatchObject([
      {
        kind: 'loop',
        domain: [2, 3],
        value: { operands: [{ kind: 'load', access: { offset: 1, strides: [2, 5] } }] },
      },
    ]);
  });

  test('a reshape shares the buffer of its operand', () => {
    const x = float('x', 2, 6);
    const y = apply('reshape', [apply('exp', [x], {})], { shape: [3, 4] });
    const schedule = atOnce(lowerGraph({ inputs: [x], outputs: [y] }));
    expect(formatSchedule(schedule)).toBe('run\n  exp = loop [2, 6]: exp(input0)');
    expect(schedule.outputs[0]?.name).toBe('exp');
  });

  test('operands of a concatenation are computed in their place', () => {
    const [x, y] = [float('x', 2, 3), float('y', 2, 2)];
    const joined = apply('concatenate', [apply('exp', [x], {}), y], { axis: 1 });
    expect(show([x, y], [joined])).toBe(
      'run\n  concatenate = loop [2, 3]: exp(input0)\n  concatenate+3 = loop [2, 2]: input1',
    );
  });

  test('does not recompute a value for each element of a broadcast', () => {
    const x = float('x', 4, 1);
    const wide = apply('broadcast', [apply('exp', [x], {})], { shape: [4, 9] });
    expect(show([x], [apply('negate', [wide], {})])).toBe(
      'run\n  exp = loop [4, 1]: exp(input0)\n  negate = loop [4, 9]: negate(exp)',
    );
  });

  test('very long chains become several kernels', () => {
    const x = float('x', 4);
    let y = x;
    for (let count = 0; count < 5000; count++) y = apply('tanh', [y], {});
    const { kernels } = atOnce(lowerGraph({ inputs: [x], outputs: [y] }));
    expect(kernels.length).toBeGreaterThan(50);
    expect(kernels.length).toBeLessThan(200);
  });

  test('the body of a loop reads what does not change from the prologue', () => {
    const [carry, step, kernel] = [float('carry', 1, 3), float('step', 1, 3), float('kernel', 3, 3)];
    const scaled = apply('negate', [kernel], {});
    const next = apply('tanh', [apply('add', [dot(carry, scaled), step], {})], {});
    const body = { inputs: [carry, step, kernel], outputs: [next, next] };
    const [initial, sequence] = [float('initial', 1, 3), float('sequence', 7, 1, 3)];
    const attributes = { body, length: 7, carryCount: 1, sequenceCount: 1, reverse: false };
    const outputs = applyAll('scan', [initial, sequence, weight('weights', 3, 3)], attributes);
    expect(show([initial, sequence], outputs)).toBe(
      [
        'prologue',
        '  negate = loop [3, 3]: negate(weights)',
        'run',
        '  scan = scan 7: scan/output0 from input0',
        '    tanh = dot(scan/output0, negate) then [1, 3]: tanh(add(tanh, scan/step0))',
      ].join('\n'),
    );
  });

  test('constants of one element become part of the code', () => {
    const x = float('x', 3);
    const two = apply('broadcast', [constant(tensor([2]))], { shape: [3] });
    const schedule = atOnce(lowerGraph({ inputs: [x], outputs: [apply('multiply', [x, two], {})] }));
    expect(formatSchedule(schedule)).toBe('run\n  multiply = loop [3]: multiply(input0, 2)');
    expect(schedule.constants.size).toBe(0);
  });
});
