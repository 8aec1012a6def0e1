/**
 * The hash functions by which TensorFlow puts strings into buckets: FarmHash's Fingerprint64, SipHash-2-4 for keyed
 * hashes, and the way in which it joins fingerprints. Values are unsigned 64-bit integers.
 *
 * Constants and steps are those of the FarmHash sources (farmhashna) and of the SipHash paper.
 */

const MASK = (1n << 64n) - 1n;
const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;

const wrap = (value: bigint): bigint => value & MASK;
const rotateRight = (value: bigint, bits: bigint): bigint => wrap((value >> bits) | (value << (64n - bits)));
const rotateLeft = (value: bigint, bits: bigint): bigint => rotateRight(value, 64n - bits);
const shiftMix = (value: bigint): bigint => value ^ (value >> 47n);

/** FarmHash's fingerprint of some bytes. */
export function fingerprint64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length <= 16) return hashUpTo16(view);
  if (bytes.length <= 32) return hashUpTo32(view);
  return bytes.length <= 64 ? hashUpTo64(view) : hashLong(view);
}

/** 64 bits from a place that counts from the end when it is negative. */
function fetch(view: DataView, offset: number): bigint {
  return view.getBigUint64(offset < 0 ? view.byteLength + offset : offset, true);
}

function hash128(u: bigint, v: bigint, factor: bigint): bigint {
  const a = shiftMix(wrap((u ^ v) * factor));
  const b = shiftMix(wrap((v ^ a) * factor));
  return wrap(b * factor);
}

function hashUpTo16(view: DataView): bigint {
  const { byteLength } = view;
  const length = BigInt(byteLength);
  const factor = K2 + length * 2n;
  if (byteLength >= 8) {
    const a = wrap(fetch(view, 0) + K2);
    const b = fetch(view, -8);
    const c = wrap(rotateRight(b, 37n) * factor + a);
    const d = wrap((rotateRight(a, 25n) + b) * factor);
    return hash128(c, d, wrap(factor));
  }
  if (byteLength >= 4) {
    const a = BigInt(view.getUint32(0, true));
    return hash128(wrap(length + (a << 3n)), BigInt(view.getUint32(byteLength - 4, true)), wrap(factor));
  }
  if (byteLength === 0) return K2;
  const [a, b, c] = [view.getUint8(0), view.getUint8(byteLength >> 1), view.getUint8(byteLength - 1)];
  const y = BigInt(a + (b << 8));
  const z = length + BigInt(c << 2);
  return wrap(shiftMix(wrap(y * K2) ^ wrap(z * K0)) * K2);
}

function hashUpTo32(view: DataView): bigint {
  const factor = wrap(K2 + BigInt(view.byteLength) * 2n);
  const a = wrap(fetch(view, 0) * K1);
  const b = fetch(view, 8);
  const c = wrap(fetch(view, -8) * factor);
  const d = wrap(fetch(view, -16) * K2);
  const first = wrap(rotateRight(wrap(a + b), 43n) + rotateRight(c, 30n) + d);
  return hash128(first, wrap(a + rotateRight(wrap(b + K2), 18n) + c), factor);
}

function hashUpTo64(view: DataView): bigint {
  const factor = wrap(K2 + BigInt(view.byteLength) * 2n);
  const a = wrap(fetch(view, 0) * K2);
  const b = fetch(view, 8);
  const c = wrap(fetch(view, -8) * factor);
  const d = wrap(fetch(view, -16) * K2);
  const y = wrap(rotateRight(wrap(a + b), 43n) + rotateRight(c, 30n) + d);
  const z = hash128(y, wrap(a + rotateRight(wrap(b + K2), 18n) + c), factor);
  const e = wrap(fetch(view, 16) * factor);
  const f = fetch(view, 24);
  const g = wrap((y + fetch(view, -32)) * factor);
  const h = wrap((z + fetch(view, -24)) * factor);
  const first = wrap(rotateRight(wrap(e + f), 43n) + rotateRight(g, 30n) + h);
  return hash128(first, wrap(e + rotateRight(wrap(f + a), 18n) + g), factor);
}

type Pair = readonly [bigint, bigint];

/** Mixes 32 bytes from an offset into two seeds. */
function weakHash(view: DataView, offset: number, seedA: bigint, seedB: bigint): Pair {
  const [w, x, y, z] = [0, 8, 16, 24].map((step) => fetch(view, offset + step)) as [bigint, bigint, bigint, bigint];
  const a = wrap(seedA + w);
  const b = rotateRight(wrap(seedB + a + z), 21n);
  const c = wrap(a + x + y);
  return [wrap(c + z), wrap(b + rotateRight(c, 44n) + a)];
}

