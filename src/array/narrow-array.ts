/**
 * Floats that are kept in fewer bytes: as IEEE halves, or as 8-bit integers with one scale for each channel.
 *
 * Channels lie along neighbouring axes of a shape: element `i` of the flat array is of channel
 * `floor(i / inner) mod count`.
 */
import { decodeFloat16, encodeFloat16 } from './float16.ts';
import type { Shape } from './shape.ts';
import { Tensor } from './tensor.ts';

/** What weights can be kept as in memory, in place of float32. */
export type WeightDtype = 'float16' | 'int8';

/** The elements of a narrow form: bits of halves, or integers from −127 to 127. */
export type NarrowCodes = Uint16Array | Int8Array;

/** How elements lie in channels. */
export interface Channels {
  readonly count: number;
  /** Elements from one channel to the next. */
  readonly inner: number;
}

/** The greatest code of an 8-bit integer; −128 is not used, so that positive and negative numbers have as many steps. */
const MOST_CODE = 127;

/** An array of floats in a narrow form; immutable. */
export class NarrowArray {
  readonly dtype: WeightDtype;
  readonly byteLength: number;
  readonly channels: Channels;
  /** One for each channel; without elements for halves. */
  readonly scales: Float32Array;
  /** The largest distance of an element from the float that it stands for. */
  readonly largestError: number;
  readonly #codes: NarrowCodes | (() => NarrowCodes);

  /** @param codes are given by a function where they are elsewhere; it must give the same each time */
  constructor(
    dtype: WeightDtype,
    codes: NarrowCodes | (() => NarrowCodes),
    channels: Channels,
    scales: Float32Array,
    largestError: number,
    byteLength: number = scales.byteLength + (typeof codes === 'function' ? 0 : codes.byteLength),
  ) {
    this.dtype = dtype;
    this.channels = channels;
    this.scales = scales;
    this.largestError = largestError;
    this.byteLength = byteLength;
    this.#codes = codes;
  }

  /**
   * The narrow form of some floats; none where one of them is not finite, or too large for a half.
   *
   * Integers are the nearest ones of `value / scale`, where the scale takes the largest value of a channel to ±127.
   */
  static of(values: Float32Array, dtype: WeightDtype, channels: Channels): NarrowArray | undefined {
    return dtype === 'int8' ? integersOf(values, channels) : halvesOf(values, channels);
  }

  /** The elements; of an array that has let go of them, a copy that is made anew each time. */
  get codes(): NarrowCodes {
    return typeof this.#codes === 'function' ? this.#codes() : this.#codes;
  }

  /** The same array without its elements, which are asked for when they are needed. */
  entrusted(read: () => NarrowCodes): NarrowArray {
    const { dtype, channels, scales, largestError, byteLength } = this;
    return new NarrowArray(dtype, read, channels, scales, largestError, byteLength);
  }

  /** The floats that it stands for. */
  widen(): Float32Array<ArrayBuffer> {
    const { codes, scales } = this;
    const values = new Float32Array(codes.length);
    if (codes instanceof Uint16Array) decodeFloat16(codes, values);
    else {
      const walk = new ChannelWalk(this.channels);
      for (let index = 0; index < codes.length; index++) {
        values[index] = (codes[index] as number) * (scales[walk.next()] as number);
      }
    }
    return values;
  }

  /** The floats as a tensor. */
  toTensor(shape: Shape): Tensor<'float32'> {
    return new Tensor(shape, 'float32', this.widen());
  }

  /**
   * Another value of a weight in this form.
   *
   * @throws {RangeError} when it has no such form.
   */
  again({ data }: Tensor, weight: string): NarrowArray {
    const narrow = NarrowArray.of(data as Float32Array, this.dtype, this.channels);
    if (narrow !== undefined) return narrow;
    throw new RangeError(
      `Cannot assign weight "${weight}": it is kept as ${this.dtype}, and the value has elements that are not finite or ` +
        'too large; assign others, or load the model without weightDtype',
    );
  }
}

function halvesOf(values: Float32Array, channels: Channels): NarrowArray | undefined {
  const codes = new Uint16Array(values.length);
  encodeFloat16(values, codes);
  let error = 0;
  // In pieces, so that no second array of floats is needed.
  const piece = new Float32Array(Math.min(values.length, 1 << 14));
  for (let start = 0; start < values.length; start += piece.length) {
    const part = codes.subarray(start, start + piece.length);
    decodeFloat16(part, piece);
    for (let index = 0; index < part.length; index++) {
      // NaN of NaN and of infinities, infinite where a half is infinite.
      error = Math.max(error, Math.abs((piece[index] as number) - (values[start + index] as number)));
    }
  }
  if (!Number.isFinite(error)) return undefined;
  return new NarrowArray('float16', codes, channels, new Float32Array(0), error);
}

function integersOf(values: Float32Array, channels: Channels): NarrowArray | undefined {
  const scales = new Float32Array(channels.count);
  const walk = new ChannelWalk(channels);
  for (let index = 0; index < values.length; index++) {
    const channel = walk.next();
    scales[channel] = Math.max(scales[channel] as number, Math.abs(values[index] as number));
  }
  if (!scales.every(Number.isFinite)) return undefined;
  // What is too small for a scale is 0 by any scale.
  for (const [channel, largest] of scales.entries()) scales[channel] = Math.fround(largest / MOST_CODE) || 1;
  const codes = new Int8Array(values.length);
  let error = 0;
  const again = new ChannelWalk(channels);
  for (let index = 0; index < values.length; index++) {
    const scale = scales[again.next()] as number;
    const value = values[index] as number;
    const code = Math.max(-MOST_CODE, Math.min(MOST_CODE, Math.round(value / scale)));
    codes[index] = code;
    const distance = Math.abs(Math.fround(code * scale) - value);
    if (distance > error) error = distance;
  }
  return new NarrowArray('int8', codes, channels, scales, error);
}

/** Gives the channel of one element after the other. */
class ChannelWalk {
  readonly #count: number;
  readonly #inner: number;
  #channel = 0;
  #left: number;

  constructor({ count, inner }: Channels) {
    this.#count = count;
    this.#inner = inner;
    this.#left = inner;
  }

  next(): number {
    const channel = this.#channel;
    if (--this.#left === 0) {
      this.#left = this.#inner;
      this.#channel = channel + 1 === this.#count ? 0 : channel + 1;
    }
    return channel;
  }
}
