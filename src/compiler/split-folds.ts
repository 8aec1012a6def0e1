/**
 * Long sums to few numbers, as the gradients of biases are: the rows are cut into parts that threads can share out, each
 * with sums of its own, which are added in one order.
 */
import { sizeOf, stridesOf } from '../array/shape.ts';
import { withStrides } from './collapse.ts';
import { type Buffer, type Expression, type Kernel, loadsOf, type ReduceKernel } from './schedule.ts';

/** Parts of the rows: some for each of a few threads. */
const PARTS = 8;

/** Numbers to be added from which the second pass does not count. */
const LEAST_ELEMENTS = 1 << 16;

/** The kernels, with long sums in two. */
export function splitFolds(kernels: readonly Kernel[]): Kernel[] {
  return kernels.flatMap((kernel) => (kernel.kind === 'reduce' && isLong(kernel) ? split(kernel) : [kernel]));
}

/** Whether lines are added to one, whose numbers lie side by side. */
function isLong({ fold, kept, reduced, value }: ReduceKernel): boolean {
  const [rows] = reduced;
  const elements = sizeOf(kept) * sizeOf(reduced);
  return (
    fold === 'sum' &&
    value.dtype === 'float32' &&
    kept.length === 1 &&
    elements >= LEAST_ELEMENTS &&
    elements >= sizeOf(kept) * PARTS * PARTS &&
    rows !== undefined &&
    rows % PARTS === 0 &&
    loadsOf(value).some(({ strides }) => strides[0] === 1)
  );
}

function split(kernel: ReduceKernel): ReduceKernel[] {
  const { name, kept, reduced, value, output } = kernel;
  const [rows, ...others] = reduced as readonly [number, ...number[]];
  const axis = kept.length;
  const parts: Buffer = { name: `${name}/parts`, role: 'temporary', dtype: output.dtype, size: PARTS * sizeOf(kept) };
  const [partValue] = withStrides([value], (strides) => {
    return [(strides[axis] as number) * (rows / PARTS), ...strides];
  }) as [Expression];
  const access = { buffer: parts, offset: 0, strides: [...stridesOf(kept), sizeOf(kept)] };
  return [
    {
      ...kernel,
      name: parts.name,
      kept: [PARTS, ...kept],
      reduced: [rows / PARTS, ...others],
      value: partValue,
      output: parts,
      tail: undefined,
    },
    { ...kernel, reduced: [PARTS], value: { kind: 'load', dtype: output.dtype, access } },
  ];
}
