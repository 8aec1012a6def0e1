import { describe, expect, test } from 'vitest';
import { tensor } from '../../array/tensor.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { input, parameter } from '../../graph/apply.ts';
import { type SymbolicTensor, topologicalOrder } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { zeros } from '../../ops/creation.ts';
import { add, exp, multiply } from '../../ops/elementwise.ts';
import { broadcastTo } from '../../ops/operand.ts';
import { loop } from './loop.ts';

const weight = (values: number[]): Variable => {
  const variable = new Variable({ name: 'w', shape: [values.length], initialize: () => tensor(values) });
  return variable;
};

/** The body of the one scan that the outputs need. */
function scanOf(outputs: readonly SymbolicTensor[]) {
  const node = topologicalOrder(outputs).find((each) => each.primitive === 'scan');
  if (node?.primitive !== 'scan') throw new Error('Cannot test the loop: found no scan');
  return node;
}

describe('loop', () => {
  const x = input('x', { shape: [3, 2], dtype: 'float32' });
  const steps = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);

  test('carries a sum and stacks what each step gives', () => {
    const { carries, outputs } = loop([zeros([2])], [x], ([sum], [step]) => {
      const next = add(sum as SymbolicTensor, step as SymbolicTensor);
      return { carries: [next], outputs: [multiply(next, 10)] };
    });
    const results = evaluate({ inputs: [x], outputs: [...carries, ...outputs] }, [steps]);
    expect(results.map((result) => result.toArray())).toEqual([
      [9, 12],
      [
        [10, 20],
        [40, 60],
        [90, 120],
      ],
    ]);
  });

  test('runs from the last step to the first, outputs keeping their places', () => {
    const body = ([sum]: readonly SymbolicTensor[], [step]: readonly SymbolicTensor[]) => {
      const next = add(sum as SymbolicTensor, step as SymbolicTensor);
      return { carries: [next], outputs: [next] };
    };
    const { outputs } = loop([zeros([2])], [x], body, true);
    const [stacked] = evaluate({ inputs: [x], outputs }, [steps]);
    expect(stacked?.toArray()).toEqual([
      [9, 12],
      [8, 10],
      [5, 6],
    ]);
  });

  test('hands in what the body uses from outside, computed once and not spread out', () => {
    const scale = parameter(weight([0, 1]));
    const { carries } = loop([zeros([4, 2])], [x], ([sum], [step]) => {
      const factors = broadcastTo(exp(scale), [4, 2]);
      return {
        carries: [add(sum as SymbolicTensor, multiply(factors, broadcastTo(step as SymbolicTensor, [4, 2])))],
        outputs: [],
      };
    });
    const scan = scanOf(carries);
    const inside = topologicalOrder(scan.attributes.body.outputs).map((node) => node.primitive);
    expect(inside).not.toContain('parameter');
    expect(inside).not.toContain('exp');
    expect(scan.inputs.slice(2).map(({ shape }) => shape)).toEqual([[2]]);
    const [sum] = evaluate({ inputs: [x], outputs: carries }, [steps]);
    expect(sum?.data[0]).toBe(9);
    expect(sum?.data[1]).toBeCloseTo(12 * Math.E, 4);
  });

  test('gives back a carry that the body leaves alone, and an output that does not depend on the step', () => {
    const constantInput = input('c', { shape: [2], dtype: 'float32' });
    const { carries, outputs } = loop([constantInput], [x], ([carry]) => ({
      carries: [carry as SymbolicTensor],
      outputs: [constantInput],
    }));
    const [last, stacked] = evaluate({ inputs: [x, constantInput], outputs: [...carries, ...outputs] }, [
      steps,
      tensor([7, 8]),
    ]);
    expect(last?.toArray()).toEqual([7, 8]);
    expect(stacked?.shape).toEqual([3, 2]);
  });
});
