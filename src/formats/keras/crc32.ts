/** Bytes that one turn of the loop takes. */
const SLICES = 8;

/**
 * The remainders of all bytes by the polynomial of zip, lowest bit first; in table number `n`, of bytes that `n` zeros
 * follow, so that the remainders of eight bytes in a row are looked up apart and added.
 */
function makeTables(): Uint32Array {
  const tables = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++)
      remainder = (remainder & 1) === 0 ? remainder >>> 1 : (remainder >>> 1) ^ 0xedb88320;
    tables[byte] = remainder;
  }
  for (let index = 256; index < tables.length; index++) {
    const before = tables[index - 256] as number;
    tables[index] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}

let tables: Uint32Array | undefined;

/** The checksum of a zip member, or of its next part, given that of the parts before. */
export function crc32(bytes: Uint8Array, before = 0): number {
  tables ??= makeTables();
  const table = tables;
  const at = (place: number): number => bytes[place] as number;
  const remainder = (slice: number, byte: number): number => table[(slice << 8) | (byte & 0xff)] as number;
  const { byteLength } = bytes;
  let crc = ~before;
  let place = 0;
  for (; place + SLICES <= byteLength; place += SLICES) {
    const low = crc ^ (at(place) | (at(place + 1) << 8) | (at(place + 2) << 16) | (at(place + 3) << 24));
    crc =
      remainder(7, low) ^
      remainder(6, low >>> 8) ^
      remainder(5, low >>> 16) ^
      remainder(4, low >>> 24) ^
      remainder(3, at(place + 4)) ^
      remainder(2, at(place + 5)) ^
      remainder(1, at(place + 6)) ^
      remainder(0, at(place + 7));
  }
  for (; place < byteLength; place++) crc = (crc >>> 8) ^ remainder(0, crc ^ at(place));
  return (crc ^ 0xffffffff) >>> 0;
}
