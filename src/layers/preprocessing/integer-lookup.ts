import { tensor } from '../../array/tensor.ts';
import { UnsupportedError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { equal, less, lessEqual, logicalAnd, where } from '../../ops/compare.ts';
import { zerosLike } from '../../ops/creation.ts';
import { add, clip, minimum, mod } from '../../ops/elementwise.ts';
import { take } from '../../ops/indexing.ts';
import { cast } from '../../ops/operand.ts';
import { type Fields, type Options, oneOf } from '../fields.ts';
import { mapToIntegers } from './host-function.ts';
import { IndexLookup, type IndexLookupConfig, lookupFields, token, vocabulary } from './index-lookup.ts';

export interface IntegerLookupConfig extends IndexLookupConfig<number> {
  vocabularyDtype: 'int64' | 'int32';
}

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);

/** Translates integers into indices of a vocabulary, int32 `[…]` or encodings `[…, size]`, or back. */
export class IntegerLookup extends IndexLookup<number, IntegerLookupConfig> {
  static readonly className = 'IntegerLookup';
  static readonly fields: Fields<IntegerLookupConfig> = {
    ...lookupFields,
    maskToken: token(isInteger, null),
    oovToken: token(isInteger, -1),
    vocabulary: vocabulary(isInteger),
    vocabularyDtype: oneOf(['int64', 'int32'], 'int64'),
  };

  constructor(
    options: Omit<Options<IntegerLookupConfig>, 'vocabulary'> & { vocabulary?: readonly number[] | null } = {},
  ) {
    super(IntegerLookup.className, IntegerLookup.fields, options);
  }

  /** @throws {UnsupportedError} when a token has more than 32 bits, which programs do not compute with. */
  override setVocabulary(tokens: readonly number[], idfWeights?: ArrayLike<number>): void {
    const wide = tokens.find((each) => each !== (each | 0));
    if (wide !== undefined) {
      throw new UnsupportedError(
        `Cannot set the vocabulary of layer "${this.name}": found ${wide}, expected integers of 32 bits`,
        'integers of 64 bits',
      );
    }
    super.setVocabulary(tokens, idfWeights);
  }

  protected override readToken(line: string): number | undefined {
    return /^\s*[+-]?\d+\s*$/.test(line) ? Number(line) : undefined;
  }

  protected override oovIndex(value: number): number {
    const { numOovIndices, oovMethod } = this.config;
    if (oovMethod === 'farmhash') return this.hashedOovIndex(value);
    return ((value % numOovIndices) + numOovIndices) % numOovIndices;
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const values = cast(x, 'int32');
    if (this.config.invert) return this.#tokenAt(values);
    // Hashes and errors are the host's; everything else a program computes, wherever the integers come from.
    const isPlain = this.config.numOovIndices === 1 || this.config.oovMethod === 'floormod';
    return this.encode(
      this.hasAssets && isPlain && this.config.numOovIndices > 0
        ? this.#indicesOf(values)
        : mapToIntegers(`${this.name}/lookup`, [x], (value) => this.indexOf(Math.trunc(value as number))),
    );
  }

  #tokenAt(indices: SymbolicTensor): SymbolicTensor {
    const { oovToken } = this.config;
    const all = this.hasAssets ? this.vocabulary.map((each) => each ?? -1) : [];
    const table = [...all, oovToken ?? -1];
    const isKnown = logicalAnd(lessEqual(0, indices), less(indices, all.length));
    const places = where(isKnown, clip(indices, 0, all.length), all.length);
    return take(tensor(Int32Array.from(table)), places, 0);
  }

  /** A binary search in the sorted tokens, the same steps for every element. */
  #indicesOf(values: SymbolicTensor): SymbolicTensor {
    const { tokens, tokenStart } = this;
    const { maskToken, numOovIndices, outputMode } = this.config;
    const order = Int32Array.from(tokens.keys()).sort((a, b) => (tokens[a] as number) - (tokens[b] as number));
    const sorted = tensor(order.map((index) => tokens[index] as number));
    let place = zerosLike(values);
    for (let step = 2 ** Math.floor(Math.log2(Math.max(tokens.length, 1))); step >= 1; step /= 2) {
      const next = add(place, step);
      const candidate = take(sorted, minimum(next, tokens.length - 1), 0);
      const isBefore = logicalAnd(less(next, tokens.length), lessEqual(candidate, values));
      place = where(isBefore, next, place);
    }
    const unknown = numOovIndices === 1 ? this.oovStart : add(mod(values, numOovIndices), this.oovStart);
    const found = add(take(tensor(order), place, 0), tokenStart);
    const indices = where(equal(take(sorted, place, 0), values), found, unknown);
    return maskToken === null ? indices : where(equal(values, maskToken), outputMode === 'int' ? 0 : -1, indices);
  }
}
