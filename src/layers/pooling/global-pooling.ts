/** Layers that join all elements of each channel. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { where } from '../../ops/compare.ts';
import { divide } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { max, mean, sum } from '../../ops/reduce.ts';
import { expandDims } from '../../ops/shape.ts';
import { type DataFormat, dataFormat, spatialAxesOf } from '../data-format.ts';
import { boolean, type Fields, type Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface GlobalPoolingConfig extends LayerConfig {
  dataFormat: DataFormat;
  /** Whether the joined axes stay, with extent 1. */
  keepdims: boolean;
}

export type GlobalPoolingOptions = Options<GlobalPoolingConfig>;

const globalFields: Fields<GlobalPoolingConfig> = {
  ...layerFields,
  dataFormat: dataFormat(),
  keepdims: boolean(false),
};

abstract class GlobalPooling extends Layer<GlobalPoolingConfig> {
  protected abstract readonly join: typeof mean;
  /** Number of spatial axes. */
  protected abstract readonly rank: number;

  override call([x]: readonly [SymbolicTensor], _context: CallContext): SymbolicTensor {
    const { dataFormat, keepdims } = this.config;
    return this.join(x, spatialAxesOf(this.name, x.shape, this.rank, dataFormat), keepdims);
  }
}

/** The mean over the steps of `[batch, steps, channels]` that the mask lets count. */
export class GlobalAveragePooling1D extends GlobalPooling {
  static readonly className = 'GlobalAveragePooling1D';
  static readonly fields: Fields<GlobalPoolingConfig> = globalFields;
  override readonly supportsMasking = true;
  override readonly hasMaskArgument = true;
  protected override readonly join: typeof mean = mean;
  protected override readonly rank = 1;

  constructor(options: GlobalPoolingOptions = {}) {
    super(GlobalAveragePooling1D.className, GlobalAveragePooling1D.fields, options);
  }

  override call(inputs: readonly [SymbolicTensor], context: CallContext): SymbolicTensor {
    const mask = context.masks[0];
    if (mask === undefined) return super.call(inputs, context);
    const { dataFormat, keepdims } = this.config;
    const steps = dataFormat === 'channels_last' ? 1 : 2;
    const counts = expandDims(mask, dataFormat === 'channels_last' ? 2 : 1);
    const total = sum(where(counts, toFloat(inputs[0]), 0), steps, keepdims);
    return divide(total, sum(toFloat(counts), steps, keepdims));
  }

  override computeMask(): readonly undefined[] {
    return [undefined];
  }
}

/** The mean of each channel of images `[batch, height, width, channels]`. */
export class GlobalAveragePooling2D extends GlobalPooling {
  static readonly className = 'GlobalAveragePooling2D';
  static readonly fields: Fields<GlobalPoolingConfig> = globalFields;
  protected override readonly join: typeof mean = mean;
  protected override readonly rank = 2;

  constructor(options: GlobalPoolingOptions = {}) {
    super(GlobalAveragePooling2D.className, GlobalAveragePooling2D.fields, options);
  }
}

/** The mean of each channel of volumes `[batch, …three axes, channels]`. */
export class GlobalAveragePooling3D extends GlobalPooling {
  static readonly className = 'GlobalAveragePooling3D';
  static readonly fields: Fields<GlobalPoolingConfig> = globalFields;
  protected override readonly join: typeof mean = mean;
  protected override readonly rank = 3;

  constructor(options: GlobalPoolingOptions = {}) {
    super(GlobalAveragePooling3D.className, GlobalAveragePooling3D.fields, options);
  }
}

/** The greatest element of each channel of sequences `[batch, steps, channels]`. */
export class GlobalMaxPooling1D extends GlobalPooling {
  static readonly className = 'GlobalMaxPooling1D';
  static readonly fields: Fields<GlobalPoolingConfig> = globalFields;
  protected override readonly join: typeof max = max;
  protected override readonly rank = 1;

  constructor(options: GlobalPoolingOptions = {}) {
    super(GlobalMaxPooling1D.className, GlobalMaxPooling1D.fields, options);
  }
}

/** The greatest element of each channel of images `[batch, height, width, channels]`. */
export class GlobalMaxPooling2D extends GlobalPooling {
  static readonly className = 'GlobalMaxPooling2D';
  static readonly fields: Fields<GlobalPoolingConfig> = globalFields;
  protected override readonly join: typeof max = max;
  protected override readonly rank = 2;

  constructor(options: GlobalPoolingOptions = {}) {
    super(GlobalMaxPooling2D.className, GlobalMaxPooling2D.fields, options);
  }
}

/** The greatest element of each channel of volumes `[batch, …three axes, channels]`. */
export class GlobalMaxPooling3D extends GlobalPooling {
  static readonly className = 'GlobalMaxPooling3D';
  static readonly fields: Fields<GlobalPoolingConfig> = globalFields;
  protected override readonly join: typeof max = max;
  protected override readonly rank = 3;

  constructor(options: GlobalPoolingOptions = {}) {
    super(GlobalMaxPooling3D.className, GlobalMaxPooling3D.fields, options);
  }
}
