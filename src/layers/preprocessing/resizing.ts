import type { SymbolicTensor } from '../../graph/node.ts';
import { type Interpolation, resize } from '../../ops/image-resize.ts';
import { toFloat } from '../../ops/operand.ts';
import { boolean, type Fields, number, type Options, oneOf, positiveInteger, string } from '../fields.ts';
import { Layer } from '../layer.ts';
import { cropCentre, type ImageLayerConfig, imageAxes, imageFields, smartResize } from './image-layer.ts';

export interface SizeConfig extends ImageLayerConfig {
  height: number;
  width: number;
}

export interface ResizingConfig extends SizeConfig {
  interpolation: Interpolation;
  /** Cuts off what would be distorted. */
  cropToAspectRatio: boolean;
  /** Adds borders so that nothing is distorted. */
  padToAspectRatio: boolean;
  fillMode: string;
  fillValue: number;
  antialias: boolean;
}

/** Resizes images; integers are rounded and stay integers. */
export class Resizing extends Layer<ResizingConfig> {
  static readonly className = 'Resizing';
  static readonly fields: Fields<ResizingConfig> = {
    ...imageFields,
    height: positiveInteger(),
    width: positiveInteger(),
    interpolation: oneOf(['nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5'], 'bilinear'),
    cropToAspectRatio: boolean(false),
    padToAspectRatio: boolean(false),
    fillMode: string('constant'),
    fillValue: number(0),
    antialias: boolean(false),
  };

  constructor(options: Options<ResizingConfig, 'height' | 'width'>) {
    super(Resizing.className, Resizing.fields, options);
  }

  override call([images]: readonly [SymbolicTensor]): SymbolicTensor {
    const { height, width, interpolation, cropToAspectRatio, padToAspectRatio, fillValue } = this.config;
    const { antialias, dataFormat } = this.config;
    const options = { interpolation, antialias, cropToAspectRatio, padToAspectRatio, fillValue, dataFormat };
    return resize(images, [height, width], options);
  }
}

/** The middle of images, as float32; smaller images are cut to the target's proportions and enlarged. */
export class CenterCrop extends Layer<SizeConfig> {
  static readonly className = 'CenterCrop';
  static readonly fields: Fields<SizeConfig> = { ...imageFields, height: positiveInteger(), width: positiveInteger() };

  constructor(options: Options<SizeConfig, 'height' | 'width'>) {
    super(CenterCrop.className, CenterCrop.fields, options);
  }

  override call([images]: readonly [SymbolicTensor]): SymbolicTensor {
    const { height, width, dataFormat } = this.config;
    const [rows, columns] = imageAxes(images.shape, dataFormat);
    const isLarge = (images.shape[rows] as number) >= height && (images.shape[columns] as number) >= width;
    if (!isLarge) return smartResize(images, [height, width], dataFormat);
    return cropCentre(toFloat(images), [height, width], dataFormat);
  }
}
