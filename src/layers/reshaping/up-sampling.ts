/** Layers that enlarge the spatial axes by whole factors. */
import type { Dtype } from '../../array/dtype.ts';
import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { type Interpolation, resize } from '../../ops/image-resize.ts';
import { repeat } from '../../ops/shape.ts';
import { windowExtents } from '../convolutional/sliding-window.ts';
import { checkRank, type DataFormat, dataFormat, spatialAxesOf } from '../data-format.ts';
import { type Fields, type Options, oneOf, positiveInteger } from '../fields.ts';
import type { KerasTensor } from '../keras-tensor.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface UpSampling1DConfig extends LayerConfig {
  size: number;
}

/** Repeats each step: `[batch, steps, channels]` gives `[batch, size · steps, channels]`. */
export class UpSampling1D extends Layer<UpSampling1DConfig> {
  static readonly className = 'UpSampling1D';
  static readonly fields: Fields<UpSampling1DConfig> = { ...layerFields, size: positiveInteger(2) };

  constructor(options: Options<UpSampling1DConfig> = {}) {
    super(UpSampling1D.className, UpSampling1D.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    checkRank(this.name, x.shape, 3);
    return repeat(x, this.config.size, 1);
  }
}

export interface UpSampling2DConfig extends LayerConfig {
  /** Factors of height and width. */
  size: readonly number[];
  dataFormat: DataFormat;
  interpolation: Interpolation;
}

/** Enlarges images `[batch, height, width, channels]`. */
export class UpSampling2D extends Layer<UpSampling2DConfig> {
  static readonly className = 'UpSampling2D';
  static readonly fields: Fields<UpSampling2DConfig> = {
    ...layerFields,
    size: windowExtents(2, 2),
    dataFormat: dataFormat(),
    interpolation: oneOf(['nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5'], 'nearest'),
  };

  constructor(options: Options<UpSampling2DConfig> = {}) {
    super(UpSampling2D.className, UpSampling2D.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { size, dataFormat, interpolation } = this.config;
    const axes = spatialAxesOf(this.name, x.shape, 2, dataFormat);
    if (interpolation === 'nearest') return repeatAxes(x, axes, size);
    const target = axes.map((axis, index) => (x.shape[axis] as number) * (size[index] as number));
    return resize(x, target, { interpolation, dataFormat });
  }

  // Tracing would compute the weights of an image as large as the stand-ins for unknown extents.
  protected override inferOutputs([x]: readonly [KerasTensor]): readonly { shape: PartialShape; dtype: Dtype }[] {
    const axes = spatialAxesOf(this.name, x.shape, 2, this.config.dataFormat);
    const shape = x.shape.map((extent, axis) => {
      const factor = this.config.size[axes.indexOf(axis)] ?? 1;
      return extent === null ? null : extent * factor;
    });
    return [{ shape, dtype: x.dtype }];
  }
}

export interface UpSampling3DConfig extends LayerConfig {
  size: readonly number[];
  dataFormat: DataFormat;
}

/** Repeats each element of volumes `[batch, …three axes, channels]` along the three axes. */
export class UpSampling3D extends Layer<UpSampling3DConfig> {
  static readonly className = 'UpSampling3D';
  static readonly fields: Fields<UpSampling3DConfig> = {
    ...layerFields,
    size: windowExtents(3, 2),
    dataFormat: dataFormat(),
  };

  constructor(options: Options<UpSampling3DConfig> = {}) {
    super(UpSampling3D.className, UpSampling3D.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return repeatAxes(x, spatialAxesOf(this.name, x.shape, 3, this.config.dataFormat), this.config.size);
  }
}

function repeatAxes(x: SymbolicTensor, axes: readonly number[], factors: readonly number[]): SymbolicTensor {
  return axes.reduce((repeated, axis, index) => repeat(repeated, factors[index] as number, axis), x);
}
