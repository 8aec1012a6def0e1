/**
 * Datatype messages.
 *
 *   0  1  class (low four bits), version (high four bits)
 *   1  3  bits whose meaning depends on the class
 *   4  4  bytes of one element
 *   8  …  properties of the class
 *
 * Classes that no model file uses (time, bit field, compound, reference, sequence of variable length) decode to
 * `unsupported`, so that an object that has one among its attributes can still be opened.
 */

import type { StorageDtype } from '../../array/dtype.ts';
import type { ByteReader } from './byte-reader.ts';
import { MAX_DATATYPE_DEPTH, MAX_RANK } from './limits.ts';

/** Element types that datasets here may have. */
export type NumericDtype = Exclude<StorageDtype, 'string' | 'complex64'>;

export type Datatype =
  /** Integers and floats, and booleans, which h5py stores as an enumeration of FALSE and TRUE over int8. */
  | { readonly kind: 'numeric'; readonly dtype: NumericDtype; readonly byteLength: number; readonly bigEndian: boolean }
  | { readonly kind: 'string'; readonly byteLength: number; readonly padding: StringPadding }
  /** Each element is a length and a place in a global heap. */
  | { readonly kind: 'variableString'; readonly byteLength: number }
  | { readonly kind: 'opaque'; readonly byteLength: number; readonly tag: string }
  | { readonly kind: 'array'; readonly byteLength: number; readonly shape: readonly number[]; readonly of: Datatype }
  | { readonly kind: 'unsupported'; readonly byteLength: number; readonly feature: string };

export type StringPadding = 'nullTerminated' | 'nullPadded' | 'spacePadded';

const STRING_PADDINGS: readonly StringPadding[] = ['nullTerminated', 'nullPadded', 'spacePadded'];

const CLASS_NAMES = [
  'fixed-point',
  'floating-point',
  'time',
  'string',
  'bit field',
  'opaque',
  'compound',
  'reference',
  'enumeration',
  'variable-length',
  'array',
  'complex',
] as const;

/** Decodes a datatype message, leaving the reader behind it as far as the class is known. */
export function decodeDatatype(reader: ByteReader, depth = 0): Datatype {
  if (depth > MAX_DATATYPE_DEPTH) throw reader.fail(`datatypes nest deeper than ${MAX_DATATYPE_DEPTH}`);
  const classAndVersion = reader.u8();
  const version = classAndVersion >> 4;
  if (version < 1 || version > 5) throw reader.fail(`datatype version ${version} is unknown`);
  const className = CLASS_NAMES[classAndVersion & 0x0f];
  if (className === undefined) throw reader.fail(`datatype class ${classAndVersion & 0x0f} is unknown`);
  const bits = reader.uint(3);
  const byteLength = reader.u32();
  if (byteLength === 0) throw reader.fail('a datatype takes no bytes');
  switch (className) {
    case 'fixed-point':
      return decodeFixedPoint(reader, bits, byteLength);
    case 'floating-point':
      return decodeFloatingPoint(reader, bits, byteLength);
    case 'string': {
      const padding = STRING_PADDINGS[bits & 0x0f];
      if (padding === undefined) throw reader.fail(`string padding ${bits & 0x0f} is unknown`);
      return { kind: 'string', byteLength, padding };
    }
    case 'opaque':
      return { kind: 'opaque', byteLength, tag: reader.text(Math.min(bits & 0xff, reader.remaining)) };
    case 'enumeration':
      return decodeEnumeration(reader, version, bits, byteLength, depth);
    case 'variable-length':
      if ((bits & 0x0f) !== 1) return { kind: 'unsupported', byteLength, feature: 'a sequence of variable length' };
      if (byteLength !== 8 + reader.origin.offsetBytes)
        throw reader.fail(`a string reference takes ${byteLength} bytes`);
      return { kind: 'variableString', byteLength };
    case 'array':
      return decodeArray(reader, version, byteLength, depth);
    default:
      return { kind: 'unsupported', byteLength, feature: `the ${className} datatype` };
  }
}

