/** Layers that cut off both ends of the spatial axes. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { between } from '../../ops/shape.ts';
import { type DataFormat, dataFormat, spatialAxesOf } from '../data-format.ts';
import type { Fields } from '../fields.ts';
import { Layer, type LayerConfig, type LayerOptions, layerFields } from '../layer.ts';
import { type Borders, type BordersInput, borders } from './borders.ts';

export interface CroppingConfig extends LayerConfig {
  /** Elements cut off at the low and the high end of each spatial axis. */
  cropping: Borders;
  dataFormat: DataFormat;
}

/** `cropping` is one number for all ends, one for each axis, or a pair for each axis. */
export type CroppingOptions = LayerOptions & {
  readonly cropping?: BordersInput | undefined;
  readonly dataFormat?: DataFormat | undefined;
};

function croppingFields(rank: number, fallback: number): Fields<CroppingConfig> {
  return { ...layerFields, cropping: borders(rank, fallback), dataFormat: dataFormat() };
}

abstract class Cropping extends Layer<CroppingConfig> {
  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { cropping, dataFormat } = this.config;
    const axes = spatialAxesOf(this.name, x.shape, cropping.length, dataFormat);
    return axes.reduce((cut, axis, index) => {
      const [low, high] = cropping[index] as readonly [number, number];
      const extent = cut.shape[axis] as number;
      // What is cut off altogether leaves an empty axis, as in tf.keras.
      return between(cut, axis, Math.min(low, extent), Math.max(Math.min(low, extent), extent - high));
    }, x);
  }
}

/** Cuts off the ends of sequences `[batch, steps, channels]`. */
export class Cropping1D extends Cropping {
  static readonly className = 'Cropping1D';
  static readonly fields: Fields<CroppingConfig> = croppingFields(1, 1);

  constructor(options: CroppingOptions = {}) {
    super(Cropping1D.className, Cropping1D.fields, options);
  }
}

/** Cuts off the ends of images `[batch, height, width, channels]`. */
export class Cropping2D extends Cropping {
  static readonly className = 'Cropping2D';
  static readonly fields: Fields<CroppingConfig> = croppingFields(2, 0);

  constructor(options: CroppingOptions = {}) {
    super(Cropping2D.className, Cropping2D.fields, options);
  }
}

/** Cuts off the ends of volumes `[batch, …three axes, channels]`. */
export class Cropping3D extends Cropping {
  static readonly className = 'Cropping3D';
  static readonly fields: Fields<CroppingConfig> = croppingFields(3, 1);

  constructor(options: CroppingOptions = {}) {
    super(Cropping3D.className, Cropping3D.fields, options);
  }
}
