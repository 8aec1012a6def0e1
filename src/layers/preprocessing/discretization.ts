import { tensor } from '../../array/tensor.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { toFloat } from '../../ops/operand.ts';
import { digitize } from '../../ops/sorting.ts';
import { anything, boolean, type Fields, nullable, number, type Options, positiveInteger } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { outputMode } from './category-encoding.ts';
import { type CategoryMode, encodeCategories } from './encode-categories.ts';

export interface DiscretizationConfig extends LayerConfig {
  /** The limits between bins, ascending; `null` until they are learnt from data. */
  binBoundaries: readonly number[] | null;
  numBins: number | null;
  epsilon: number;
  outputMode: CategoryMode | 'int';
  /** Kept for Keras; outputs are dense. */
  sparse: boolean;
}

/** The number of the bin in which each element lies, `[…]` int32, or its encoding `[…, bins]`. */
export class Discretization extends Layer<DiscretizationConfig> {
  static readonly className = 'Discretization';
  static readonly fields: Fields<DiscretizationConfig> = {
    ...layerFields,
    binBoundaries: anything<readonly number[] | null>(
      'a list of numbers or null',
      (value) => value === null || (Array.isArray(value) && value.every((limit) => typeof limit === 'number')),
      null,
    ),
    numBins: nullable(positiveInteger()),
    epsilon: number(0.01),
    outputMode: outputMode(['int', 'one_hot', 'multi_hot', 'count'], 'int'),
    sparse: boolean(false),
  };

  constructor(options: Options<DiscretizationConfig> = {}) {
    super(Discretization.className, Discretization.fields, options);
    if (this.config.binBoundaries === null && this.config.numBins === null) {
      throw new TypeError(
        'Cannot create Discretization: found neither binBoundaries nor numBins, expected one of them',
      );
    }
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { binBoundaries, outputMode: mode } = this.config;
    if (binBoundaries === null) {
      throw new RangeError(`Cannot apply layer "${this.name}": it has no binBoundaries yet`);
    }
    const bins = digitize(toFloat(x), tensor([...binBoundaries], [binBoundaries.length], 'float32'));
    return mode === 'int' ? bins : encodeCategories(bins, mode, binBoundaries.length + 1);
  }
}