/** Properties: 2 bytes bit offset, 2 bytes precision. */
function decodeFixedPoint(reader: ByteReader, bits: number, byteLength: number): Datatype {
  const bitOffset = reader.u16();
  const precision = reader.u16();
  if (bitOffset !== 0 || precision !== byteLength * 8 || ![1, 2, 4, 8].includes(byteLength)) {
    return { kind: 'unsupported', byteLength, feature: `an integer of ${precision} bits in ${byteLength} bytes` };
  }
  const dtype = `${(bits & 8) === 0 ? 'u' : ''}int${precision}` as NumericDtype;
  return { kind: 'numeric', dtype, byteLength, bigEndian: (bits & 1) !== 0 };
}

/**
 * Floats by the widths of their exponent and mantissa and by the exponent's bias. Exponents and mantissas lie next to
 * each other, from bit 0 on.
 */
const FLOATS: { readonly [widthsAndBias: string]: NumericDtype } = {
  '5/10/15': 'float16',
  '8/7/127': 'bfloat16',
  '8/23/127': 'float32',
  '11/52/1023': 'float64',
};

/**
 * Properties: 2 bytes bit offset, 2 precision; location and size in bits of the exponent, location and size of the
 * mantissa, one byte each; 4 bytes bias.
 */
function decodeFloatingPoint(reader: ByteReader, bits: number, byteLength: number): Datatype {
  const bitOffset = reader.u16();
  const precision = reader.u16();
  const exponentLocation = reader.u8();
  const exponentBits = reader.u8();
  const mantissaLocation = reader.u8();
  const mantissaBits = reader.u8();
  const bias = reader.u32();
  const signLocation = (bits >> 8) & 0xff;
  const dtype = FLOATS[`${exponentBits}/${mantissaBits}/${bias}`];
  const isPlain =
    bitOffset === 0 &&
    precision === byteLength * 8 &&
    mantissaLocation === 0 &&
    exponentLocation === mantissaBits &&
    signLocation === precision - 1 &&
    // The mantissa's highest bit is always set, and therefore not stored.
    ((bits >> 4) & 3) === 2 &&
    // Bit 6 together with bit 0 is the byte order of the VAX.
    (bits & 0x40) === 0;
  if (dtype === undefined || !isPlain) {
    const feature = `a float of ${exponentBits} exponent and ${mantissaBits} mantissa bits`;
    return { kind: 'unsupported', byteLength, feature };
  }
  return { kind: 'numeric', dtype, byteLength, bigEndian: (bits & 1) !== 0 };
}

/** Properties: the datatype of the values, the names (padded to 8 bytes before version 3), the values. */
function decodeEnumeration(
  reader: ByteReader,
  version: number,
  bits: number,
  byteLength: number,
  depth: number,
): Datatype {
  const of = decodeDatatype(reader, depth + 1);
  if (of.kind !== 'numeric' || of.byteLength !== byteLength) throw reader.fail('an enumeration is not over integers');
  const names = Array.from({ length: bits & 0xffff }, () => {
    const start = reader.position;
    const name = reader.terminatedText();
    if (version < 3) reader.skipPadding(reader.position - start);
    return name;
  });
  const values = reader.take(names.length * byteLength);
  const isBool = byteLength === 1 && names.join() === 'FALSE,TRUE' && values[0] === 0 && values[1] === 1;
  return isBool ? { ...of, dtype: 'bool' } : of;
}

/**
 * Properties: 1 byte rank, 3 reserved before version 3; 4 bytes per extent; 4 per extent unused before version 3; the
 * datatype of the elements.
 */
function decodeArray(reader: ByteReader, version: number, byteLength: number, depth: number): Datatype {
  const rank = reader.u8();
  if (rank > MAX_RANK) throw reader.fail(`rank ${rank} exceeds ${MAX_RANK}`);
  if (version < 3) reader.skip(3);
  const shape = Array.from({ length: rank }, () => reader.u32());
  if (version < 3) reader.skip(4 * rank);
  const of = decodeDatatype(reader, depth + 1);
  if (shape.reduce((product, extent) => product * extent, of.byteLength) !== byteLength) {
    throw reader.fail(`an array of shape [${shape.join(', ')}] does not take ${byteLength} bytes`);
  }
  return { kind: 'array', byteLength, shape, of };
}
