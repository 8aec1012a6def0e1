/** Datatype messages, version 1: the counterpart of `datatype.ts`, for what models hold. */

import type { ByteWriter } from './byte-writer.ts';
import type { NumericDtype } from './datatype.ts';

/** Elements that a dataset may be written with: bfloat16 are two opaque bytes, as Keras has them. */
export type WritableDtype = NumericDtype;

const CLASS_INTEGER = 0x10;
const CLASS_FLOAT = 0x11;
const CLASS_STRING = 0x13;
const CLASS_OPAQUE = 0x15;
const CLASS_ENUMERATION = 0x18;
const CLASS_VARIABLE = 0x19;

const SIGNED = 0x08;
const NULL_PADDED = 1;
const UTF_8 = 1;
/** The highest bit of the mantissa is always set, and therefore not stored. */
const IMPLIED_BIT = 0x20;

/** Widths of a float's exponent and mantissa, and the exponent's bias. */
const FLOATS = {
  float16: [5, 10, 15],
  float32: [8, 23, 127],
  float64: [11, 52, 1023],
} as const;

const INTEGERS = {
  int8: [1, SIGNED],
  uint8: [1, 0],
  int16: [2, SIGNED],
  uint16: [2, 0],
  int32: [4, SIGNED],
  uint32: [4, 0],
  int64: [8, SIGNED],
  uint64: [8, 0],
} as const;

/** Writes the datatype of a dataset's elements. */
export function writeDatatype(writer: ByteWriter, dtype: WritableDtype): void {
  switch (dtype) {
    case 'float16':
    case 'float32':
    case 'float64': {
      const [exponentBits, mantissaBits, bias] = FLOATS[dtype];
      const precision = 1 + exponentBits + mantissaBits;
      writeHead(writer, CLASS_FLOAT, [IMPLIED_BIT, precision - 1, 0], precision / 8);
      writer.u16(0);
      writer.u16(precision);
      writer.bytes([mantissaBits, exponentBits, 0, mantissaBits]);
      writer.u32(bias);
      return;
    }
    case 'bfloat16':
      // Without a tag, as h5py writes the opaque type of two bytes.
      writeHead(writer, CLASS_OPAQUE, [0, 0, 0], 2);
      return;
    case 'bool':
      // The enumeration that h5py makes of NumPy's bool.
      writeHead(writer, CLASS_ENUMERATION, [2, 0, 0], 1);
      writeInteger(writer, 1, SIGNED);
      writer.bytes(new TextEncoder().encode('FALSE\0\0\0TRUE\0\0\0\0'));
      writer.bytes([0, 1]);
      return;
    default: {
      const [byteLength, sign] = INTEGERS[dtype];
      writeInteger(writer, byteLength, sign);
    }
  }
}

/** Writes the datatype of text of a fixed length, filled up with NUL. */
export function writeFixedStringType(writer: ByteWriter, byteLength: number): void {
  writeHead(writer, CLASS_STRING, [NULL_PADDED | (UTF_8 << 4), 0, 0], byteLength);
}

/** Writes the datatype of UTF-8 text of any length, which lies in a global heap. */
export function writeVariableStringType(writer: ByteWriter): void {
  writeHead(writer, CLASS_VARIABLE, [1, UTF_8, 0], 16);
  writeInteger(writer, 1, 0);
}

function writeInteger(writer: ByteWriter, byteLength: number, sign: number): void {
  writeHead(writer, CLASS_INTEGER, [sign, 0, 0], byteLength);
  writer.u16(0);
  writer.u16(8 * byteLength);
}

function writeHead(writer: ByteWriter, classAndVersion: number, bits: readonly number[], byteLength: number): void {
  writer.u8(classAndVersion);
  writer.bytes(bits);
  writer.u32(byteLength);
}
