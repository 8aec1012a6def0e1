import type { Tensor } from '../../array/tensor.ts';
import { tensor } from '../../array/tensor.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { multiply } from '../../ops/elementwise.ts';
import type { AssetLayer } from '../asset-layer.ts';
import { anything, boolean, type Field, type Fields, integer, nullable, oneOf, positiveInteger } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { outputMode } from './category-encoding.ts';
import { type CategoryMode, encodeCategories } from './encode-categories.ts';
import { hashBucket } from './hash64.ts';
import { salt } from './hashing.ts';
import { asText, type Token } from './host-function.ts';

export interface IndexLookupConfig<T extends Token> extends LayerConfig {
  /** Greatest size of the vocabulary, special tokens among it. */
  maxTokens: number | null;
  /** Number of indices for tokens that the vocabulary has not; 0 refuses them. */
  numOovIndices: number;
  /** What stands for nothing: index 0 in the mode `int`, left out in the others. */
  maskToken: T | null;
  oovToken: T | null;
  vocabulary: readonly T[] | null;
  /** Weight of each token in the mode `tf_idf`. */
  idfWeights: readonly number[] | null;
  /** Whether to go from indices to tokens. */
  invert: boolean;
  outputMode: CategoryMode | 'int' | 'tf_idf';
  /** Kept for Keras; outputs are dense. */
  sparse: boolean;
  /** Whether encodings have `maxTokens` elements even if the vocabulary is smaller. */
  padToMaxTokens: boolean;
  /** Size of the vocabulary where it is an asset. */
  vocabularySize: number | null;
  oovMethod: 'floormod' | 'farmhash';
  salt: readonly number[] | null;
  /** Kept for Keras 2: whether the vocabulary was given, not learnt. */
  hasInputVocabulary: boolean | null;
}

/** A token, or `null`. */
export function token<T extends Token>(isToken: (value: unknown) => value is T, fallback: T | null): Field<T | null> {
  return anything<T | null>('a token or null', (value) => value === null || isToken(value), fallback);
}

/** A list of tokens, or `null`. */
export function vocabulary<T extends Token>(isToken: (value: unknown) => value is T): Field<readonly T[] | null> {
  return anything<readonly T[] | null>(
    'a list of tokens or null',
    (value) => value === null || (Array.isArray(value) && value.every(isToken)),
    null,
  );
}

/** A list of numbers, or `null`. */
export function weights(): Field<readonly number[] | null> {
  return anything<readonly number[] | null>(
    'a list of numbers or null',
    (value) => value === null || (Array.isArray(value) && value.every((weight) => typeof weight === 'number')),
    null,
  );
}

/** The fields that lookups of all kinds of tokens have. */
export const lookupFields: Fields<Omit<IndexLookupConfig<Token>, 'maskToken' | 'oovToken' | 'vocabulary'>> = {
  ...layerFields,
  maxTokens: nullable(positiveInteger()),
  numOovIndices: integer(1),
  idfWeights: weights(),
  invert: boolean(false),
  outputMode: outputMode(['int', 'one_hot', 'multi_hot', 'count', 'tf_idf'], 'int'),
  sparse: boolean(false),
  padToMaxTokens: boolean(false),
  vocabularySize: nullable(integer()),
  oovMethod: oneOf(['floormod', 'farmhash'], 'floormod'),
  salt: salt(),
  hasInputVocabulary: nullable(boolean()),
};

/**
 * Translates tokens into indices of a vocabulary, or back.
 *
 * Index 0 is the mask token in the mode `int`, if there is one; then come the indices for unknown tokens, then the
 * vocabulary. The vocabulary is given, or comes from the asset `vocabulary.txt`.
 */
