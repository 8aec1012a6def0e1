import type { SymbolicTensor } from '../../graph/node.ts';
import { isnan, where } from '../../ops/compare.ts';
import { add, clip, divide, multiply, subtract } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { max, min } from '../../ops/reduce.ts';
import { expandDims, squeeze } from '../../ops/shape.ts';
import { anything, type Field, type Fields, type Options } from '../fields.ts';
import { Layer } from '../layer.ts';
import { type ImageLayerConfig, imageFields } from './image-layer.ts';

export interface AutoContrastConfig extends ImageLayerConfig {
  /** The least and the greatest value that an image may have. */
  valueRange: readonly number[];
}

/** Two numbers, the lesser first. */
export function valueRange(): Field<readonly number[]> {
  const field = anything<readonly number[]>(
    'a list of two numbers',
    (value) => Array.isArray(value) && value.length === 2 && value.every((element) => typeof element === 'number'),
    [0, 255],
  );
  return { ...field, parse: (value) => field.parse(value)?.toSorted((a, b) => a - b) };
}

/** Values from one range to another. */
export function changeRange(x: SymbolicTensor, from: readonly number[], to: readonly number[]): SymbolicTensor {
  const [low, high] = from as readonly [number, number];
  const [newLow, newHigh] = to as readonly [number, number];
  if (low === newLow && high === newHigh) return x;
  return add(multiply(divide(subtract(toFloat(x), low), high - low), newHigh - newLow), newLow);
}

/** Stretches each channel of an image to the whole range of values, at inference too; a flat channel stays as it is. */
export class AutoContrast extends Layer<AutoContrastConfig> {
  static readonly className = 'AutoContrast';
  static readonly fields: Fields<AutoContrastConfig> = { ...imageFields, valueRange: valueRange() };

  constructor(options: Options<AutoContrastConfig> = {}) {
    super(AutoContrast.className, AutoContrast.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const images = x.shape.length === 3 ? expandDims(x, 0) : x;
    const wide = toFloat(changeRange(images, this.config.valueRange, [0, 255]));
    // As in Keras, axes 1 and 2 whatever the data format.
    const low = min(wide, [1, 2], true);
    const scale = divide(255, subtract(max(wide, [1, 2], true), low));
    const stretched = clip(subtract(multiply(wide, scale), multiply(low, scale)), 0, 255);
    const result = changeRange(stretched, [0, 255], this.config.valueRange);
    const kept = where(isnan(result), toFloat(images), result);
    return x.shape.length === 3 ? squeeze(kept, 0) : kept;
  }
}
