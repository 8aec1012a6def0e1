import type { SymbolicTensor } from '../../graph/node.ts';
import { type Fields, integer, type Options, positiveInteger } from '../fields.ts';
import { Layer } from '../layer.ts';
import { type ImageLayerConfig, imageFields } from './image-layer.ts';

export interface MaxNumBoundingBoxesConfig extends ImageLayerConfig {
  maxNumber: number;
  fillValue: number;
}

/** Limits the number of boxes that go along with images; images themselves are given back. */
export class MaxNumBoundingBoxes extends Layer<MaxNumBoundingBoxesConfig> {
  static readonly className = 'MaxNumBoundingBoxes';
  static readonly fields: Fields<MaxNumBoundingBoxesConfig> = {
    ...imageFields,
    maxNumber: positiveInteger(),
    fillValue: integer(-1),
  };

  constructor(options: Options<MaxNumBoundingBoxesConfig, 'maxNumber'>) {
    super(MaxNumBoundingBoxes.className, MaxNumBoundingBoxes.fields, options);
  }

  override call([images]: readonly [SymbolicTensor]): SymbolicTensor {
    return images;
  }
}
