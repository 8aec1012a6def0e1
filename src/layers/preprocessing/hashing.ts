import type { SymbolicTensor } from '../../graph/node.ts';
import { squeeze } from '../../ops/shape.ts';
import { anything, boolean, type Field, type Fields, type Options, oneOf, positiveInteger } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { outputMode } from './category-encoding.ts';
import { type CategoryMode, encodeCategories } from './encode-categories.ts';
import { fingerprint64, hashBucket, joinFingerprints } from './hash64.ts';
import { asText, mapToIntegers, type Token } from './host-function.ts';

export interface HashingConfig extends LayerConfig {
  numBins: number;
  /** What goes into bin 0, which nothing else does then. */
  maskValue: Token | null;
  /** A key for SipHash, two integers; `null` for FarmHash. */
  salt: readonly number[] | null;
  outputMode: CategoryMode | 'int';
  /** Kept for Keras; outputs are dense. */
  sparse: boolean;
}

/** `null`, an integer, which stands for two of it, or two integers. */
export function salt(): Field<readonly number[] | null> {
  const field = anything<readonly number[] | null>(
    'an integer, two integers, or null',
    (value) => value === null || (Array.isArray(value) && value.length === 2 && value.every(Number.isSafeInteger)),
    null,
  );
  return { ...field, parse: (value) => field.parse(Number.isSafeInteger(value) ? [value, value] : value) };
}

/** Puts strings or integers into bins by a hash: int32 `[…]`, or their encoding `[…, numBins]`. */
export class Hashing extends Layer<HashingConfig> {
  static readonly className = 'Hashing';
  static readonly fields: Fields<HashingConfig> = {
    ...layerFields,
    numBins: positiveInteger(),
    maskValue: anything<Token | null>(
      'a string, a number, or null',
      (value) => value === null || typeof value === 'string' || typeof value === 'number',
      null,
    ),
    salt: salt(),
    outputMode: outputMode(['int', 'one_hot', 'multi_hot', 'count'], 'int'),
    sparse: boolean(false),
  };

  constructor(options: Omit<Options<HashingConfig, 'numBins'>, 'salt'> & { salt?: number | readonly number[] | null }) {
    super(Hashing.className, Hashing.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { numBins, maskValue, outputMode: mode } = this.config;
    const isColumn = mode === 'one_hot' && x.shape.at(-1) === 1;
    const hasMask = maskValue !== null && numBins > 1;
    const bins = mapToIntegers(`${this.name}/hash`, [isColumn ? squeeze(x, -1) : x], (token) => {
      if (hasMask && token === maskValue) return 0;
      const bucket = hashBucket(asText(token as Token), hasMask ? numBins - 1 : numBins, this.config.salt);
      return hasMask ? bucket + 1 : bucket;
    });
    return mode === 'int' ? bins : encodeCategories(bins, mode, numBins);
  }
}

export interface HashedCrossingConfig extends LayerConfig {
  numBins: number;
  outputMode: 'int' | 'one_hot';
  /** Kept for Keras; outputs are dense. */
  sparse: boolean;
}

/** TensorFlow's key for crossed features. */
const CROSSING_KEY = 0xdecafcaffen;

const encoder = new TextEncoder();

/**
 * Puts combinations of features into bins by a hash. Inputs are two or more tensors of strings or integers,
 * `[batch]` or `[batch, 1]`.
 */
export class HashedCrossing extends Layer<HashedCrossingConfig> {
  static readonly className = 'HashedCrossing';
  static readonly fields: Fields<HashedCrossingConfig> = {
    ...layerFields,
    numBins: positiveInteger(),
    outputMode: oneOf(['int', 'one_hot'], 'int'),
    sparse: boolean(false),
  };

  constructor(options: Options<HashedCrossingConfig, 'numBins'>) {
    super(HashedCrossing.className, HashedCrossing.fields, options);
  }

  override call(inputs: readonly SymbolicTensor[]): SymbolicTensor {
    const { numBins, outputMode: mode } = this.config;
    const bins = mapToIntegers(`${this.name}/cross`, inputs, (...tokens) => {
      const hash = tokens.reduce((joined: bigint, token) => joinFingerprints(joined, feature(token)), CROSSING_KEY);
      return Number(hash % BigInt(numBins));
    });
    return mode === 'int' ? bins : encodeCategories(bins, mode, numBins);
  }
}

/** Strings count by their fingerprint, integers as they are. */
function feature(token: Token): bigint {
  return typeof token === 'string' ? fingerprint64(encoder.encode(token)) : BigInt.asUintN(64, BigInt(token));
}
