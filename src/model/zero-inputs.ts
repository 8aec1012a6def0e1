/** Inputs that stand for those to come: what a program is compiled and warmed up with. */
import { zeroData } from '../array/dtype.ts';
import { formatShape, sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';
import type { KerasModel } from './keras-model.ts';

/**
 * Zeros for each input of a model, in order.
 *
 * @throws {RangeError} when the number of rows is no whole number above 0.
 * @throws {ShapeError} when the extents of an input are not known, but for its rows.
 */
export function zeroInputs(model: KerasModel, rows: number): readonly Tensor[] {
  if (!Number.isSafeInteger(rows) || rows < 1) {
    throw new RangeError(`Cannot warm up: the batch size is ${rows}, expected an integer above 0`);
  }
  if (!model.built) throw new ShapeError(`Cannot warm up "${model.name}": the shapes of its inputs are not known yet`);
  return model.inputs.map(({ name, shape: [batch, ...rest], dtype }) => {
    const known = rest.filter((extent) => extent !== null);
    if (known.length < rest.length) {
      const found = formatShape([batch ?? null, ...rest]);
      throw new ShapeError(
        `Cannot warm up: input "${name}" has shape ${found}, expected known extents after the first`,
      );
    }
    const shape = [batch ?? rows, ...known];
    return new Tensor(shape, dtype, zeroData(dtype, sizeOf(shape)));
  });
}
