import type { ByteWriter } from './byte-writer.ts';

/** Writes a dataspace message, version 1: a scalar for the empty shape. */
export function writeDataspace(writer: ByteWriter, shape: readonly number[]): void {
  writer.bytes([1, shape.length, 0]);
  writer.zeros(5);
  for (const extent of shape) writer.u64(extent);
}
