import { expect, test } from 'vitest';
import { tensor } from '../../array/tensor.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { input } from '../../graph/apply.ts';
import { multiply } from '../../ops/elementwise.ts';
import { input as kerasInput } from '../input-layer.ts';
import { Lambda } from './lambda.ts';

test('Lambda computes a function with its arguments', () => {
  const layer = new Lambda({ function: ([x], { factor }) => multiply(x, factor as number), arguments: { factor: 3 } });
  const x = input('x', { shape: [2], dtype: 'float32' });
  const [output] = layer.trace([{ tensor: x }], { training: false });
  const [result] = evaluate({ inputs: [x], outputs: output === undefined ? [] : [output.tensor] }, [tensor([1, 2])]);
  expect(result?.toArray()).toEqual([3, 6]);
});

test('Lambda infers the shape from its function', () => {
  const layer = new Lambda({ function: ([x]) => multiply(x, 2) });
  expect(layer.apply(kerasInput({ shape: [3] })).shape).toEqual([null, 3]);
});

test('Lambda never runs what a file holds', () => {
  const code = { class_name: '__lambda__', config: { code: '4wEAAAAAAAAA', defaults: null, closure: null } };
  const layer = new Lambda({ name: 'twice', function: code });
  expect(() => layer.apply(kerasInput({ shape: [3] }))).toThrow(
    'Cannot call layer "twice": a Lambda from a file holds Python code, which is never run; pass its function',
  );
});
