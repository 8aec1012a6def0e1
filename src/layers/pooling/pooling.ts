/** Layers that join the elements of sliding windows. Padding never counts. */
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Padding } from '../../ops/convolution.ts';
import { averagePool, maxPool } from '../../ops/pooling.ts';
import { checkWindowFits, padding, windowExtents } from '../convolutional/sliding-window.ts';
import { type DataFormat, dataFormat } from '../data-format.ts';
import { type Fields, nullable, type Options } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface PoolingConfig extends LayerConfig {
  poolSize: readonly number[];
  /** `null` is the window itself: windows that do not overlap. */
  strides: readonly number[] | null;
  padding: Exclude<Padding, 'causal'>;
  dataFormat: DataFormat;
}

/** `poolSize` and `strides` are one number for all axes, or one for each. */
export type PoolingOptions = Options<Omit<PoolingConfig, 'strides'>> & {
  readonly strides?: number | readonly number[] | null | undefined;
};

function poolingFields(rank: number): Fields<PoolingConfig> {
  return {
    ...layerFields,
    poolSize: windowExtents(rank, 2),
    strides: nullable(windowExtents(rank)),
    padding: padding(['valid', 'same']),
    dataFormat: dataFormat(),
  };
}

abstract class Pooling extends Layer<PoolingConfig> {
  protected abstract readonly pool: typeof maxPool;

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { poolSize, strides, padding, dataFormat } = this.config;
    const y = this.pool(x, poolSize, { strides, padding, dataFormat });
    checkWindowFits(this.name, x.shape, y.shape);
    return y;
  }
}

/** The greatest element of each window of sequences `[batch, steps, channels]`. */
export class MaxPooling1D extends Pooling {
  static readonly className = 'MaxPooling1D';
  static readonly fields: Fields<PoolingConfig> = poolingFields(1);
  protected override readonly pool: typeof maxPool = maxPool;

  constructor(options: PoolingOptions = {}) {
    super(MaxPooling1D.className, MaxPooling1D.fields, options);
  }
}

/** The mean of each window of sequences `[batch, steps, channels]`. */
export class AveragePooling1D extends Pooling {
  static readonly className = 'AveragePooling1D';
  static readonly fields: Fields<PoolingConfig> = poolingFields(1);
  protected override readonly pool: typeof averagePool = averagePool;

  constructor(options: PoolingOptions = {}) {
    super(AveragePooling1D.className, AveragePooling1D.fields, options);
  }
}

/** The greatest element of each window of images `[batch, height, width, channels]`. */
export class MaxPooling2D extends Pooling {
  static readonly className = 'MaxPooling2D';
  static readonly fields: Fields<PoolingConfig> = poolingFields(2);
  protected override readonly pool: typeof maxPool = maxPool;

  constructor(options: PoolingOptions = {}) {
    super(MaxPooling2D.className, MaxPooling2D.fields, options);
  }
}

/** The mean of each window of images `[batch, height, width, channels]`. */
export class AveragePooling2D extends Pooling {
  static readonly className = 'AveragePooling2D';
  static readonly fields: Fields<PoolingConfig> = poolingFields(2);
  protected override readonly pool: typeof averagePool = averagePool;

  constructor(options: PoolingOptions = {}) {
    super(AveragePooling2D.className, AveragePooling2D.fields, options);
  }
}

/** The greatest element of each window of volumes `[batch, …three axes, channels]`. */
export class MaxPooling3D extends Pooling {
  static readonly className = 'MaxPooling3D';
  static readonly fields: Fields<PoolingConfig> = poolingFields(3);
  protected override readonly pool: typeof maxPool = maxPool;

  constructor(options: PoolingOptions = {}) {
    super(MaxPooling3D.className, MaxPooling3D.fields, options);
  }
}

/** The mean of each window of volumes `[batch, …three axes, channels]`. */
export class AveragePooling3D extends Pooling {
  static readonly className = 'AveragePooling3D';
  static readonly fields: Fields<PoolingConfig> = poolingFields(3);
  protected override readonly pool: typeof averagePool = averagePool;

  constructor(options: PoolingOptions = {}) {
    super(AveragePooling3D.className, AveragePooling3D.fields, options);
  }
}
