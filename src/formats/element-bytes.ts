import type { Tensor } from '../array/tensor.ts';

/** The elements of a tensor of numbers as bytes, without a copy. */
export function elementBytes({ data }: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Float32Array | Int32Array | Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
