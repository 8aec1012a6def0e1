/** The bytes of one weight of TensorFlow.js to a tensor. */

import { decodeFloat16 } from '../../array/float16.ts';
import { Tensor } from '../../array/tensor.ts';
import { type RangedFile, readRangeInto } from '../../binary/ranged-file.ts';
import { FormatError } from '../../errors.ts';
import { convertElements, viewStored } from '../element-conversion.ts';
import { decodeText } from '../json.ts';
import type { Quantization, WeightSpec } from './weight-specs.ts';

/**
 * Reads one weight.
 *
 * A quantized weight has the values that it stands for. A complex64 weight gets a last axis of extent 2 with the real and
 * the imaginary parts; no layer of Keras has one.
 */
export async function readWeight(
  file: RangedFile,
  spec: WeightSpec,
  start: number,
  byteLength: number,
): Promise<Tensor> {
  const { name, shape, dtype, quantization } = spec;
  const readBytes = async (): Promise<Uint8Array> => {
    const bytes = new Uint8Array(byteLength);
    await readRangeInto(file, start, bytes);
    return bytes;
  };
  if (quantization !== undefined) return dequantize(await readBytes(), spec, quantization);
  switch (dtype) {
    case 'float32':
    case 'complex64': {
      const data = new Float32Array(byteLength / 4);
      await readRangeInto(file, start, new Uint8Array(data.buffer));
      return new Tensor(dtype === 'float32' ? shape : [...shape, 2], 'float32', data);
    }
    case 'string':
      return new Tensor(shape, 'string', decodeStrings(await readBytes(), spec, file.name));
    default:
      return convertElements(viewStored(await readBytes(), dtype), dtype, shape, name, file.name);
  }
}

function dequantize(bytes: Uint8Array, spec: WeightSpec, { dtype, scale, min }: Quantization): Tensor {
  const stored = viewStored(bytes, dtype) as Uint8Array | Uint16Array;
  if (dtype === 'float16') {
    const halves = new Float32Array(stored.length);
    decodeFloat16(stored as Uint16Array, halves);
    return new Tensor(spec.shape, 'float32', halves);
  }
  if (spec.dtype === 'int32') {
    // Rounded as TensorFlow.js does it, halves up; its converter, which only ever quantizes floats, is not asked.
    const integers = Int32Array.from(stored, (value) => Math.round(value * scale + min));
    return new Tensor(spec.shape, 'int32', integers);
  }
  const data = new Float32Array(stored.length);
  for (let index = 0; index < data.length; index++) data[index] = (stored[index] as number) * scale + min;
  return new Tensor(spec.shape, 'float32', data);
}

/** Each element: 4 bytes length, little endian, and as many bytes of UTF-8. */
function decodeStrings(bytes: Uint8Array, spec: WeightSpec, file: string): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: string[] = [];
  for (let position = 0; strings.length < spec.elementCount; ) {
    const length = view.getUint32(position, true);
    strings.push(decodeText(bytes.subarray(position + 4, position + 4 + length), file));
    position += 4 + length;
  }
  return strings;
}

/**
 * Bytes of a weight that is text, found by walking over its elements.
 *
 * @throws {FormatError} when they reach beyond the file.
 */
export async function measureStrings(file: RangedFile, spec: WeightSpec, start: number): Promise<number> {
  let position = start;
  for (let index = 0; index < spec.elementCount; index++) {
    const end = position + 4;
    const length = end <= file.byteLength ? lengthAt(await file.slice(position, end)) : Number.POSITIVE_INFINITY;
    if (end + length > file.byteLength) {
      throw new FormatError(
        `Cannot read weight "${spec.name}": element ${index} of ${spec.elementCount} ends behind "${file.name}"`,
        { file: file.name, offset: position },
      );
    }
    position = end + length;
  }
  return position - start;
}

function lengthAt(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}
