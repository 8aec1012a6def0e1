/** The part of Protocol Buffers that event files need: fields one after the other, each a key and a value. */

const VARINT = 0;
const EIGHT_BYTES = 1;
const COUNTED = 2;
const FOUR_BYTES = 5;

/** A message: its fields, joined. */
export function message(...fields: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(fields.reduce((sum, field) => sum + field.byteLength, 0));
  let end = 0;
  for (const field of fields) {
    joined.set(field, end);
    end += field.byteLength;
  }
  return joined;
}

/** Whole numbers of at least 0, and enumerations. */
export function varintField(number: number, value: number): Uint8Array {
  return message(key(number, VARINT), varint(value));
}

export function doubleField(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return message(key(number, EIGHT_BYTES), bytes);
}

export function floatField(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return message(key(number, FOUR_BYTES), bytes);
}

/** Bytes, text or a message. */
export function bytesField(number: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return message(key(number, COUNTED), varint(bytes.byteLength), bytes);
}

function key(number: number, wireType: number): Uint8Array {
  return varint(number * 8 + wireType);
}

/** Seven bits a byte, the lowest first; all but the last have their highest bit set. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
