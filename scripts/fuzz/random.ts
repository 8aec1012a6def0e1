/** Random choices that a seed and a name repeat. */
import { PhiloxStream } from '../../src/array/philox.ts';

export class Random {
  readonly #stream: PhiloxStream;

  /** @param words Each pair of a seed and a list of words has choices of its own. */
  constructor(seed: number, ...words: readonly (string | number)[]) {
    let hash = seed >>> 0;
    for (const character of words.join('/')) {
      hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193) >>> 0;
    }
    this.#stream = new PhiloxStream(seed * 2 ** 32 + hash);
  }

  /** A whole number below `end`. */
  below(end: number): number {
    return Math.floor((this.#stream.nextBits() / 2 ** 32) * end);
  }

  /** A whole number below `end`, small ones more often. */
  small(end: number): number {
    return this.below(1 + this.below(end));
  }

  chance(probability: number): boolean {
    return this.#stream.nextBits() / 2 ** 32 < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}
