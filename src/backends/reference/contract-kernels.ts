import { type Shape, sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import type { ContractAttributes, ConvolveAttributes } from '../../graph/primitives.ts';
import { inputOf, type Kernel, numbersOf, outputOf } from './kernel.ts';
import { forEachTap } from './windows.ts';

/** Sums run in double precision and are rounded once, at the end. */
function rounded(shape: Shape, sums: Float64Array): Tensor {
  return new Tensor(shape, 'float32', Float32Array.from(sums));
}

/**
 * Visits each product of a convolution: an offset into x, one into the kernel, one into y, such that
 * y += x · kernel over all visits. Its two gradients are sums over the same triples.
 */
function forEachProduct(
  x: Shape,
  kernel: Shape,
  y: Shape,
  attributes: ConvolveAttributes,
  visit: (x: number, kernel: number, y: number) => void,
): void {
  const [inputs, outputs] = [x.at(-1) as number, y.at(-1) as number];
  const [inPerGroup, outPerGroup] = [inputs / attributes.groups, outputs / attributes.groups];
  forEachTap(x, y, kernel.slice(0, -2), attributes, (inputPosition, tap, outputPosition) => {
    for (let channel = 0; channel < inputs; channel++) {
      const group = Math.floor(channel / inPerGroup);
      const kernelRow = (tap * inPerGroup + (channel % inPerGroup)) * outputs;
      for (let output = group * outPerGroup; output < (group + 1) * outPerGroup; output++) {
        visit(inputPosition * inputs + channel, kernelRow + output, outputPosition * outputs + output);
      }
    }
  });
}

export const contractKernels: { readonly [K in keyof ContractAttributes]: Kernel<K> } = {
  dot: (call) => {
    const { transposeLeft, transposeRight } = call.attributes;
    const [left, right] = [inputOf(call, 0), inputOf(call, 1)];
    const [a, b] = [numbersOf(left), numbersOf(right)];
    const { shape } = outputOf(call);
    const [m, n] = shape.slice(-2) as [number, number];
    const k = left.shape.at(transposeLeft ? -2 : -1) as number;
    const [leftRow, leftStep] = transposeLeft ? [1, m] : [k, 1];
    const [rightColumn, rightStep] = transposeRight ? [k, 1] : [1, n];
    const sums = new Float64Array(sizeOf(shape));
    for (let index = 0; index < sums.length; index++) {
      const [batch, row, column] = [Math.floor(index / (m * n)), Math.floor(index / n) % m, index % n];
      const leftStart = batch * m * k + row * leftRow;
      const rightStart = batch * k * n + column * rightColumn;
      let sum = 0;
      for (let inner = 0; inner < k; inner++) {
        sum += (a[leftStart + inner * leftStep] as number) * (b[rightStart + inner * rightStep] as number);
      }
      sums[index] = sum;
    }
    return [rounded(shape, sums)];
  },

  convolve: (call) => {
    const [xTensor, kernelTensor] = [inputOf(call, 0), inputOf(call, 1)];
    const [x, kernel] = [numbersOf(xTensor), numbersOf(kernelTensor)];
    const { shape } = outputOf(call);
    const sums = new Float64Array(sizeOf(shape));
    forEachProduct(xTensor.shape, kernelTensor.shape, shape, call.attributes, (atX, atKernel, atY) => {
      sums[atY] = (sums[atY] as number) + (x[atX] as number) * (kernel[atKernel] as number);
    });
    return [rounded(shape, sums)];
  },

  convolveInputGradient: (call) => {
    const [dyTensor, kernelTensor] = [inputOf(call, 0), inputOf(call, 1)];
    const [dy, kernel] = [numbersOf(dyTensor), numbersOf(kernelTensor)];
    const { inputShape } = call.attributes;
    const sums = new Float64Array(sizeOf(inputShape));
    forEachProduct(inputShape, kernelTensor.shape, dyTensor.shape, call.attributes, (atX, atKernel, atY) => {
      sums[atX] = (sums[atX] as number) + (dy[atY] as number) * (kernel[atKernel] as number);
    });
    return [rounded(inputShape, sums)];
  },

  convolveFilterGradient: (call) => {
    const [xTensor, dyTensor] = [inputOf(call, 0), inputOf(call, 1)];
    const [x, dy] = [numbersOf(xTensor), numbersOf(dyTensor)];
    const { kernelShape } = call.attributes;
    const sums = new Float64Array(sizeOf(kernelShape));
    forEachProduct(xTensor.shape, kernelShape, dyTensor.shape, call.attributes, (atX, atKernel, atY) => {
      sums[atKernel] = (sums[atKernel] as number) + (x[atX] as number) * (dy[atY] as number);
    });
    return [rounded(kernelShape, sums)];
  },
};
