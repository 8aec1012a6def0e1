/** Layers that join windows which tile the input so evenly that a given number of outputs comes out. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { adaptiveAveragePool, adaptiveMaxPool } from '../../ops/pooling.ts';
import { windowExtents } from '../convolutional/sliding-window.ts';
import { type DataFormat, dataFormat } from '../data-format.ts';
import type { Fields, Options } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface AdaptivePoolingConfig extends LayerConfig {
  /** Extents of the output's spatial axes. */
  outputSize: readonly number[];
  dataFormat: DataFormat;
}

export type AdaptivePoolingOptions = Options<AdaptivePoolingConfig, 'outputSize'>;

function adaptiveFields(rank: number): Fields<AdaptivePoolingConfig> {
  return { ...layerFields, outputSize: windowExtents(rank), dataFormat: dataFormat() };
}

abstract class AdaptivePooling extends Layer<AdaptivePoolingConfig> {
  protected abstract readonly pool: typeof adaptiveMaxPool;

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return this.pool(x, this.config.outputSize, this.config.dataFormat);
  }
}

/** The greatest elements of windows that tile sequences `[batch, steps, channels]`. */
export class AdaptiveMaxPooling1D extends AdaptivePooling {
  static readonly className = 'AdaptiveMaxPooling1D';
  static readonly fields: Fields<AdaptivePoolingConfig> = adaptiveFields(1);
  protected override readonly pool: typeof adaptiveMaxPool = adaptiveMaxPool;

  constructor(options: AdaptivePoolingOptions) {
    super(AdaptiveMaxPooling1D.className, AdaptiveMaxPooling1D.fields, options);
  }
}

/** The means of windows that tile sequences `[batch, steps, channels]`. */
export class AdaptiveAveragePooling1D extends AdaptivePooling {
  static readonly className = 'AdaptiveAveragePooling1D';
  static readonly fields: Fields<AdaptivePoolingConfig> = adaptiveFields(1);
  protected override readonly pool: typeof adaptiveAveragePool = adaptiveAveragePool;

  constructor(options: AdaptivePoolingOptions) {
    super(AdaptiveAveragePooling1D.className, AdaptiveAveragePooling1D.fields, options);
  }
}

/** The greatest elements of windows that tile images `[batch, height, width, channels]`. */
export class AdaptiveMaxPooling2D extends AdaptivePooling {
  static readonly className = 'AdaptiveMaxPooling2D';
  static readonly fields: Fields<AdaptivePoolingConfig> = adaptiveFields(2);
  protected override readonly pool: typeof adaptiveMaxPool = adaptiveMaxPool;

  constructor(options: AdaptivePoolingOptions) {
    super(AdaptiveMaxPooling2D.className, AdaptiveMaxPooling2D.fields, options);
  }
}

/** The means of windows that tile images `[batch, height, width, channels]`. */
export class AdaptiveAveragePooling2D extends AdaptivePooling {
  static readonly className = 'AdaptiveAveragePooling2D';
  static readonly fields: Fields<AdaptivePoolingConfig> = adaptiveFields(2);
  protected override readonly pool: typeof adaptiveAveragePool = adaptiveAveragePool;

  constructor(options: AdaptivePoolingOptions) {
    super(AdaptiveAveragePooling2D.className, AdaptiveAveragePooling2D.fields, options);
  }
}

/** The greatest elements of windows that tile volumes `[batch, …three axes, channels]`. */
export class AdaptiveMaxPooling3D extends AdaptivePooling {
  static readonly className = 'AdaptiveMaxPooling3D';
  static readonly fields: Fields<AdaptivePoolingConfig> = adaptiveFields(3);
  protected override readonly pool: typeof adaptiveMaxPool = adaptiveMaxPool;

  constructor(options: AdaptivePoolingOptions) {
    super(AdaptiveMaxPooling3D.className, AdaptiveMaxPooling3D.fields, options);
  }
}

/** The means of windows that tile volumes `[batch, …three axes, channels]`. */
export class AdaptiveAveragePooling3D extends AdaptivePooling {
  static readonly className = 'AdaptiveAveragePooling3D';
  static readonly fields: Fields<AdaptivePoolingConfig> = adaptiveFields(3);
  protected override readonly pool: typeof adaptiveAveragePool = adaptiveAveragePool;

  constructor(options: AdaptivePoolingOptions) {
    super(AdaptiveAveragePooling3D.className, AdaptiveAveragePooling3D.fields, options);
  }
}
