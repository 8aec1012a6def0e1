import type { FunctionBuilder, Local } from './assembler-function.ts';

/**
 * Numbers in vectors, set once before a loop: engines make a constant vector anew wherever it is used, which takes
 * longer than the multiplication.
 */
export class VectorConstants {
  readonly #f: FunctionBuilder;
  readonly #locals = new Map<number, Local>();

  constructor(f: FunctionBuilder, values: readonly number[]) {
    this.#f = f;
    for (const value of values) {
      if (this.#locals.has(value)) continue;
      const local = f.local('v128');
      f.f32(value).op('f32x4.splat').set(local);
      this.#locals.set(value, local);
    }
  }

  get(value: number): Local {
    const local = this.#locals.get(value);
    if (local === undefined) throw new RangeError(`Cannot use the number ${value}: it was not announced`);
    return local;
  }

  release(): void {
    this.#f.release(...this.#locals.values());
  }
}
