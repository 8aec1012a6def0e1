import { Tensor } from '../../src/array/tensor.ts';

/** Numbers of a linear congruential generator, so that every run of a test sees the same. */
export class SeededNumbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)] as T;
  }

  /** Floats from −1 to 1. */
  floats(length: number): Float32Array {
    return Float32Array.from({ length }, () => this.#next() * 2 - 1);
  }

  #next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    // The high bits are the better ones.
    return (this.#state >>> 8) / 2 ** 24;
  }
}

/** A tensor of floats from −1 to 1. */
export function seededTensor(seed: number, ...shape: number[]): Tensor<'float32'> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return new Tensor(shape, 'float32', new SeededNumbers(seed).floats(size));
}
