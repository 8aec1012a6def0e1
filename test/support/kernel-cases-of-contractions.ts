/** Products, convolutions and pools with the results that the interpreter has to give. */
import type { ContractAttributes, PoolAttributes, PoolingAttributes } from '../../src/graph/primitives.ts';
import { empty, f, INF, type KernelCases, NAN } from './kernel-case.ts';

const pool1d: PoolAttributes = { window: [2], strides: [2], padding: [[0, 1]], dilation: [1] };
const convolution = { strides: [1], padding: [[0, 0]], dilation: [1], groups: 1 } as const;

export const CONTRACTION_KERNEL_CASES: KernelCases<keyof ContractAttributes | keyof PoolingAttributes> = {
  dot: [
    {
      inputs: [
        f([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        f([
          [1, 0],
          [0, 1],
          [1, 1],
        ]),
      ],
      attributes: { transposeLeft: false, transposeRight: false },
      expected: [
        f([
          [4, 5],
          [10, 11],
        ]),
      ],
    },
    {
      inputs: [
        f([
          [1, 4],
          [2, 5],
          [3, 6],
        ]),
        f([
          [1, 0, 1],
          [0, 1, 1],
        ]),
      ],
      attributes: { transposeLeft: true, transposeRight: true },
      expected: [
        f([
          [4, 5],
          [10, 11],
        ]),
      ],
    },
    {
      inputs: [
        f([[[1, 2]], [[3, 4]]]),
        f([
          [[1], [1]],
          [[2], [0]],
        ]),
      ],
      attributes: { transposeLeft: false, transposeRight: false },
      expected: [f([[[3]], [[6]]])],
    },
    {
      inputs: [empty(2, 0), empty(0, 1)],
      attributes: { transposeLeft: false, transposeRight: false },
      expected: [f([[0], [0]])],
    },
  ],
  convolve: [
    { inputs: [f([[[1], [2], [3]]]), f([[[10]], [[1]]])], attributes: convolution, expected: [f([[[12], [23]]])] },
    {
      inputs: [f([[[1], [2], [3]]]), f([[[10]], [[1]]])],
      attributes: { strides: [2], padding: [[1, 1]], dilation: [2], groups: 1 },
      expected: [f([[[2], [20]]])],
    },
    {
      // Two groups: each output channel sees one input channel.
      inputs: [f([[[[1, 2]]]]), f([[[[3, 5]]]])],
      attributes: {
        strides: [1, 1],
        padding: [
          [0, 0],
          [0, 0],
        ],
        dilation: [1, 1],
        groups: 2,
      },
      expected: [f([[[[3, 10]]]])],
    },
    {
      inputs: [
        f([
          [
            [
              [[1], [2]],
              [[3], [4]],
            ],
          ],
        ]),
        f([
          [
            [[[1]], [[1]]],
            [[[1]], [[1]]],
          ],
        ]),
      ],
      attributes: {
        strides: [1, 1, 1],
        padding: [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        dilation: [1, 1, 1],
        groups: 1,
      },
      expected: [f([[[[[10]]]]])],
    },
  ],
  convolveInputGradient: [
    {
      inputs: [f([[[1], [2]]]), f([[[10]], [[1]]])],
      attributes: { ...convolution, inputShape: [1, 3, 1] },
      expected: [f([[[10], [21], [2]]])],
    },
  ],
  convolveFilterGradient: [
    {
      inputs: [f([[[1], [2], [3]]]), f([[[1], [10]]])],
      attributes: { ...convolution, kernelShape: [2, 1, 1] },
      expected: [f([[[21]], [[32]]])],
    },
  ],

  maxPool: [
    { inputs: [f([[[1], [-2], [-3]]])], attributes: pool1d, expected: [f([[[1], [-3]]])] },
    { inputs: [f([[[1], [NAN], [3]]])], attributes: pool1d, expected: [f([[[NAN], [3]]])] },
    {
      inputs: [f([[[5]]])],
      attributes: { window: [1], strides: [1], padding: [[1, 0]], dilation: [1] },
      expected: [f([[[-INF], [5]]])],
    },
  ],
  averagePool: [
    { inputs: [f([[[1], [3], [5]]])], attributes: pool1d, expected: [f([[[2], [5]]])] },
    {
      inputs: [f([[[5]]])],
      attributes: { window: [1], strides: [1], padding: [[1, 0]], dilation: [1] },
      expected: [f([[[NAN], [5]]])],
    },
  ],
  maxPoolGradient: [
    {
      inputs: [f([[[2], [2], [5]]]), f([[[2], [5]]]), f([[[10], [20]]])],
      attributes: pool1d,
      expected: [f([[[10], [0], [20]]])],
    },
  ],
  averagePoolGradient: [
    {
      inputs: [f([[[10], [20]]])],
      attributes: { ...pool1d, inputShape: [1, 3, 1] },
      expected: [f([[[5], [5], [20]]])],
    },
  ],
};
