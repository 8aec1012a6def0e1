import { describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { Dense } from '../layers/core/dense.ts';
import { InputLayer } from '../layers/input-layer.ts';
import { Sequential } from '../model/sequential.ts';
import { SGD } from './optimizers/sgd.ts';

describe('fit()', () => {
  test('learns a line', async () => {
    const model = new Sequential({ layers: [new InputLayer({ batchShape: [null, 1] }), new Dense({ units: 1 })] });
    model.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'mse' });
    const x = Float32Array.from({ length: 40 }, (_, index) => index / 20 - 1);
    const y = x.map((value) => 3 * value - 1);
    const history = await model.fit(tensor(x, [40, 1]), tensor(y, [40, 1]), { epochs: 200, batchSize: 16, seed: 1 });
    expect(history.epoch.length).toBe(200);
    expect(history.history.loss?.at(-1)).toBeLessThan(1e-4);
    const [kernel, bias] = model.getWeights();
    expect(kernel?.data[0]).toBeCloseTo(3, 1);
    expect(bias?.data[0]).toBeCloseTo(-1, 1);
  });
});