interface LongState {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly v: Pair;
  readonly w: Pair;
}

/** One round over 64 bytes. The last one has another factor, and weighs two of the sums by 9. */
function mixBlock(view: DataView, offset: number, state: LongState, factor: bigint, weight: bigint): LongState {
  const { v, w } = state;
  const at = (step: number): bigint => fetch(view, offset + step);
  const x = wrap(rotateRight(wrap(state.x + state.y + v[0] + at(8)), 37n) * factor) ^ wrap(w[1] * weight);
  const y = wrap(wrap(rotateRight(wrap(state.y + v[1] + at(48)), 42n) * factor) + v[0] * weight + at(40));
  const z = wrap(rotateRight(wrap(state.z + w[0]), 33n) * factor);
  const nextV = weakHash(view, offset, wrap(v[1] * factor), wrap(x + w[0]));
  const nextW = weakHash(view, offset + 32, wrap(z + w[1]), wrap(y + at(16)));
  return { x: z, y, z: x, v: nextV, w: nextW };
}

function hashLong(view: DataView): bigint {
  const seed = 81n;
  const y = wrap(seed * K1 + 113n);
  const z = wrap(shiftMix(wrap(y * K2 + 113n)) * K2);
  let state: LongState = { x: wrap(seed * K2 + fetch(view, 0)), y, z, v: [0n, 0n], w: [0n, 0n] };
  const rest = (view.byteLength - 1) & 63;
  const end = view.byteLength - 1 - rest;
  for (let offset = 0; offset < end; offset += 64) state = mixBlock(view, offset, state, K1, 1n);
  const factor = wrap(K1 + ((state.z & 0xffn) << 1n));
  const w0 = wrap(state.w[0] + BigInt(rest));
  const v0 = wrap(state.v[0] + w0);
  const last: LongState = { ...state, v: [v0, state.v[1]], w: [wrap(w0 + v0), state.w[1]] };
  const done = mixBlock(view, view.byteLength - 64, last, factor, 9n);
  const left = wrap(hash128(done.v[0], done.w[0], factor) + shiftMix(done.y) * K0 + done.z);
  return hash128(left, wrap(hash128(done.v[1], done.w[1], factor) + done.x), factor);
}

/** SipHash-2-4 of some bytes under a key of two 64-bit integers. */
function sipHash64(bytes: Uint8Array, key: readonly [bigint, bigint]): bigint {
  const [k0, k1] = [BigInt.asUintN(64, key[0]), BigInt.asUintN(64, key[1])];
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round++) {
      v0 = wrap(v0 + v1);
      v1 = rotateLeft(v1, 13n) ^ v0;
      v0 = rotateLeft(v0, 32n);
      v2 = wrap(v2 + v3);
      v3 = rotateLeft(v3, 16n) ^ v2;
      v0 = wrap(v0 + v3);
      v3 = rotateLeft(v3, 21n) ^ v0;
      v2 = wrap(v2 + v1);
      v1 = rotateLeft(v1, 17n) ^ v2;
      v2 = rotateLeft(v2, 32n);
    }
  };
  const absorb = (word: bigint): void => {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~7;
  for (let offset = 0; offset < whole; offset += 8) absorb(view.getBigUint64(offset, true));
  let last = BigInt(bytes.length & 0xff) << 56n;
  for (let offset = whole; offset < bytes.length; offset++) {
    last |= BigInt(view.getUint8(offset)) << BigInt(8 * (offset - whole));
  }
  absorb(last);
  v2 ^= 0xffn;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

const JOIN = 0xc6a4a7935bd1e995n;

/** One fingerprint of two, as TensorFlow joins those of crossed features. */
export function joinFingerprints(first: bigint, second: bigint): bigint {
  const mixed = wrap(shiftMix(wrap(second * JOIN)) * JOIN);
  const joined = wrap((first ^ JOIN ^ mixed) * JOIN);
  return shiftMix(wrap(shiftMix(joined) * JOIN));
}

const encoder = new TextEncoder();

/** The bucket of a string, by FarmHash, or by SipHash when there is a salt. */
export function hashBucket(text: string, buckets: number, salt: readonly number[] | null): number {
  const bytes = encoder.encode(text);
  const hash =
    salt === null ? fingerprint64(bytes) : sipHash64(bytes, [BigInt(salt[0] as number), BigInt(salt[1] as number)]);
  return Number(hash % BigInt(buckets));
}
