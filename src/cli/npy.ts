/**
 * Arrays of NumPy, as `numpy.save` writes them.
 *
 *   0    6   magic: \x93NUMPY
 *   6    2   version, major and minor
 *   8    2   length of the header, little endian (4 bytes from version 2 on)
 *   10   …   header: a Python dictionary of `descr`, `fortran_order` and `shape`
 *   …        elements in row-major order, or column-major in Fortran order
 *
 * Specification: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Objects, which are pickled,
 * and structures are not read.
 */
import { type Dtype, type Tensor, tensor } from '../index.ts';
import { CommandError, EXIT } from './exit-codes.ts';

type Reader = (view: DataView, offset: number, isLittleEndian: boolean) => number;

/** How elements are read, and what they become. */
const READERS: Readonly<Record<string, { bytes: number; dtype: Dtype; read: Reader }>> = {
  b1: { bytes: 1, dtype: 'bool', read: (view, offset) => view.getUint8(offset) },
  u1: { bytes: 1, dtype: 'int32', read: (view, offset) => view.getUint8(offset) },
  i1: { bytes: 1, dtype: 'int32', read: (view, offset) => view.getInt8(offset) },
  u2: { bytes: 2, dtype: 'int32', read: (view, offset, little) => view.getUint16(offset, little) },
  i2: { bytes: 2, dtype: 'int32', read: (view, offset, little) => view.getInt16(offset, little) },
  u4: { bytes: 4, dtype: 'int32', read: (view, offset, little) => view.getUint32(offset, little) },
  i4: { bytes: 4, dtype: 'int32', read: (view, offset, little) => view.getInt32(offset, little) },
  u8: { bytes: 8, dtype: 'int32', read: (view, offset, little) => Number(view.getBigUint64(offset, little)) },
  i8: { bytes: 8, dtype: 'int32', read: (view, offset, little) => Number(view.getBigInt64(offset, little)) },
  f2: { bytes: 2, dtype: 'float32', read: (view, offset, little) => float16(view.getUint16(offset, little)) },
  f4: { bytes: 4, dtype: 'float32', read: (view, offset, little) => view.getFloat32(offset, little) },
  f8: { bytes: 8, dtype: 'float32', read: (view, offset, little) => view.getFloat64(offset, little) },
};

export function isNpy(bytes: Uint8Array): boolean {
  return bytes[0] === 0x93 && String.fromCharCode(...bytes.subarray(1, 6)) === 'NUMPY';
}

/** Decodes the bytes of an `.npy` file. */
export function decodeNpy(bytes: Uint8Array, name: string): Tensor {
  const fail = (reason: string): CommandError => new CommandError(`Cannot read "${name}": ${reason}`, EXIT.badInput);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 12) throw fail('the file is cut off in its header');
  const isLong = view.getUint8(6) > 1;
  const start = isLong ? 12 : 10;
  const end = start + (isLong ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.byteLength) throw fail('the file is cut off in its header');
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, end));
  const [, order = '', kind = ''] = /'descr':\s*'([<>|=])(\w+)'/.exec(header) ?? [];
  const [, extents] = /'shape':\s*\(([^)]*)\)/.exec(header) ?? [];
  const element = Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
  if (element === undefined || extents === undefined)
    throw fail(`elements of this type are not read: ${header.trim()}`);
  const shape = extents.split(',').flatMap((extent) => (extent.trim() === '' ? [] : [Number(extent)]));
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (!Number.isSafeInteger(size) || end + size * element.bytes !== bytes.byteLength) {
    throw fail(
      `it has ${bytes.byteLength - end} bytes of elements, its shape (${extents}) asks for ${size * element.bytes}`,
    );
  }
  const values = Float64Array.from({ length: size }, (_, index) =>
    element.read(view, end + index * element.bytes, order !== '>'),
  );
  const isFortran = /'fortran_order':\s*True/.test(header);
  return tensor(isFortran ? rowMajor(values, shape) : values, shape, element.dtype);
}

/** The elements of a column-major array, in row-major order. */
function rowMajor(values: Float64Array, shape: readonly number[]): Float64Array {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, extent) => product * extent, 1));
  return values.map((_, index) => {
    let rest = index;
    let position = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const extent = shape[axis] ?? 1;
      position += (rest % extent) * (strides[axis] ?? 0);
      rest = Math.floor(rest / extent);
    }
    return values[position] ?? 0;
  });
}

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
