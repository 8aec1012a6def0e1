import type { Dtype } from '../../array/dtype.ts';
import type { PartialShape } from '../../array/shape.ts';
import { type Tensor, tensor } from '../../array/tensor.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { multiply } from '../../ops/elementwise.ts';
import { resize } from '../../ops/image-resize.ts';
import { slice } from '../../ops/indexing.ts';
import { cast, toFloat } from '../../ops/operand.ts';
import { uniform } from '../../ops/random.ts';
import { between as betweenIndices, concatenate } from '../../ops/shape.ts';
import { anything, boolean, type Fields, type Options, positiveInteger } from '../fields.ts';
import type { KerasTensor } from '../keras-tensor.ts';
import { type CallContext, Layer } from '../layer.ts';
import { drawFor } from '../regularization/drop.ts';
import { type Seed, seedOf } from './augmentation.ts';
import { imageAxes, imageFields, smartResize } from './image-layer.ts';
import type { SizeConfig } from './resizing.ts';

export interface RandomCropConfig extends SizeConfig {
  seed: Seed;
  /** Whether inference cuts the middle out and resizes it, as in Keras 2; Keras 3 gives the images back. */
  resizeAtInference: boolean;
}

/** Cuts pieces at random places in training. */
export class RandomCrop extends Layer<RandomCropConfig> {
  static readonly className = 'RandomCrop';
  static readonly fields: Fields<RandomCropConfig> = {
    ...imageFields,
    height: positiveInteger(),
    width: positiveInteger(),
    seed: anything<Seed>(
      'an integer, a seed generator, or null',
      (value) => value === null || Number.isInteger(value) || typeof value === 'object',
      null,
    ),
    resizeAtInference: boolean(false),
  };

  constructor(options: Options<RandomCropConfig, 'height' | 'width'>) {
    super(RandomCrop.className, RandomCrop.fields, options);
  }

  override call([images]: readonly [SymbolicTensor], context: CallContext): SymbolicTensor {
    const { height, width, dataFormat, resizeAtInference } = this.config;
    if (context.training) return this.#cropped(toFloat(images), context);
    return resizeAtInference ? smartResize(images, [height, width], dataFormat) : images;
  }

  /** A piece from one place for all images; where an image is not larger in both directions, its middle is resized. */
  #cropped(images: SymbolicTensor, context: CallContext): SymbolicTensor {
    const { height, width, dataFormat, seed } = this.config;
    const [rows, columns] = imageAxes(images.shape, dataFormat);
    const [inputHeight, inputWidth] = [images.shape[rows] as number, images.shape[columns] as number];
    if (inputHeight > height && inputWidth > width) {
      const draw = drawFor(this, context, seedOf(seed));
      const start = (free: number): SymbolicTensor => cast(multiply(uniform([1], draw), free + 1), 'int32');
      const zero = new Int32Array(1);
      const starts: (SymbolicTensor | Tensor)[] = images.shape.map(() => tensor(zero));
      starts[rows] = start(inputHeight - height);
      starts[columns] = start(inputWidth - width);
      const extents = images.shape.map((extent, axis) => (axis === rows ? height : axis === columns ? width : extent));
      return slice(images, concatenate(starts), extents);
    }
    const cut = (x: SymbolicTensor, axis: number, extent: number, other: number): SymbolicTensor => {
      const whole = x.shape[axis] as number;
      const first = Math.trunc((whole - Math.max(Math.min(whole, Math.trunc(other)), 1)) / 2);
      return betweenIndices(x, axis, first, Math.min(first + extent, whole));
    };
    const part = cut(
      cut(images, rows, height, (inputWidth * height) / width),
      columns,
      width,
      (inputHeight * width) / height,
    );
    const isSize = part.shape[rows] === height && part.shape[columns] === width;
    return isSize ? part : resize(part, [height, width], { dataFormat });
  }

  /** The shape in training: what follows is built for the pieces. */
  protected override inferOutputs(
    inputs: readonly KerasTensor[],
    kwargs: Readonly<Record<string, unknown>>,
  ): readonly { shape: PartialShape; dtype: Dtype }[] {
    const { height, width, dataFormat } = this.config;
    return super.inferOutputs(inputs, kwargs).map(({ shape, dtype }) => {
      const rows = shape.length - (dataFormat === 'channels_last' ? 3 : 2);
      return { shape: shape.map((extent, axis) => [height, width][axis - rows] ?? extent), dtype };
    });
  }
}
