/**
 * One array of NumPy, as `numpy.save` writes it.
 *
 *   0    6   magic: \x93NUMPY
 *   6    2   version, major and minor
 *   8    2   length of the header, little endian (4 bytes from version 2 on)
 *   10   …   header: a Python dictionary of `descr`, `fortran_order` and `shape`, in Latin-1 (UTF-8 from version 3 on),
 *            ended by a line break, with spaces before it so that the data begin at a multiple of 64
 *   …        elements in row-major order, or column-major in Fortran order
 *
 * Specification: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Objects, which are pickled, text
 * and structures are not read.
 */
import { bytesPerElement, type StorageDtype } from '../../array/dtype.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import { elementBytes } from '../element-bytes.ts';
import { convertElements, viewStored } from '../element-conversion.ts';

/** Element types that an array may have here. */
export type NpyDtype = Exclude<StorageDtype, 'string' | 'complex64'>;

/** What the header of an array says. */
export interface NpyHeader {
  readonly dtype: NpyDtype;
  readonly shape: Shape;
  readonly isBigEndian: boolean;
  /** Whether the first axis varies fastest, not the last. */
  readonly isFortran: boolean;
  /** Where the elements begin. */
  readonly dataStart: number;
}

/** Magic, version and length: what has to be read to know how long the header is. */
export const NPY_PREFIX_BYTES = 12;

/** A header of an array of numbers has some 100 bytes; NumPy itself gives up at 10,000. */
const MAX_HEADER_BYTES = 10_000;

const MAGIC = '\x93NUMPY';
const ALIGNMENT = 64;
/** NumPy has no arrays of more axes. */
const MAX_RANK = 64;

/** Element types by their code; two bytes without a meaning are a bfloat16, which NumPy does not have. */
const DTYPES: Readonly<Record<string, NpyDtype>> = {
  b1: 'bool',
  u1: 'uint8',
  i1: 'int8',
  u2: 'uint16',
  i2: 'int16',
  u4: 'uint32',
  i4: 'int32',
  u8: 'uint64',
  i8: 'int64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  V2: 'bfloat16',
};

const CODES: Readonly<Partial<Record<StorageDtype, string>>> = { float32: '<f4', int32: '<i4', bool: '|b1' };

/** How many bytes come before the elements, given the first ones. */
export function npyDataStart(prefix: Uint8Array, file: string): number {
  if (prefix.byteLength < NPY_PREFIX_BYTES) throw damaged(file, 'the file is cut off in its header');
  if (latin1(prefix.subarray(0, MAGIC.length)) !== MAGIC)
    throw damaged(file, 'it does not begin as an array of NumPy does');
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const version = view.getUint8(6);
  if (version < 1 || version > 3) throw damaged(file, `it has the version ${version}, expected 1, 2 or 3`);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES) {
    throw damaged(file, `its header has ${length} bytes, expected ${MAX_HEADER_BYTES} at most`);
  }
  return (version === 1 ? 10 : 12) + length;
}

/**
 * Decodes the header, given all bytes before the elements.
 *
 * @throws {FormatError} when it is damaged.
 * @throws {UnsupportedError} for elements that are not numbers; what is pickled is never executed.
 */
export function decodeNpyHeader(head: Uint8Array, file: string): NpyHeader {
  const dataStart = npyDataStart(head, file);
  if (dataStart > head.byteLength) throw damaged(file, 'the file is cut off in its header');
  const start = head[6] === 1 ? 10 : 12;
  const text = latin1(head.subarray(start, dataStart)).trim();
  const [, order = '', code] = /'descr':\s*'([<>|=]?)(\w+)'/.exec(text) ?? [];
  const [, fortran] = /'fortran_order':\s*(True|False)\b/.exec(text) ?? [];
  const [, extents] = /'shape':\s*\(([\d\s,]*)\)/.exec(text) ?? [];
  if (/^O\d*$/.test(code ?? '')) {
    const feature = 'pickled objects of Python';
    throw new UnsupportedError(`Cannot read "${file}": found ${feature}, which are never executed`, feature);
  }
  const dtype = code !== undefined && Object.hasOwn(DTYPES, code) ? DTYPES[code] : undefined;
  if (dtype === undefined) {
    const feature = `elements of the type ${code ?? text}`;
    throw new UnsupportedError(`Cannot read "${file}": ${feature} are not supported`, feature);
  }
  if (fortran === undefined || extents === undefined) throw damaged(file, `its header is ${JSON.stringify(text)}`);
  const shape = extents.split(',').flatMap((extent) => (extent.trim() === '' ? [] : [Number(extent)]));
  if (shape.length > MAX_RANK || !Number.isSafeInteger(sizeOf(shape))) {
    throw damaged(file, `its shape is (${extents})`);
  }
  return { dtype, shape, isBigEndian: order === '>', isFortran: fortran === 'True', dataStart };
}

