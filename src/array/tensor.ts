import { type DataOf, type Dtype, zeroData } from './dtype.ts';
import { formatShape, type Shape, sizeOf } from './shape.ts';

/** Numbers, booleans or strings, nested to any depth. */
export type NestedArray = number | boolean | string | readonly NestedArray[];

/**
 * A host array: a shape, a dtype, and a typed array of the elements in row-major order.
 *
 * It owns nothing but the typed array, so there is nothing to dispose.
 *
 * ```ts
 * import { tensor } from 'hornet';
 *
 * const matrix = tensor([[1, 2], [3, 4]]);
 * expect(matrix.shape).toEqual([2, 2]);
 * expect(matrix.data).toEqual(new Float32Array([1, 2, 3, 4]));
 * ```
 */
export class Tensor<D extends Dtype = Dtype> {
  readonly shape: Shape;
  readonly dtype: D;
  readonly data: DataOf<D>;

  /** @throws {RangeError} when the data has another number of elements than the shape. */
  constructor(shape: Shape, dtype: D, data: DataOf<D>) {
    const size = sizeOf(shape);
    if (data.length !== size) {
      throw new RangeError(
        `Cannot make a tensor of shape ${formatShape(shape)}: the data has ${data.length} elements, the shape ${size}`,
      );
    }
    this.shape = shape;
    this.dtype = dtype;
    this.data = data;
  }

  /** The elements as nested arrays; a scalar as the bare value, a bool as true or false. */
  toArray(): NestedArray {
    const element = (index: number): NestedArray => {
      const value = this.data[index] as number | string;
      return this.dtype === 'bool' ? value !== 0 : value;
    };
    const nest = (axis: number, offset: number, size: number): NestedArray => {
      if (axis === this.shape.length) return element(offset);
      const extent = this.shape[axis] as number;
      const step = extent === 0 ? 0 : size / extent;
      return Array.from({ length: extent }, (_, index) => nest(axis + 1, offset + index * step, step));
    };
    return nest(0, 0, this.data.length);
  }
}

/**
 * Makes a tensor from nested arrays or from a typed array and its shape.
 *
 * Without a dtype: numbers become float32, booleans bool, strings string, an `Int32Array` int32, other typed arrays
 * float32.
 *
 * @throws {RangeError} when nested arrays differ in length, or the shape does not fit.
 *
 * ```ts
 * import { tensor } from 'hornet';
 *
 * expect(tensor(new Int32Array([1, 2, 3, 4]), [2, 2]).toArray()).toEqual([[1, 2], [3, 4]]);
 * ```
 */
export function tensor(values: NestedArray | ArrayLike<number>, shape?: Shape, dtype?: Dtype): Tensor {
  if (ArrayBuffer.isView(values)) {
    const flat = values as unknown as ArrayLike<number>;
    const inferred = dtype ?? (values instanceof Int32Array ? 'int32' : 'float32');
    return new Tensor(shape ?? [flat.length], inferred, convertElements(flat, inferred));
  }
  const nested = values as NestedArray;
  const found = nestedShape(nested);
  const elements: (number | boolean | string)[] = [];
  flatten(nested, found, 0, elements);
  const inferred = dtype ?? inferDtype(elements);
  return new Tensor(shape ?? found, inferred, convertElements(elements, inferred));
}

function nestedShape(values: NestedArray): number[] {
  const shape: number[] = [];
  let level = values;
  while (Array.isArray(level)) {
    shape.push(level.length);
    if (level.length === 0) break;
    level = level[0] as NestedArray;
  }
  return shape;
}

function flatten(values: NestedArray, shape: Shape, axis: number, into: (number | boolean | string)[]): void {
  if (axis === shape.length) {
    if (Array.isArray(values)) throw new RangeError('Cannot make a tensor: the nested arrays differ in depth');
    into.push(values as number | boolean | string);
    return;
  }
  if (!Array.isArray(values) || values.length !== shape[axis]) {
    const found = Array.isArray(values) ? `${values.length} elements` : 'a single value';
    throw new RangeError(`Cannot make a tensor: found ${found} along axis ${axis}, expected ${shape[axis]} as before`);
  }
  for (const value of values) flatten(value as NestedArray, shape, axis + 1, into);
}

function inferDtype(elements: readonly (number | boolean | string)[]): Dtype {
  switch (typeof elements[0]) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    default:
      return 'float32';
  }
}

function convertElements<D extends Dtype>(elements: ArrayLike<number | boolean | string>, dtype: D): DataOf<D> {
  if (dtype === 'string') return Array.from(elements, String) as unknown as DataOf<D>;
  if (dtype === 'float32' && elements instanceof Float32Array) return elements as DataOf<D>;
  if (dtype === 'int32' && elements instanceof Int32Array) return elements as DataOf<D>;
  const data = zeroData(dtype as 'float32', elements.length);
  for (let index = 0; index < elements.length; index++) {
    const value = Number(elements[index]);
    data[index] = dtype === 'bool' ? Number(value !== 0) : value;
  }
  return data as unknown as DataOf<D>;
}
