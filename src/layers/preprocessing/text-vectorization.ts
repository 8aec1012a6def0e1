import type { Shape } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { ShapeError, UnsupportedError } from '../../errors.ts';
import { apply } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { AssetLayer } from '../asset-layer.ts';
import {
  anything,
  boolean,
  type Field,
  type Fields,
  integer,
  nullable,
  type Options,
  positiveInteger,
  string,
} from '../fields.ts';
import { Layer, type LayerConfig, layerFields, type Sublayers } from '../layer.ts';
import { outputMode } from './category-encoding.ts';
import type { CategoryMode } from './encode-categories.ts';
import { vocabulary, weights } from './index-lookup.ts';
import { StringLookup } from './string-lookup.ts';

/** How a text is made uniform: a rule of Keras', a function, or `null` for not at all. */
export type Standardize = 'lower_and_strip_punctuation' | 'lower' | 'strip_punctuation' | ((text: string) => string);

/** How a text is cut into tokens: a rule of Keras', a function, or `null` for not at all. */
export type Split = 'whitespace' | 'character' | ((text: string) => readonly string[]);

export interface TextVectorizationConfig extends LayerConfig {
  maxTokens: number | null;
  standardize: Standardize | null;
  split: Split | null;
  /** Lengths of the groups of tokens that count as one: a list, or a number for all up to it. */
  ngrams: number | readonly number[] | null;
  outputMode: CategoryMode | 'int' | 'tf_idf';
  /** Number of tokens in the mode `int`, to which texts are filled with 0 or cut. */
  outputSequenceLength: number | null;
  padToMaxTokens: boolean;
  vocabulary: readonly string[] | null;
  idfWeights: readonly number[] | null;
  /** Kept for Keras; outputs are dense. */
  sparse: boolean;
  /** Kept for Keras; outputs are dense. */
  ragged: boolean;
  /** Kept for Keras; strings are Unicode here. */
  encoding: string;
  vocabularySize: number | null;
  hasInputVocabulary: boolean | null;
}

export type TextVectorizationOptions = Omit<
  Options<TextVectorizationConfig>,
  'vocabulary' | 'idfWeights' | 'ngrams' | 'standardize' | 'split'
> & {
  readonly vocabulary?: readonly string[] | null;
  readonly idfWeights?: readonly number[] | null;
  readonly ngrams?: number | readonly number[] | null;
  readonly standardize?: Standardize | null;
  readonly split?: Split | null;
};

const isString = (value: unknown): value is string => typeof value === 'string';

function rule<T>(names: readonly string[], fallback: T): Field<T | null> {
  return anything<T | null>(
    `${names.map((name) => `"${name}"`).join(', ')}, a function, or null`,
    (value) => value === null || typeof value === 'function' || names.some((name) => name === value),
    fallback,
  );
}

function ngrams(): Field<number | readonly number[] | null> {
  const isLength = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
  return anything<number | readonly number[] | null>(
    'an integer above 0, a list of such, or null',
    (value) => value === null || isLength(value) || (Array.isArray(value) && value.every(isLength)),
    null,
  );
}

/**
 * Turns texts `[batch]` or `[batch, 1]` into indices of their tokens, int32 `[batch, outputSequenceLength]`, or into
 * one vector for each text, float32 `[batch, size]`.
 *
 * Without `split`, each string of `[batch, tokens]` is a token.
 */
export class TextVectorization extends Layer<TextVectorizationConfig> implements AssetLayer {
  static readonly className = 'TextVectorization';
  static readonly fields: Fields<TextVectorizationConfig> = {
    ...layerFields,
    maxTokens: nullable(positiveInteger()),
    standardize: rule<Standardize>(
      ['lower_and_strip_punctuation', 'lower', 'strip_punctuation'],
      'lower_and_strip_punctuation',
    ),
    split: rule<Split>(['whitespace', 'character'], 'whitespace'),
    ngrams: ngrams(),
    outputMode: outputMode(['int', 'one_hot', 'multi_hot', 'count', 'tf_idf'], 'int'),
    outputSequenceLength: nullable(integer()),
    padToMaxTokens: boolean(false),
    vocabulary: vocabulary(isString),
    idfWeights: weights(),
    sparse: boolean(false),
    ragged: boolean(false),
    encoding: string('utf-8'),
    vocabularySize: nullable(integer()),
    hasInputVocabulary: nullable(boolean()),
  };
  /** Translates tokens into indices; it holds the vocabulary. */
  readonly lookup: StringLookup;

  constructor(options: TextVectorizationOptions = {}) {
    super(TextVectorization.className, TextVectorization.fields, options);
    const { maxTokens, idfWeights, padToMaxTokens, outputMode: mode, vocabularySize } = this.config;
    this.lookup = new StringLookup({
      name: 'string_lookup',
      maskToken: '',
      maxTokens,
      vocabulary: this.config.vocabulary,
      idfWeights,
      padToMaxTokens,
      outputMode: mode,
      vocabularySize,
    });
    if (mode === 'one_hot') {
      throw new UnsupportedError(
        'Cannot create TextVectorization: with outputMode "one_hot" the number of tokens decides the output\'s shape',
        'TextVectorization with outputMode "one_hot"',
      );
    }
  }

