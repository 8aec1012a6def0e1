/** What the layers over images `[batch, height, width, channels]` or `[height, width, channels]` share. */
import type { Shape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { resize } from '../../ops/image-resize.ts';
import { toFloat } from '../../ops/operand.ts';
import { between } from '../../ops/shape.ts';
import { type DataFormat, dataFormat } from '../data-format.ts';
import { type Fields, nullable, string } from '../fields.ts';
import { type LayerConfig, layerFields } from '../layer.ts';

export interface ImageLayerConfig extends LayerConfig {
  dataFormat: DataFormat;
  /** Kept for Keras: how boxes that go along with images are stored. */
  boundingBoxFormat: string | null;
}

export const imageFields: Fields<ImageLayerConfig> = {
  ...layerFields,
  dataFormat: dataFormat(),
  boundingBoxFormat: nullable(string()),
};

/** The axes of height and width. */
export function imageAxes(shape: Shape, format: DataFormat): readonly [number, number] {
  const height = shape.length - (format === 'channels_last' ? 3 : 2);
  return [height, height + 1];
}

/** The largest part of an image from its middle that has the proportions of the target, resized to it. */
export function smartResize(
  images: SymbolicTensor,
  [targetHeight, targetWidth]: readonly [number, number],
  format: DataFormat,
): SymbolicTensor {
  const [rows, columns] = imageAxes(images.shape, format);
  const [height, width] = [images.shape[rows] as number, images.shape[columns] as number];
  const part = (whole: number, wanted: number): number => Math.max(Math.min(whole, Math.trunc(wanted)), 1);
  const cropHeight = part(height, (width * targetHeight) / targetWidth);
  const cropWidth = part(width, (height * targetWidth) / targetHeight);
  const cropped = cropCentre(toFloat(images), [cropHeight, cropWidth], format);
  return resize(cropped, [targetHeight, targetWidth], { dataFormat: format });
}

/** A part from the middle; what cannot be split evenly is cut off at the end. */
export function cropCentre(
  images: SymbolicTensor,
  [height, width]: readonly [number, number],
  format: DataFormat,
): SymbolicTensor {
  const [rows, columns] = imageAxes(images.shape, format);
  const cut = (x: SymbolicTensor, axis: number, extent: number): SymbolicTensor => {
    const start = Math.floor(((x.shape[axis] as number) - extent) / 2);
    return between(x, axis, start, start + extent);
  };
  return cut(cut(images, rows, height), columns, width);
}
