import { SymbolicTensor } from '../../graph/node.ts';
import { toFloat } from '../../ops/operand.ts';
import { boolean, type Field, type Fields, type Options, oneOf, positiveInteger } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';
import { type CategoryMode, encodeCategories } from './encode-categories.ts';

export interface CategoryEncodingConfig extends LayerConfig {
  numTokens: number;
  outputMode: CategoryMode;
  /** Kept for Keras; outputs are dense. */
  sparse: boolean;
}

/** The field `outputMode`; old files say `binary` for `multi_hot` and `tf-idf` for `tf_idf`. */
export function outputMode<const S extends string>(modes: readonly S[], fallback: NoInfer<S>): Field<S> {
  const field = oneOf(modes, fallback);
  const renamed: Readonly<Record<string, string>> = { binary: 'multi_hot', 'tf-idf': 'tf_idf' };
  return {
    ...field,
    parse: (value) => field.parse(typeof value === 'string' && Object.hasOwn(renamed, value) ? renamed[value] : value),
  };
}

/**
 * Encodes integers below `numTokens`, `[batch]` or `[batch, samples]`, as float32 vectors `[…, numTokens]`.
 *
 * The argument `countWeights`, of the inputs' shape, weighs each sample in the mode `count`.
 */
export class CategoryEncoding extends Layer<CategoryEncodingConfig> {
  static readonly className = 'CategoryEncoding';
  static readonly fields: Fields<CategoryEncodingConfig> = {
    ...layerFields,
    numTokens: positiveInteger(),
    outputMode: outputMode(['one_hot', 'multi_hot', 'count'], 'multi_hot'),
    sparse: boolean(false),
  };

  constructor(options: Options<CategoryEncodingConfig, 'numTokens'>) {
    super(CategoryEncoding.className, CategoryEncoding.fields, options);
  }

  override call([x, second]: readonly SymbolicTensor[], { kwargs }: CallContext): SymbolicTensor {
    const { numTokens, outputMode: mode } = this.config;
    const weights = kwargs.countWeights instanceof SymbolicTensor ? kwargs.countWeights : second;
    if (weights !== undefined && mode !== 'count') {
      throw new TypeError(
        `Cannot apply layer "${this.name}": found countWeights, which outputMode "${mode}" has no use for`,
      );
    }
    return encodeCategories(x as SymbolicTensor, mode, numTokens, weights && toFloat(weights));
  }
}
