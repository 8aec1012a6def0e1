import { describe, expect, test } from 'vitest';
import { Tensor, tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';
import { origin } from '../graph/node.ts';
import { Activation } from '../layers/activations/activation.ts';
import { Conv2D } from '../layers/convolutional/conv.ts';
import { Dense } from '../layers/core/dense.ts';
import { Embedding } from '../layers/core/embedding.ts';
import { input } from '../layers/input-layer.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { MaxPooling2D } from '../layers/pooling/pooling.ts';
import { Flatten } from '../layers/reshaping/reshape.ts';
import { LSTM } from '../layers/rnn/lstm.ts';
import { Model } from './model.ts';
import { type KernelProfile, type ModelProfile, profileModel } from './profile-model.ts';

const image = (rows: number): Tensor =>
  new Tensor(
    [rows, 8, 8, 3],
    'float32',
    Float32Array.from({ length: rows * 192 }, (_, index) => Math.sin(index)),
  );

function classifier(): Model {
  const x = input({ shape: [8, 8, 3] });
  let y = new Conv2D({ filters: 5, kernelSize: 3, padding: 'same', name: 'conv' }).apply(x);
  y = new BatchNormalization({ name: 'norm' }).apply(y);
  y = new Activation({ activation: 'relu', name: 'relu' }).apply(y);
  y = new MaxPooling2D({ poolSize: 2, name: 'pool' }).apply(y);
  y = new Flatten({ name: 'flat' }).apply(y);
  const top = input({ shape: [80] });
  const head = new Model({ inputs: top, outputs: new Dense({ units: 7, name: 'dense' }).apply(top), name: 'head' });
  return new Model({ inputs: x, outputs: head.apply(y), name: 'small' });
}

const kernelOf = ({ kernels }: ModelProfile, layer: string): KernelProfile => {
  const found = kernels.find(({ layers }) => layers.includes(layer));
  if (found === undefined) throw new Error(`No kernel computes ${layer}`);
  return found;
};

describe('profileModel', () => {
  test('counts what a convolution and a product have to do', async () => {
    const profile = await profileModel(classifier(), image(2), { repeats: 3 });
    const conv = kernelOf(profile, 'conv');
    expect(conv.multiplyAdds).toBe(2 * 8 * 8 * 5 * (3 * 3 * 3));
    // The scale of the normalization is in the weights; its shift is added, and the sum kept above 0.
    expect(conv.operations).toBe(2 * conv.multiplyAdds + 2 * (2 * 8 * 8 * 5));
    const dense = kernelOf(profile, 'head/dense');
    expect(dense.multiplyAdds).toBe(2 * 80 * 7);
    expect(dense.bytes).toBeGreaterThanOrEqual(4 * (2 * 80 + 80 * 7 + 7 + 2 * 7));
    const pool = kernelOf(profile, 'pool');
    expect([pool.operation, pool.shape]).toEqual(['maxPool 2×2', [2, 4, 4, 5]]);
    expect(pool.bytes).toBe(4 * 2 * (8 * 8 + 4 * 4) * 5);
    expect(profile.multiplyAdds).toBe(conv.multiplyAdds + dense.multiplyAdds);
  });

  test('names the layers that one kernel computes', async () => {
    const profile = await profileModel(classifier(), image(1), { repeats: 1 });
    expect(kernelOf(profile, 'conv').layers).toEqual(['conv', 'norm', 'relu']);
    expect(profile.kernels.every(({ layers }) => layers.length > 0)).toBe(true);
  });

  test('its numbers add up', async () => {
    const profile = await profileModel(classifier(), image(4), { repeats: 9 });
    const { kernels, kernelMilliseconds, peak, memory } = profile;
    const sum = (of: (kernel: KernelProfile) => number): number =>
      kernels.reduce((total, kernel) => total + of(kernel), 0);
    expect(sum(({ share }) => share)).toBeCloseTo(1, 9);
    expect(sum(({ milliseconds }) => milliseconds)).toBeCloseTo(kernelMilliseconds, 9);
    expect(sum(({ floorMilliseconds }) => floorMilliseconds)).toBeCloseTo(profile.floorMilliseconds, 9);
    expect(profile.repeats).toBe(9);
    for (const kernel of kernels) {
      expect(kernel.gigaflops * kernel.milliseconds * 1e6).toBeCloseTo(kernel.operations, 3);
      expect(kernel.shareOfPeak).toBeCloseTo(kernel.gigaflops / peak.gigaflops, 9);
    }
    expect(memory.activationBytes).toBeGreaterThanOrEqual(memory.leastActivationBytes);
    expect(memory.weightBytes).toBeGreaterThan(4 * (3 * 3 * 3 * 5 + 80 * 7));
  });

  test('kernels one by one take about as long as the program', async () => {
    const x = input({ shape: [32, 32, 32] });
    const model = new Model({ inputs: x, outputs: new Conv2D({ filters: 64, kernelSize: 5 }).apply(x) });
    const values = new Tensor([2, 32, 32, 32], 'float32', new Float32Array(2 * 32 ** 3).fill(0.5));
    const { kernelMilliseconds, fastestRunMilliseconds, floorMilliseconds, shareOfPeak } = await profileModel(
      model,
      values,
    );
    expect(kernelMilliseconds).toBeGreaterThan(fastestRunMilliseconds * 0.4);
    expect(fastestRunMilliseconds).toBeGreaterThan(floorMilliseconds * 0.4);
    expect(shareOfPeak).toBeGreaterThan(0.05);
  });

  test('small kernels are not charged for what is around them', async () => {
    const x = input({ shape: [8] });
    let y = x;
    for (let depth = 0; depth < 12; depth++) y = new Dense({ units: 8, activation: 'relu' }).apply(y);
    const { kernels, kernelMilliseconds, runMilliseconds } = await profileModel(
      new Model({ inputs: x, outputs: y }),
      tensor([[1, 2, 3, 4, 5, 6, 7, 8]]),
    );
    expect(kernels).toHaveLength(12);
    expect(kernelMilliseconds).toBeLessThan(1.5 * runMilliseconds);
  });

  test('a loop over steps has the work of all steps, and reads its weights once', async () => {
    const ids = input({ shape: [6], dtype: 'int32' });
    const embedded = new Embedding({ inputDim: 100, outputDim: 4, name: 'words' }).apply(ids);
    const model = new Model({ inputs: ids, outputs: new LSTM({ units: 8, name: 'lstm' }).apply(embedded) });
    const profile = await profileModel(model, tensor([[1, 2, 3, 4, 5, 6]], undefined, 'int32'), { repeats: 2 });
    const recurrent = 8 * 32;
    expect(profile.multiplyAdds).toBe(6 * (4 * 32 + recurrent));
    const loop = profile.kernels.find(({ operation }) => operation.startsWith('6 steps of'));
    expect(loop?.layers).toContain('lstm');
    expect(loop?.bytes).toBeLessThan(2 * 4 * (recurrent + 6 * 32 + 100));
    expect(kernelOf(profile, 'words').bytes).toBeLessThan(4 * 100 * 4);
  });

  test('a step of training is profiled without being taken', async () => {
    const model = classifier();
    model.compile({ optimizer: 'adam', loss: 'mse' });
    await model.trainOnBatch(image(2), new Tensor([2, 7], 'float32', new Float32Array(14)));
    const before = model.getWeights().map(({ data }) => data.slice());
    const targets = new Tensor([3, 7], 'float32', new Float32Array(21).fill(1));
    const profile = await profileModel(model, image(3), { repeats: 2, targets });
    expect(profile.kind).toBe('train');
    expect(profile.kernels.some(({ layers }) => layers.includes('conv (gradient)'))).toBe(true);
    expect(profile.multiplyAdds).toBeGreaterThan(2 * 3 * 8 * 8 * 5 * 27);
    expect(profile.kernels.every(({ layers }) => layers.length > 0)).toBe(true);
    expect(profile.kernels.some(({ layers }) => layers.includes('loss and optimizer'))).toBe(true);
    expect(model.getWeights().map(({ data }) => data)).toEqual(before);
    // Another profile has programs of its own.
    expect((await profileModel(model, image(3), { repeats: 1, targets })).kernels).toHaveLength(profile.kernels.length);
  });

  test('leaves the model as it was', async () => {
    const model = classifier();
    await profileModel(model, image(1), { repeats: 1 });
    expect(model.layers.filter((layer) => Object.hasOwn(layer, 'trace'))).toEqual([]);
    expect(origin.current).toBeUndefined();
  });

  test('tells how far it has come, and stops', async () => {
    const fractions: number[] = [];
    await profileModel(classifier(), image(1), { repeats: 4, onProgress: (fraction) => fractions.push(fraction) });
    expect(fractions).toEqual([0.25, 0.5, 0.75, 1]);
    const stop = new AbortController();
    stop.abort();
    await expect(profileModel(classifier(), image(1), { signal: stop.signal })).rejects.toThrow('abort');
  });

  test('says what is wrong', async () => {
    await expect(profileModel(classifier(), image(1), { repeats: 0 })).rejects.toThrow(RangeError);
    await expect(profileModel(classifier(), tensor([[1]]))).rejects.toThrow(ShapeError);
    await expect(profileModel(classifier(), image(1), { targets: tensor([[1]]) })).rejects.toThrow('not compiled');
  });
});