export abstract class IndexLookup<T extends Token, C extends IndexLookupConfig<T>>
  extends Layer<C>
  implements AssetLayer
{
  #tokens: readonly T[] | undefined;
  #indices: ReadonlyMap<T, number> = new Map();
  #idfWeights: Float32Array | undefined;

  constructor(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>) {
    super(className, fields, options);
    const { vocabulary: given, idfWeights, invert, outputMode: mode, padToMaxTokens, maxTokens } = this.config;
    if (invert && mode !== 'int') {
      throw new TypeError(`Cannot create ${className}: invert goes with outputMode "int", found "${mode}"`);
    }
    if (padToMaxTokens && maxTokens === null) {
      throw new TypeError(`Cannot create ${className}: padToMaxTokens needs maxTokens`);
    }
    if (given !== null) this.setVocabulary(given, idfWeights ?? undefined);
  }

  /** A token of this kind from a line of `vocabulary.txt`. */
  protected abstract readToken(line: string): T | undefined;

  /** The token as a hash takes it, or the index among those for unknown tokens, if that needs no hash. */
  protected abstract oovIndex(token: T): number;

  /**
   * Replaces the vocabulary, which may begin with the special tokens.
   *
   * @throws {TypeError} when it is empty, repeats a token, or is too large, or when the weights do not fit.
   */
  setVocabulary(tokens: readonly T[], idfWeights?: ArrayLike<number>): void {
    const { maskToken, oovToken, numOovIndices, maxTokens, outputMode: mode } = this.config;
    const special = [
      ...new Array<T | null>(this.oovStart).fill(maskToken),
      ...new Array<T | null>(numOovIndices).fill(oovToken),
    ];
    const hasSpecial = special.every((each, index) => each === tokens[index]);
    const own = hasSpecial ? tokens.slice(special.length) : tokens;
    const fail = (found: string): never => {
      throw new TypeError(`Cannot set the vocabulary of layer "${this.name}": found ${found}`);
    };
    if (tokens.length === 0) fail('no tokens');
    const indices = new Map(own.map((each, index): [T, number] => [each, this.tokenStart + index]));
    if (indices.size !== own.length) fail('a token twice');
    if (maskToken !== null && indices.has(maskToken))
      fail(`the mask token ${JSON.stringify(maskToken)} among the tokens`);
    const size = this.tokenStart + own.length;
    if (maxTokens !== null && size > maxTokens) fail(`${size} tokens, expected at most ${maxTokens}`);
    this.#tokens = own;
    this.#indices = indices;
    if (mode !== 'tf_idf' || idfWeights === undefined) return;
    if (idfWeights.length !== tokens.length) fail(`${tokens.length} tokens and ${idfWeights.length} weights`);
    this.#idfWeights = this.#paddedWeights(Array.from(idfWeights), hasSpecial);
  }

  /** Weights for all indices: unknown tokens weigh the mean, indices beyond the vocabulary nothing. */
  #paddedWeights(given: readonly number[], hasSpecial: boolean): Float32Array {
    const mean = given.reduce((sum, weight) => sum + weight, 0) / given.length;
    const front = hasSpecial ? [] : new Array<number>(this.tokenStart).fill(mean);
    const padded = new Float32Array(this.depth);
    padded.set([...front, ...given]);
    return padded;
  }

  /** All tokens, the special ones first; the place of each is its index. */
  get vocabulary(): readonly (T | null)[] {
    const { maskToken, oovToken, numOovIndices } = this.config;
    return [
      ...new Array<T | null>(this.oovStart).fill(maskToken),
      ...new Array<T | null>(numOovIndices).fill(oovToken),
      ...this.tokens,
    ];
  }

  loadAssets(files: ReadonlyMap<string, Uint8Array>): void {
    if (this.config.vocabulary !== null) return;
    const file = files.get('vocabulary.txt');
    if (file === undefined) {
      const found = [...files.keys()].join(', ') || 'nothing';
      throw new FormatError(`Cannot load layer "${this.name}": found ${found}, expected the asset vocabulary.txt`);
    }
    const lines = new TextDecoder().decode(file).split(LINE_BREAK);
    while (lines.at(-1) === '') lines.pop();
    const tokens = lines.map((line) => {
      const read = this.readToken(line);
      if (read !== undefined) return read;
      throw new FormatError(`Cannot load layer "${this.name}": found the token ${JSON.stringify(line)}`, {
        file: 'vocabulary.txt',
      });
    });
    this.setVocabulary(tokens, this.#idfWeights);
  }

  loadValues(values: ReadonlyMap<string, Tensor>): void {
    const weights = values.get('idf_weights');
    if (this.config.outputMode === 'tf_idf' && weights !== undefined) {
      this.#idfWeights = Float32Array.from(weights.data as Float32Array);
    }
  }

  saveAssets(): ReadonlyMap<string, Uint8Array> {
    if (this.config.vocabulary !== null || !this.hasAssets) return new Map();
    const lines = this.vocabulary.map((each) => String(each ?? ''));
    const broken = lines.find((line) => [...line].some((letter) => PYTHON_LINE_BREAKS.includes(letter)));
    if (broken !== undefined) {
      throw new UnsupportedError(
        `Cannot save layer "${this.name}": found the token ${JSON.stringify(broken)}, expected no line breaks in ` +
          'tokens, which the asset vocabulary.txt has line by line; give the vocabulary as an option',
        'a token with a line break',
      );
    }
    return new Map([['vocabulary.txt', new TextEncoder().encode(lines.join('\n'))]]);
  }

  saveValues(): ReadonlyMap<string, Tensor> {
    const weights = this.config.outputMode === 'tf_idf' ? this.#idfWeights : undefined;
    return weights === undefined ? new Map() : new Map([['idf_weights', tensor(weights)]]);
  }

  /** Whether a vocabulary was given or loaded. */
  get hasAssets(): boolean {
    return this.#tokens !== undefined;
  }

  /** The tokens without the special ones. */
  protected get tokens(): readonly T[] {
    if (this.#tokens !== undefined) return this.#tokens;
    throw new RangeError(
      `Cannot run layer "${this.name}": it has no vocabulary; give one, or load a file with the asset vocabulary.txt`,
    );
  }

  /** The first index for unknown tokens. */
  protected get oovStart(): number {
    return this.config.maskToken !== null && this.config.outputMode === 'int' ? 1 : 0;
  }

  /** The index of the first token. */
  protected get tokenStart(): number {
    return this.oovStart + this.config.numOovIndices;
  }

  /** Number of elements of an encoding. */
  get depth(): number {
    const { padToMaxTokens, maxTokens, vocabularySize } = this.config;
    if (padToMaxTokens) return maxTokens as number;
    if (this.#tokens === undefined && vocabularySize !== null) return vocabularySize;
    return this.tokenStart + this.tokens.length;
  }

  /**
   * The index of a token; −1 for one that encodings leave out.
   *
   * @throws {RangeError} when the vocabulary has not the token, and there is no index for such.
   */
  indexOf(token: T): number {
    const { maskToken, numOovIndices, outputMode: mode } = this.config;
    if (maskToken !== null && token === maskToken) return mode === 'int' ? 0 : -1;
    const index = this.#indices.get(token);
    if (index !== undefined) return index;
    if (!this.hasAssets) return this.tokens.length;
    if (numOovIndices === 0) {
      throw new RangeError(
        `Cannot run layer "${this.name}": found ${JSON.stringify(token)}, which the vocabulary has not; ` +
          'expected tokens of the vocabulary, since numOovIndices is 0',
      );
    }
    return this.oovStart + (numOovIndices === 1 ? 0 : this.oovIndex(token));
  }

  /** The bucket of an unknown token by its hash. */
  protected hashedOovIndex(token: T): number {
    return hashBucket(asText(token), this.config.numOovIndices, this.config.salt);
  }

  /** The weight of each index in the mode `tf_idf`. */
  get idfWeights(): Float32Array {
    if (this.#idfWeights !== undefined) return this.#idfWeights;
    // While a model is put together its file was not read yet, and only shapes count.
    if (!this.hasAssets) return new Float32Array(this.depth);
    throw new RangeError(`Cannot run layer "${this.name}": it has no idfWeights, which outputMode "tf_idf" needs`);
  }

  /** Indices in the output mode of the layer. */
  encode(indices: SymbolicTensor): SymbolicTensor {
    const { outputMode: mode } = this.config;
    if (mode === 'int') return indices;
    if (mode !== 'tf_idf') return encodeCategories(indices, mode, this.depth);
    return multiply(encodeCategories(indices, 'count', this.depth), tensor(this.idfWeights));
  }
}

/**
 * What ends a line. Keras writes `\n` alone, which Windows turns into two characters; its reader splits at ten others
 * too, and so loses tokens that contain them.
 */
const LINE_BREAK = /\r?\n/;

/** Everything at which Python's reader of the asset ends a line. */
const PYTHON_LINE_BREAKS = '\n\r\v\f\u001c\u001d\u001e\u0085\u2028\u2029';
