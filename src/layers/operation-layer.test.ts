import { describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { evaluate } from '../backends/reference/evaluate.ts';
import { input as symbol } from '../graph/apply.ts';
import { operations, type RawOperation } from '../ops/operations.ts';
import { input } from './input-layer.ts';
import { OperationLayer, splitCall, TensorSlot } from './operation-layer.ts';

describe('splitCall', () => {
  test('takes tensors out of lists and records, in order', () => {
    const [a, b] = [input({ shape: [2] }), input({ shape: [2] })];
    const { template, inputs } = splitCall([[b, 1], 'x'], { key: { inner: a }, axis: -1 });
    expect(inputs).toEqual([b, a]);
    expect(template).toEqual({
      args: [[new TensorSlot(0), 1], 'x'],
      kwargs: { key: { inner: new TensorSlot(1) }, axis: -1 },
    });
  });
});

describe('OperationLayer', () => {
  const layerOf = (className: string, args: unknown[], kwargs: Record<string, unknown> = {}, config = {}) => {
    const { template, inputs } = splitCall(args, kwargs);
    const operation = operations.get(className) as RawOperation;
    return { layer: new OperationLayer({ name: 'op', className, operation, config, template }), inputs };
  };

  test('computes the operation with literals in their places', () => {
    const x = input({ shape: [2] });
    const { layer, inputs } = layerOf('Subtract', [10, x]);
    expect(layer.apply(inputs).shape).toEqual([null, 2]);
    const placeholder = symbol('x', { shape: [1, 2], dtype: 'float32' });
    const outputs = layer.trace([{ tensor: placeholder }], { training: false }).map((output) => output.tensor);
    const [result] = evaluate({ inputs: [placeholder], outputs }, [tensor([[1, 2]])]);
    expect(result?.toArray()).toEqual([[9, 8]]);
  });

  test('takes keyword arguments and lists of tensors', () => {
    const [a, b] = [input({ shape: [2, 3] }), input({ shape: [2, 4] })];
    const { layer, inputs } = layerOf('Concatenate', [[a, b]], { axis: -1 });
    expect(layer.apply(inputs).shape).toEqual([null, 2, 7]);
  });

  test('has as many outputs as the operation', () => {
    const x = input({ shape: [6] });
    const { layer, inputs } = layerOf('Split', [x], {}, { indices_or_sections: 3, axis: 1 });
    expect(layer.applyAll(inputs).map(({ shape }) => shape)).toEqual([
      [null, 2],
      [null, 2],
      [null, 2],
    ]);
  });
});
