import { sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import type { PoolingAttributes } from '../../graph/primitives.ts';
import { fill, inputOf, type Kernel, numbersOf, outputOf } from './kernel.ts';
import { forEachTap } from './windows.ts';

export const poolKernels: { readonly [K in keyof PoolingAttributes]: Kernel<K> } = {
  maxPool: (call) => {
    const input = inputOf(call, 0);
    const x = numbersOf(input);
    const { shape } = outputOf(call);
    const channels = shape.at(-1) as number;
    const maxima = new Float32Array(sizeOf(shape)).fill(Number.NEGATIVE_INFINITY);
    forEachTap(input.shape, shape, call.attributes.window, call.attributes, (from, _, to) => {
      for (let channel = 0; channel < channels; channel++) {
        const offset = to * channels + channel;
        maxima[offset] = Math.max(maxima[offset] as number, x[from * channels + channel] as number);
      }
    });
    return [new Tensor(shape, 'float32', maxima)];
  },

  averagePool: (call) => {
    const input = inputOf(call, 0);
    const x = numbersOf(input);
    const spec = outputOf(call);
    const channels = spec.shape.at(-1) as number;
    const sums = new Float64Array(sizeOf(spec.shape));
    const counts = new Int32Array(sums.length);
    forEachTap(input.shape, spec.shape, call.attributes.window, call.attributes, (from, _, to) => {
      for (let channel = 0; channel < channels; channel++) {
        const offset = to * channels + channel;
        sums[offset] = (sums[offset] as number) + (x[from * channels + channel] as number);
        counts[offset] = (counts[offset] as number) + 1;
      }
    });
    return [fill(spec, (index) => (sums[index] as number) / (counts[index] as number))];
  },

  maxPoolGradient: (call) => {
    const [xTensor, yTensor, dyTensor] = call.inputs as [Tensor, Tensor, Tensor];
    const [x, y, dy] = [numbersOf(xTensor), numbersOf(yTensor), numbersOf(dyTensor)];
    const channels = xTensor.shape.at(-1) as number;
    const sums = new Float64Array(x.length);
    const taken = new Uint8Array(y.length);
    forEachTap(xTensor.shape, yTensor.shape, call.attributes.window, call.attributes, (from, _, to) => {
      for (let channel = 0; channel < channels; channel++) {
        const [atX, atY] = [from * channels + channel, to * channels + channel];
        const isMaximum = x[atX] === y[atY] || Number.isNaN(x[atX]);
        if (!isMaximum || taken[atY] === 1) continue;
        taken[atY] = 1;
        sums[atX] = (sums[atX] as number) + (dy[atY] as number);
      }
    });
    return [fill(outputOf(call), (index) => sums[index] as number)];
  },

  averagePoolGradient: (call) => {
    const { inputShape, window } = call.attributes;
    const dyTensor = inputOf(call, 0);
    const dy = numbersOf(dyTensor);
    const channels = inputShape.at(-1) as number;
    const counts = new Int32Array(dy.length / Math.max(channels, 1));
    forEachTap(inputShape, dyTensor.shape, window, call.attributes, (_, __, to) => {
      counts[to] = (counts[to] as number) + 1;
    });
    const sums = new Float64Array(sizeOf(inputShape));
    forEachTap(inputShape, dyTensor.shape, window, call.attributes, (from, _, to) => {
      for (let channel = 0; channel < channels; channel++) {
        const offset = from * channels + channel;
        sums[offset] = (sums[offset] as number) + (dy[to * channels + channel] as number) / (counts[to] as number);
      }
    });
    return [fill(outputOf(call), (index) => sums[index] as number)];
  },
};
