/** Inputs for models of which no input is at hand. */
import { type KerasModel, Tensor } from '../index.ts';

const SEED = 7;

/** What stands for an extent that a model leaves open, in the order in which they are tried. */
const OPEN_EXTENTS = [32, 64, 7];

/**
 * What `use` gives for the first inputs that it takes: numbers that look random and are the same every time, in shapes
 * that the model may have.
 */
export async function withMadeUpInputs<T>(
  model: KerasModel,
  rows: number,
  use: (inputs: readonly Tensor[]) => Promise<T>,
): Promise<T> {
  const isOpen = model.inputs.some(({ shape }) => shape.slice(1).includes(null));
  let problem: unknown;
  for (const open of isOpen ? OPEN_EXTENTS : OPEN_EXTENTS.slice(0, 1)) {
    const inputs = model.inputs.map(({ shape, dtype }, number) => {
      const extents = [rows, ...shape.slice(1).map((extent) => extent ?? open)];
      return madeUpTensor(extents, dtype, number);
    });
    try {
      return await use(inputs);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problem ??= error;
    }
  }
  throw problem;
}

/** @param number which of several tensors it is: each has other values */
export function madeUpTensor(shape: readonly number[], dtype: Tensor['dtype'], number: number): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const at = (index: number): number => Math.sin((index + 1) * 12.9898 + SEED * (number + 1));
  const list = <T>(make: (index: number) => T): T[] => Array.from({ length: size }, (_, index) => make(index));
  switch (dtype) {
    case 'float32':
      return new Tensor(shape, dtype, Float32Array.from(list(at)));
    case 'int32':
      return new Tensor(shape, dtype, Int32Array.from(list((index) => Number(at(index) > 0))));
    case 'bool':
      return new Tensor(shape, dtype, Uint8Array.from(list((index) => Number(at(index) > 0))));
    default:
      return new Tensor(
        shape,
        'string',
        list((index) => (at(index) > 0 ? 'a' : 'b')),
      );
  }
}
