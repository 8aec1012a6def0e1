/** What gathers, sorts and moves elements, with the results that the interpreter has to give. */
import { tensor } from '../../src/array/tensor.ts';
import type { IndexAttributes, MoveAttributes } from '../../src/graph/primitives.ts';
import { b, empty, f, i, type KernelCases, LEAST, NAN } from './kernel-case.ts';

export const MOVING_KERNEL_CASES: KernelCases<keyof IndexAttributes | keyof MoveAttributes> = {
  gather: [
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
        i([1, -2]),
      ],
      attributes: { axis: 0 },
      expected: [
        f([
          [3, 4],
          [1, 2],
        ]),
      ],
    },
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
        i([[0], [2]]),
      ],
      attributes: { axis: 1 },
      expected: [
        f([
          [[1], [NAN]],
          [[3], [NAN]],
        ]),
      ],
    },
    { inputs: [i([1, 2]), i(-3)], attributes: { axis: 0 }, expected: [i(LEAST)] },
    { inputs: [b([true]), i([0, 1])], attributes: { axis: 0 }, expected: [b([true, false])] },
    { inputs: [tensor(['a', 'b']), i([1, 5])], attributes: { axis: 0 }, expected: [tensor(['b', ''])] },
  ],
  takeAlongAxis: [
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
        i([[1], [-2]]),
      ],
      attributes: { axis: 1 },
      expected: [f([[2], [3]])],
    },
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
        i([
          [1, 0],
          [5, 1],
        ]),
      ],
      attributes: { axis: 0 },
      expected: [
        f([
          [3, 2],
          [NAN, 4],
        ]),
      ],
    },
  ],
  scatterAdd: [
    {
      inputs: [i([0, 2, 0, 7, -1]), f([1, 2, 3, 4, 5])],
      attributes: { axis: 0, extent: 3 },
      expected: [f([4, 0, 7])],
    },
    {
      inputs: [i([[1, 1]]), f([[[1, 2]], [[3, 4]]])],
      attributes: { axis: 1, extent: 2 },
      expected: [
        f([
          [0, 3],
          [0, 7],
        ]),
      ],
    },
  ],
  argSort: [
    { inputs: [f([3, NAN, 1, 3])], attributes: { axis: 0, descending: false }, expected: [i([2, 0, 3, 1])] },
    { inputs: [f([3, NAN, 1, 3])], attributes: { axis: 0, descending: true }, expected: [i([1, 0, 3, 2])] },
    {
      inputs: [
        i([
          [2, 1],
          [1, 2],
        ]),
      ],
      attributes: { axis: 0, descending: false },
      expected: [
        i([
          [1, 0],
          [0, 1],
        ]),
      ],
    },
  ],

  reshape: [
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
      ],
      attributes: { shape: [4, 1] },
      expected: [f([[1], [2], [3], [4]])],
    },
  ],
  transpose: [
    { inputs: [f([[1, 2, 3]])], attributes: { permutation: [1, 0] }, expected: [f([[1], [2], [3]])] },
    {
      inputs: [
        f([
          [
            [1, 2],
            [3, 4],
          ],
        ]),
      ],
      attributes: { permutation: [2, 0, 1] },
      expected: [f([[[1, 3]], [[2, 4]]])],
    },
  ],
  broadcast: [
    {
      inputs: [i([[1], [2]])],
      attributes: { shape: [2, 3] },
      expected: [
        i([
          [1, 1, 1],
          [2, 2, 2],
        ]),
      ],
    },
  ],
  slice: [
    {
      inputs: [
        f([
          [1, 2, 3, 4],
          [5, 6, 7, 8],
        ]),
      ],
      attributes: { starts: [1, 0], stops: [2, 4], strides: [1, 3] },
      expected: [f([[5, 8]])],
    },
    { inputs: [f([1, 2])], attributes: { starts: [1], stops: [1], strides: [1] }, expected: [empty(0)] },
  ],
  pad: [
    {
      inputs: [f([[1], [2]])],
      attributes: {
        padding: [
          [1, 0],
          [0, 2],
        ],
        value: 9,
      },
      expected: [
        f([
          [9, 9, 9],
          [1, 9, 9],
          [2, 9, 9],
        ]),
      ],
    },
  ],
  concatenate: [
    {
      inputs: [
        f([[1], [2]]),
        f([
          [3, 4],
          [5, 6],
        ]),
      ],
      attributes: { axis: 1 },
      expected: [
        f([
          [1, 3, 4],
          [2, 5, 6],
        ]),
      ],
    },
    { inputs: [empty(0), f([1])], attributes: { axis: 0 }, expected: [f([1])] },
  ],
  reverse: [
    {
      inputs: [
        f([
          [1, 2],
          [3, 4],
        ]),
      ],
      attributes: { axes: [0, 1] },
      expected: [
        f([
          [4, 3],
          [2, 1],
        ]),
      ],
    },
  ],

  // The evaluator itself supplies inputs: as an attribute-only node this is the identity of the graph.
};