/**
 * Makes a tensor of the elements: floats of any width give float32, integers int32, booleans bool.
 *
 * @throws {FormatError} when there are too few or too many, or an integer is beyond int32.
 */
export function decodeNpyData(data: Uint8Array, header: NpyHeader, name: string, file: string): Tensor {
  const { dtype, shape, isBigEndian, isFortran } = header;
  const byteLength = sizeOf(shape) * bytesPerElement(dtype);
  if (data.byteLength !== byteLength) {
    const shapeText = shape.join(', ');
    throw damaged(file, `it has ${data.byteLength} bytes of elements, its shape (${shapeText}) asks for ${byteLength}`);
  }
  const little = isBigEndian ? reversedElements(data, bytesPerElement(dtype)) : data;
  const converted = convertElements(viewStored(little, dtype), dtype, shape, name, file);
  return isFortran && shape.length > 1 ? rowMajor(converted) : converted;
}

/**
 * Decodes an array of NumPy: the bytes of an `.npy` file. Floats of any width give float32, integers int32.
 *
 * ```ts
 * import { decodeNpy, encodeNpy, tensor } from 'hornet';
 *
 * expect(decodeNpy(encodeNpy(tensor([[1, 2]]))).toArray()).toEqual([[1, 2]]);
 * ```
 *
 * @param file Its name, for messages.
 * @throws {FormatError} when it is damaged or cut off.
 * @throws {UnsupportedError} for elements that are not numbers; what is pickled is never executed.
 */
export function decodeNpy(bytes: Uint8Array, file = 'array.npy'): Tensor {
  const header = decodeNpyHeader(bytes, file);
  return decodeNpyData(bytes.subarray(header.dataStart), header, file, file);
}

/**
 * Encodes a tensor of numbers as an `.npy` file, which `numpy.load` reads.
 *
 * @throws {UnsupportedError} for text, which NumPy would store with a fixed length.
 */
export function encodeNpy(value: Tensor): Uint8Array {
  const header = encodeNpyHeader(value.dtype, value.shape, 'the tensor');
  const data = elementBytes(value);
  const bytes = new Uint8Array(header.byteLength + data.byteLength);
  bytes.set(header);
  bytes.set(data, header.byteLength);
  return bytes;
}

/** What stands before the elements of an array. */
export function encodeNpyHeader(dtype: StorageDtype, shape: Shape, what: string): Uint8Array {
  const code = CODES[dtype];
  if (code === undefined) {
    throw new UnsupportedError(`Cannot write ${what} as ${dtype}: expected float32, int32 or bool`, dtype);
  }
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${code}', 'fortran_order': False, 'shape': (${extents}), }`;
  const byteLength = Math.ceil((10 + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const head = new Uint8Array(byteLength).fill(0x20);
  head.set(Uint8Array.from(MAGIC, (letter) => letter.charCodeAt(0)));
  head.set([1, 0], 6);
  new DataView(head.buffer).setUint16(8, byteLength - 10, true);
  head.set(new TextEncoder().encode(text), 10);
  head[byteLength - 1] = 0x0a;
  return head;
}

/** A copy in which the bytes of each element are the other way round. */
function reversedElements(bytes: Uint8Array, width: number): Uint8Array {
  const copy = bytes.slice();
  for (let start = 0; start < copy.byteLength; start += width) copy.subarray(start, start + width).reverse();
  return copy;
}

/** The elements of a column-major array, in row-major order. */
function rowMajor(value: Tensor): Tensor {
  const { shape, dtype } = value;
  const source = value.data as Float32Array;
  const target = source.slice();
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const position = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let index = 0; index < target.length; index++) {
    target[index] = source[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [stride, extent] = [strides[axis] as number, shape[axis] as number];
      from += stride;
      position[axis] = (position[axis] as number) + 1;
      if ((position[axis] as number) < extent) break;
      from -= stride * extent;
      position[axis] = 0;
    }
  }
  return new Tensor(shape, dtype, target);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function damaged(file: string, problem: string): FormatError {
  return new FormatError(`Cannot read "${file}": ${problem}`, { file });
}
