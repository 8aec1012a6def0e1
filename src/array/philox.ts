/**
 * Philox 4×32 with ten rounds: a random generator without state. The block number `n` under a key is a function of
 * `n` and the key alone, so any part of a stream can be drawn by itself, and a run is repeated from two numbers.
 *
 * Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011), section 3.3.
 */

/** Four 32-bit words: the number of a block, or its random bits. */
export type PhiloxBlock = readonly [number, number, number, number];

/** Two 32-bit words that choose the stream. */
export type PhiloxKey = readonly [number, number];

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;

/** The random bits of one block. */
export function philoxBlock(counter: PhiloxBlock, key: PhiloxKey): PhiloxBlock {
  let [x0, x1, x2, x3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, x0);
    const low0 = Math.imul(MULTIPLIER_0, x0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, x2);
    const low1 = Math.imul(MULTIPLIER_1, x2) >>> 0;
    x0 = (high1 ^ x1 ^ k0) >>> 0;
    x1 = low1;
    x2 = (high0 ^ x3 ^ k1) >>> 0;
    x3 = low0;
    k0 = (k0 + KEY_STEP_0) >>> 0;
    k1 = (k1 + KEY_STEP_1) >>> 0;
  }
  return [x0, x1, x2, x3];
}

/** Upper half of the 64-bit product of two 32-bit words, from products that a double holds exactly. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const low = aLow * (b >>> 0);
  const high = aHigh * (b >>> 0) + Math.floor(low / 0x10000);
  return Math.floor(high / 0x10000) >>> 0;
}

/** The key of a seed: a whole number, of which the lower 64 bits count. */
export function philoxKey(seed: number): PhiloxKey {
  const low = seed >>> 0;
  return [low, Math.floor((seed - low) / 0x1_0000_0000) >>> 0];
}

/** A seed that no one can foresee. */
export function freshSeed(): number {
  return globalThis.crypto.getRandomValues(new Uint32Array(1))[0] as number;
}

/** Draws one number after another from the stream of a seed. */
export class PhiloxStream {
  readonly #key: PhiloxKey;
  #counter = 0;
  #block: PhiloxBlock = [0, 0, 0, 0];
  #used = 4;
  #spareNormal: number | undefined;

  /** @param drawn how many words have been drawn already, by another stream of this seed */
  constructor(seed: number, drawn = 0) {
    this.#key = philoxKey(seed);
    this.#counter = Math.floor(drawn / 4);
    for (let word = 0; word < drawn % 4; word++) this.nextBits();
  }

  /** How many words have been drawn. */
  get drawn(): number {
    return 4 * this.#counter - (4 - this.#used);
  }

  /** 32 random bits, as a whole number of at least 0. */
  nextBits(): number {
    if (this.#used === 4) {
      const high = Math.floor(this.#counter / 0x1_0000_0000);
      this.#block = philoxBlock([this.#counter >>> 0, high, 0, 0], this.#key);
      this.#counter++;
      this.#used = 0;
    }
    return this.#block[this.#used++] as number;
  }

  /** Uniform in [0, 1), a multiple of 2⁻²⁴, so that float32 holds it exactly. */
  nextUniform(): number {
    return (this.nextBits() >>> 8) * 2 ** -24;
  }

  /** From the standard normal distribution, by Box and Muller's formula, which gives two at a time. */
  nextNormal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    // 1 − u lies in (0, 1], so that the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - this.nextUniform()));
    const angle = 2 * Math.PI * this.nextUniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** From the standard normal distribution without what lies more than two deviations from 0. */
  nextTruncatedNormal(): number {
    for (;;) {
      const value = this.nextNormal();
      if (Math.abs(value) <= 2) return value;
    }
  }
}
