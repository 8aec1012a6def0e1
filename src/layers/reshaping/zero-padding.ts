/** Layers that add zeros around the spatial axes. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { pad } from '../../ops/padding.ts';
import { type DataFormat, dataFormat, spatialAxesOf } from '../data-format.ts';
import type { Fields } from '../fields.ts';
import { Layer, type LayerConfig, type LayerOptions, layerFields } from '../layer.ts';
import { type Borders, type BordersInput, borders } from './borders.ts';

export interface ZeroPaddingConfig extends LayerConfig {
  /** Zeros at the low and the high end of each spatial axis. */
  padding: Borders;
  dataFormat: DataFormat;
}

/** `padding` is one number for all ends, one for each axis, or a pair for each axis. */
export type ZeroPaddingOptions = LayerOptions & {
  readonly padding?: BordersInput | undefined;
  readonly dataFormat?: DataFormat | undefined;
};

function paddingFields(rank: number): Fields<ZeroPaddingConfig> {
  return { ...layerFields, padding: borders(rank, 1), dataFormat: dataFormat() };
}

abstract class ZeroPadding extends Layer<ZeroPaddingConfig> {
  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { padding, dataFormat } = this.config;
    const axes = spatialAxesOf(this.name, x.shape, padding.length, dataFormat);
    return pad(
      x,
      x.shape.map((_, axis) => padding[axes.indexOf(axis)] ?? [0, 0]),
    );
  }
}

/** Adds zeros around sequences `[batch, steps, channels]`. */
export class ZeroPadding1D extends ZeroPadding {
  static readonly className = 'ZeroPadding1D';
  static readonly fields: Fields<ZeroPaddingConfig> = paddingFields(1);

  constructor(options: ZeroPaddingOptions = {}) {
    super(ZeroPadding1D.className, ZeroPadding1D.fields, options);
  }
}

/** Adds zeros around images `[batch, height, width, channels]`. */
export class ZeroPadding2D extends ZeroPadding {
  static readonly className = 'ZeroPadding2D';
  static readonly fields: Fields<ZeroPaddingConfig> = paddingFields(2);

  constructor(options: ZeroPaddingOptions = {}) {
    super(ZeroPadding2D.className, ZeroPadding2D.fields, options);
  }
}

/** Adds zeros around volumes `[batch, …three axes, channels]`. */
export class ZeroPadding3D extends ZeroPadding {
  static readonly className = 'ZeroPadding3D';
  static readonly fields: Fields<ZeroPaddingConfig> = paddingFields(3);

  constructor(options: ZeroPaddingOptions = {}) {
    super(ZeroPadding3D.className, ZeroPadding3D.fields, options);
  }
}
