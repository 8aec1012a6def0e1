/** Damage to bytes: flips, cuts, splices, and sizes that somebody thought up. */
import type { Random } from './random.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Mutation = (bytes: Bytes, random: Random, others: readonly Uint8Array[]) => Bytes;

/** Whole numbers at which programs that trust a size go wrong. */
const SIZES: readonly bigint[] = [
  0n,
  1n,
  7n,
  255n,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x20000000000000n,
  0x7fffffffffffffffn,
  0xfffffffffffffffen,
  0xffffffffffffffffn,
];

const flipBits: Mutation = (bytes, random) => {
  for (let count = 1 + random.small(8); count > 0; count--) {
    const place = random.below(bytes.byteLength);
    bytes[place] = (bytes[place] as number) ^ (1 << random.below(8));
  }
  return bytes;
};

const setBytes: Mutation = (bytes, random) => {
  const place = random.below(bytes.byteLength);
  bytes.fill(random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]), place, place + 1 + random.small(16));
  return bytes;
};

/** A size in 2, 4 or 8 bytes, at a place that such a field may have. */
const setSize: Mutation = (bytes, random) => {
  const width = random.pick([2, 4, 8]);
  const step = random.pick([1, 2, 4, 8]);
  const place = random.below(Math.max(1, Math.floor((bytes.byteLength - width) / step))) * step;
  let value = random.chance(0.5) ? random.pick(SIZES) : BigInt(random.below(2 * bytes.byteLength));
  for (let index = 0; index < width && place + index < bytes.byteLength; index++) {
    bytes[place + index] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
};

const cut: Mutation = (bytes, random) => bytes.slice(0, random.below(bytes.byteLength));

const grow: Mutation = (bytes, random) => {
  const longer = new Uint8Array(bytes.byteLength + 1 + random.small(4096));
  longer.set(bytes);
  return longer;
};

/** A piece of the file is written over another. */
const copyWithin: Mutation = (bytes, random) => {
  const from = random.below(bytes.byteLength);
  return bytes.copyWithin(random.below(bytes.byteLength), from, from + 1 + random.small(512));
};

const remove: Mutation = (bytes, random) => {
  const from = random.below(bytes.byteLength);
  const to = from + 1 + random.small(64);
  return concatenate(bytes.subarray(0, from), bytes.subarray(to));
};

/** The beginning of this file, and the end of another. */
const splice: Mutation = (bytes, random, others) => {
  const other = random.pick(others);
  return concatenate(bytes.subarray(0, random.below(bytes.byteLength)), other.subarray(random.below(other.byteLength)));
};

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  flipBits,
  setBytes,
  setBytes,
  setSize,
  setSize,
  setSize,
  copyWithin,
  remove,
  cut,
  grow,
  splice,
];

/**
 * A damaged copy. Half of the damage is done within a stretch of it, so that metadata, which are few, are hit as well.
 *
 * @param others what the end of the file may come from
 */
export function mutateBytes(bytes: Uint8Array, random: Random, others: readonly Uint8Array[]): Bytes {
  let result: Bytes = new Uint8Array(bytes);
  for (let count = 1 + random.small(4); count > 0 && result.byteLength > 0; count--) {
    const mutate = random.pick(MUTATIONS);
    if (random.chance(0.5) || result.byteLength < 16) {
      result = mutate(result, random, others);
      continue;
    }
    const from = random.below(result.byteLength - 8);
    const to = Math.min(result.byteLength, from + 8 + random.small(512));
    const changed = mutate(result.slice(from, to), random, others);
    result = concatenate(result.subarray(0, from), changed, result.subarray(to));
  }
  return result;
}

function concatenate(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.byteLength;
  }
  return whole;
}
