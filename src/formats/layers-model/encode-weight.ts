/** One weight as the bytes that TensorFlow.js has for it; the counterpart of `decode-weight.ts`. */
import type { Tensor } from '../../array/tensor.ts';
import { elementBytes } from '../element-bytes.ts';
import { quantizeInto } from './quantize.ts';
import type { Quantization } from './weight-specs.ts';

/** As much of a quantized weight is in memory at once. */
const CHUNK_BYTES = 1 << 18;

/** Gives the bytes of a weight from `start` to `end`, piece by piece. A piece may be written over by the next. */
export function* encodeWeight(
  tensor: Tensor,
  quantization: Quantization | undefined,
  start: number,
  end: number,
): Generator<Uint8Array> {
  if (quantization !== undefined) {
    yield* encodeQuantized(tensor.data as Float32Array, quantization, start, end);
  } else if (tensor.dtype === 'string') {
    yield encodeStrings(tensor.data as readonly string[]).subarray(start, end);
  } else {
    yield elementBytes(tensor).subarray(start, end);
  }
}

function* encodeQuantized(
  values: Float32Array,
  quantization: Quantization,
  start: number,
  end: number,
): Generator<Uint8Array> {
  const elementBytes = quantization.dtype === 'uint8' ? 1 : 2;
  // A shard may begin in the middle of an element.
  const first = Math.floor(start / elementBytes);
  const last = Math.ceil(end / elementBytes);
  const View = quantization.dtype === 'uint8' ? Uint8Array : Uint16Array;
  const held = new View(Math.min(CHUNK_BYTES / elementBytes, last - first));
  for (let element = first; element < last; element += held.length) {
    const chunk = held.subarray(0, last - element);
    quantizeInto(chunk, values, element, quantization);
    const bytes = new Uint8Array(chunk.buffer, 0, chunk.byteLength);
    const offset = element * elementBytes;
    yield bytes.subarray(Math.max(0, start - offset), Math.min(bytes.byteLength, end - offset));
  }
}

/** Each element: 4 bytes length, little endian, and as many bytes of UTF-8. */
function encodeStrings(strings: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  const texts = strings.map((text) => encoder.encode(text));
  const bytes = new Uint8Array(stringBytes(texts));
  const view = new DataView(bytes.buffer);
  let position = 0;
  for (const text of texts) {
    view.setUint32(position, text.byteLength, true);
    bytes.set(text, position + 4);
    position += 4 + text.byteLength;
  }
  return bytes;
}

const stringBytes = (texts: readonly Uint8Array[]): number =>
  texts.reduce((sum, { byteLength }) => sum + 4 + byteLength, 0);

/** Bytes that the elements of a weight of text take. */
export function byteLengthOfStrings(strings: readonly string[]): number {
  const encoder = new TextEncoder();
  return stringBytes(strings.map((text) => encoder.encode(text)));
}
