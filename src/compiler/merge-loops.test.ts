import { expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { evaluate } from '../backends/reference/evaluate.ts';
import { apply, applyAll, input } from '../graph/apply.ts';
import { type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import { mergeLoops } from './merge-loops.ts';

const spec = { shape: [2], dtype: 'float32' } as const;

/** Loops over one body; each stacks some of its values. */
function loops(...kinds: readonly (readonly ('next' | 'doubled')[])[]) {
  const [carry, step] = [input('carry', spec), input('step', spec)];
  const doubled = apply('add', [step, step], {});
  const next = apply('add', [carry, doubled], {});
  const [initial, sequence] = [input('initial', spec), input('sequence', { shape: [3, 2], dtype: 'float32' })];
  const outputs = kinds.flatMap((stacked) =>
    applyAll('scan', [initial, sequence], {
      body: { inputs: [carry, step], outputs: [next, ...stacked.map((kind) => (kind === 'next' ? next : doubled))] },
      length: 3,
      carryCount: 1,
      sequenceCount: 1,
      reverse: false,
    }),
  );
  return { inputs: [initial, sequence], outputs };
}

function countLoops(outputs: readonly SymbolicTensor[]): number {
  return topologicalOrder(outputs).filter((node) => node.primitive === 'scan').length;
}

const given = [
  tensor([1, 2]),
  tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]),
];

test('mergeLoops() computes the steps of loops over one body once', () => {
  const graph = loops(['next'], [], ['doubled', 'next']);
  const merged = mergeLoops(graph);
  expect([countLoops(graph.outputs), countLoops(merged.outputs)]).toEqual([3, 1]);
  expect(evaluate(merged, given)).toEqual(evaluate(graph, given));
});

test('mergeLoops() carries on through what is computed from the loops', () => {
  const { inputs, outputs } = loops(['next'], ['next', 'doubled']);
  const [last, all, , , doubled] = outputs as [SymbolicTensor, SymbolicTensor, unknown, unknown, SymbolicTensor];
  const graph = { inputs, outputs: [apply('exp', [last], {}), apply('multiply', [all, doubled], {})] };
  const merged = mergeLoops(graph);
  expect(countLoops(merged.outputs)).toBe(1);
  expect(evaluate(merged, given)).toEqual(evaluate(graph, given));
});

test('mergeLoops() leaves loops over different bodies alone', () => {
  const [one, other] = [loops(['next']), loops(['next'])];
  const graph = { inputs: [...one.inputs, ...other.inputs], outputs: [...one.outputs, ...other.outputs] };
  expect(mergeLoops(graph)).toBe(graph);
});
