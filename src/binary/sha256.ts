/**
 * SHA-256 of bytes, as 64 hexadecimal digits. Computed by the host where it can; a page that was not loaded over https
 * has no `crypto.subtle`.
 */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  const digest =
    subtle === undefined
      ? sha256InPlace(bytes)
      : new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return hexOf(digest);
}

/** The same without help of the host: FIPS 180-4, sections 5 and 6.2. */
export function sha256InPlace(bytes: Uint8Array): Uint8Array {
  const { roundConstants, initialHash: hash } = makeConstants();
  const schedule = new Int32Array(64);
  const hashBlocks = (blocks: Uint8Array): void => {
    const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
    for (let start = 0; start < blocks.byteLength; start += 64) hashBlock(view, start, hash, schedule, roundConstants);
  };
  const { byteLength } = bytes;
  const held = byteLength & 63;
  hashBlocks(bytes.subarray(0, byteLength - held));
  // The rest, a bit 1, zeros, and the length in bits: one block or two.
  const tail = new Uint8Array(held < 56 ? 64 : 128);
  tail.set(bytes.subarray(byteLength - held));
  tail[held] = 0x80;
  const tailView = new DataView(tail.buffer);
  tailView.setUint32(tail.byteLength - 8, Math.floor(byteLength / 2 ** 29));
  tailView.setUint32(tail.byteLength - 4, byteLength << 3);
  hashBlocks(tail);
  const digest = new DataView(new ArrayBuffer(32));
  for (const [index, word] of hash.entries()) digest.setInt32(index * 4, word);
  return new Uint8Array(digest.buffer);
}

/** Bytes as hexadecimal digits. */
function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The first 32 bits of the fractional parts of the cube roots and the square roots of the first primes. */
function makeConstants(): { roundConstants: Int32Array; initialHash: Int32Array } {
  const roundConstants = new Int32Array(64);
  const initialHash = new Int32Array(8);
  let count = 0;
  for (let candidate = 2; count < 64; candidate++) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) isPrime &&= candidate % divisor !== 0;
    if (!isPrime) continue;
    if (count < 8) initialHash[count] = rootBits(BigInt(candidate), 2n);
    roundConstants[count++] = rootBits(BigInt(candidate), 3n);
  }
  return { roundConstants, initialHash };
}

/** The 32 bits behind the point of a root, found digit by digit in whole numbers. */
function rootBits(radicand: bigint, degree: bigint): number {
  const scaled = radicand << (32n * degree);
  let root = 0n;
  for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) if ((root + bit) ** degree <= scaled) root += bit;
  return Number(BigInt.asIntN(32, root));
}

function rotate(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}

function hashBlock(
  view: DataView,
  start: number,
  hash: Int32Array,
  schedule: Int32Array,
  roundConstants: Int32Array,
): void {
  for (let index = 0; index < 16; index++) schedule[index] = view.getInt32(start + index * 4);
  for (let index = 16; index < 64; index++) {
    const before15 = schedule[index - 15] as number;
    const before2 = schedule[index - 2] as number;
    const small0 = rotate(before15, 7) ^ rotate(before15, 18) ^ (before15 >>> 3);
    const small1 = rotate(before2, 17) ^ rotate(before2, 19) ^ (before2 >>> 10);
    schedule[index] = (schedule[index - 16] as number) + small0 + (schedule[index - 7] as number) + small1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
  for (let index = 0; index < 64; index++) {
    const big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = (e & f) ^ (~e & g);
    const first = (h + big1 + choice + (roundConstants[index] as number) + (schedule[index] as number)) | 0;
    const big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + big0 + majority) | 0;
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) hash[index] = (hash[index] as number) + value;
}