  override get sublayers(): Sublayers {
    return { _lookupLayer: this.lookup };
  }

  get hasAssets(): boolean {
    return this.lookup.hasAssets;
  }

  loadAssets(files: ReadonlyMap<string, Uint8Array>): void {
    this.lookup.loadAssets(files);
  }

  loadValues(values: ReadonlyMap<string, Tensor>): void {
    this.lookup.loadValues(values);
  }

  saveAssets(): ReadonlyMap<string, Uint8Array> {
    return this.lookup.saveAssets();
  }

  saveValues(): ReadonlyMap<string, Tensor> {
    return this.lookup.saveValues();
  }

  /** The tokens of a text, groups of tokens included. */
  tokensOf(text: string): readonly string[] {
    const { split } = this.config;
    return this.#grouped(split === null ? [this.#standard(text)] : cut(this.#standard(text), split));
  }

  #standard(text: string): string {
    const { standardize } = this.config;
    if (typeof standardize === 'function') return standardize(text);
    const lower = standardize?.startsWith('lower') ? text.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : text;
    return standardize?.endsWith('strip_punctuation') ? lower.replace(PUNCTUATION, '') : lower;
  }

  #grouped(tokens: readonly string[]): readonly string[] {
    const { ngrams: given } = this.config;
    if (given === null) return tokens;
    const lengths = typeof given === 'number' ? Array.from({ length: given }, (_, index) => index + 1) : given;
    return lengths.flatMap((length) =>
      Array.from({ length: Math.max(0, tokens.length - length + 1) }, (_, start) =>
        tokens.slice(start, start + length).join(' '),
      ),
    );
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { outputMode: mode, split } = this.config;
    const texts = this.#textShape(x.shape);
    const length = mode === 'int' ? this.#length(x.shape) : undefined;
    const width = length ?? this.lookup.depth;
    const run = ([values]: readonly Tensor[]): readonly Tensor[] => {
      const strings = (values as Tensor<'string'>).data;
      const rows =
        split === null
          ? rowsOf(
              strings,
              texts.reduce((size, extent) => size * extent, 1),
            )
          : undefined;
      const count = rows?.length ?? strings.length;
      const data = mode === 'int' ? new Int32Array(count * width) : new Float32Array(count * width);
      for (let row = 0; row < count; row++) {
        const tokens = rows?.[row]?.map((text) => this.#standard(text)) ?? this.tokensOf(strings[row] as string);
        this.#write(data, row * width, width, rows === undefined ? tokens : this.#grouped(tokens));
      }
      return [new Tensor([...texts, width], mode === 'int' ? 'int32' : 'float32', data as never)];
    };
    const output = { shape: [...texts, width], dtype: mode === 'int' ? ('int32' as const) : ('float32' as const) };
    return apply('host', [x], { name: `${this.name}/vectorize`, outputs: [output], run });
  }

  #write(data: Int32Array | Float32Array, offset: number, width: number, tokens: readonly string[]): void {
    const { outputMode: mode } = this.config;
    if (mode === 'int') {
      for (const [index, token] of tokens.slice(0, width).entries()) data[offset + index] = this.lookup.indexOf(token);
      return;
    }
    for (const token of tokens) {
      const index = this.lookup.indexOf(token);
      if (index < 0 || index >= width) continue;
      data[offset + index] = mode === 'multi_hot' ? 1 : (data[offset + index] as number) + 1;
    }
    if (mode !== 'tf_idf') return;
    for (const [index, weight] of this.lookup.idfWeights.entries()) {
      data[offset + index] = (data[offset + index] as number) * weight;
    }
  }

  /** The axes that are texts: all, but a last one of extent 1; without splitting, all but the last. */
  #textShape(shape: Shape): Shape {
    if (this.config.split === null) return shape.slice(0, -1);
    if (shape.length <= 1) return shape;
    if (shape.at(-1) === 1) return shape.slice(0, -1);
    throw new ShapeError(
      `Cannot apply layer "${this.name}": found texts of shape [${shape.join(', ')}], expected [batch] or [batch, 1]`,
    );
  }

  #length(shape: Shape): number {
    const { outputSequenceLength, split, ngrams: groups } = this.config;
    if (outputSequenceLength !== null) return outputSequenceLength;
    if (split === null && groups === null) return shape.at(-1) as number;
    throw new UnsupportedError(
      `Cannot apply layer "${this.name}": without outputSequenceLength the texts decide the output's shape; ` +
        'give an outputSequenceLength',
      'TextVectorization without outputSequenceLength',
    );
  }
}

/** The characters that Keras takes out: ASCII's punctuation. */
const PUNCTUATION = /[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~']/g;

/** ASCII's white space, at which TensorFlow splits; white space at the ends counts for nothing. */
const WHITE_SPACE = /[ \t\n\v\f\r]+/;

function cut(text: string, split: Split): readonly string[] {
  if (typeof split === 'function') return split(text);
  return split === 'character' ? [...text] : text.split(WHITE_SPACE).filter((token) => token !== '');
}

/** A flat list as so many rows. */
function rowsOf(values: readonly string[], count: number): readonly (readonly string[])[] {
  const width = count === 0 ? 0 : values.length / count;
  return Array.from({ length: count }, (_, row) => values.slice(row * width, (row + 1) * width));
}
