import { FormatError } from '../../errors.ts';
import type { ByteWriter } from './byte-writer.ts';

/** The size of a message is 2 bytes wide, and a multiple of 8. */
const MAX_MESSAGE_BYTES = 0xfff8;

export interface MessageSpec {
  readonly type: number;
  /** Said of datatypes and fill values, which never change. */
  readonly isConstant?: boolean;
  /** For messages to the user: the attribute, or the part of the dataset. */
  readonly what: string;
  readonly write: (writer: ByteWriter) => void;
}

/**
 * Writes an object header of version 1; see `object-header.ts` for its layout.
 *
 * @throws {FormatError} when a message is larger than such a header can hold.
 */
export function writeObjectHeader(writer: ByteWriter, messages: readonly MessageSpec[]): void {
  writer.bytes([1, 0]);
  writer.u16(messages.length);
  writer.u32(1);
  const sizePosition = writer.length;
  writer.u32(0);
  writer.zeros(4);
  const start = writer.length;
  for (const { type, isConstant = false, what, write } of messages) {
    writer.u16(type);
    const messagePosition = writer.length;
    writer.u16(0);
    writer.u8(isConstant ? 1 : 0);
    writer.zeros(3);
    const bodyStart = writer.length;
    write(writer);
    writer.pad(bodyStart);
    const byteLength = writer.length - bodyStart;
    if (byteLength > MAX_MESSAGE_BYTES) {
      throw new FormatError(
        `Cannot write HDF5: ${what} takes ${byteLength} bytes, expected at most ${MAX_MESSAGE_BYTES}; split it`,
      );
    }
    writer.setU16(messagePosition, byteLength);
  }
  writer.setU32(sizePosition, writer.length - start);
}
