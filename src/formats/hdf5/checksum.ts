/** The two checksums of HDF5. */

/**
 * Bob Jenkins' lookup3 hash, little-endian form with initial value 0: guards metadata from format version 2 on.
 * Source: http://burtleburtle.net/bob/c/lookup3.c, in the public domain (hashlittle).
 */
export function lookup3(bytes: Uint8Array): number {
  let length = bytes.byteLength;
  let a = (0xdeadbeef + length) | 0;
  let b = a;
  let c = a;
  let at = 0;
  const word = (offset: number): number =>
    byte(offset) | (byte(offset + 1) << 8) | (byte(offset + 2) << 16) | (byte(offset + 3) << 24);
  // Bytes past the end count as zero, which is what the tail of lookup3 amounts to.
  const byte = (offset: number): number => bytes[offset] ?? 0;

  while (length > 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = (a - c) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 4);
    b = (b + a) | 0;
    at += 12;
    length -= 12;
  }
  if (length === 0) return c >>> 0;
  a = (a + word(at)) | 0;
  b = (b + word(at + 4)) | 0;
  c = (c + word(at + 8)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Fletcher's checksum over big-endian 16-bit words, as the filter `fletcher32` appends it to a chunk. */
export function fletcher32(bytes: Uint8Array): number {
  let sum1 = 0;
  let sum2 = 0;
  const evenLength = bytes.byteLength & ~1;
  for (let at = 0; at < evenLength; ) {
    // After 360 words the sums could exceed 32 bits.
    const stop = Math.min(at + 720, evenLength);
    for (; at < stop; at += 2) {
      sum1 += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      sum2 += sum1;
    }
    sum1 = fold(sum1);
    sum2 = fold(sum2);
  }
  if (evenLength < bytes.byteLength) {
    sum1 = fold(sum1 + ((bytes[evenLength] as number) << 8));
    sum2 = fold(sum2 + sum1);
  }
  return ((fold(sum2) << 16) | fold(sum1)) >>> 0;
}

/** Adds the carry of a sum of 16-bit words back to it. */
function fold(sum: number): number {
  return (sum & 0xffff) + (sum >>> 16);
}
