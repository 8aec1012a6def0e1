import { expect, test } from 'vitest';
import { tensor } from '../../array/tensor.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { input } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { Dense } from '../core/dense.ts';
import { input as kerasInput } from '../input-layer.ts';
import { Flatten } from '../reshaping/reshape.ts';
import { SpectralNormalization } from './spectral-normalization.ts';

test('SpectralNormalization shares the kernel with the layer inside', () => {
  const inner = new Dense({ units: 3 });
  const layer = new SpectralNormalization({ layer: inner });
  layer.apply(kerasInput({ shape: [4] }));
  expect(layer.weights.map(({ name }) => name)).toEqual(['kernel', 'vector_u', 'bias']);
  expect(layer.weights[0]).toBe(inner.weights[0]);
});

test('SpectralNormalization refuses a layer without a kernel', () => {
  const layer = new SpectralNormalization({ layer: new Flatten({ name: 'flat' }) });
  expect(() => layer.apply(kerasInput({ shape: [4] }))).toThrow(
    'found layer "flat" (Flatten), expected one with a weight',
  );
});

test('SpectralNormalization divides by the singular value in training, and refines its vector', () => {
  const layer = new SpectralNormalization({ layer: new Dense({ units: 2, useBias: false }), powerIterations: 30 });
  const x = input('x', { shape: [2, 2], dtype: 'float32' });
  layer.ensureBuilt([[2, 2]]);
  const [kernel, vector] = layer.weights as [Variable, Variable];
  kernel.assign(tensor([0, 4, 1, 0], [2, 2]));
  vector.assign(tensor([0.1, 0.1], [1, 2]));
  const updates = new Map<Variable, SymbolicTensor>();
  const trace = (): SymbolicTensor => {
    const update = (variable: Variable, value: SymbolicTensor): void => void updates.set(variable, value);
    return layer.trace([{ tensor: x }], { training: true, update })[0]?.tensor as SymbolicTensor;
  };
  const run = () => evaluate({ inputs: [x], outputs: [trace(), ...updates.values()] }, [tensor([1, 0, 0, 1], [2, 2])]);
  expect([...updates.keys()]).toEqual([]);
  trace();
  expect([...updates.keys()]).toEqual([vector]);
  const [output, next] = run();
  for (const [index, value] of [0, 1, 0.25, 0].entries()) expect(output?.data[index]).toBeCloseTo(value, 5);
  for (const [index, value] of [0, 1].entries()) expect(next?.data[index]).toBeCloseTo(value, 5);
  // A kernel of zeros stays, and so does the vector.
  kernel.assign(tensor([0, 0, 0, 0], [2, 2]));
  const [zero, kept] = run();
  expect(zero?.data).toEqual(new Float32Array(4));
  expect(kept?.data).toEqual(vector.value.data);
});
