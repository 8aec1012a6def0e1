import { type NestedArray, tensor } from '../../array/tensor.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { add, multiply } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { anything, type Field, type Fields, type Options } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface RescalingConfig extends LayerConfig {
  /** A number, or one for each channel, nested to any depth. */
  scale: NestedArray;
  offset: NestedArray;
}

/** A number, or nested lists of numbers. */
export function numbers(...fallback: [number] | []): Field<NestedArray> {
  const isNumbers = (value: unknown): boolean =>
    typeof value === 'number' || (Array.isArray(value) && value.every(isNumbers));
  return anything<NestedArray>('a number or nested lists of numbers', isNumbers, ...fallback);
}

/** `inputs · scale + offset`, as float32; lists of factors are along the last axes. */
export class Rescaling extends Layer<RescalingConfig> {
  static readonly className = 'Rescaling';
  static readonly fields: Fields<RescalingConfig> = { ...layerFields, scale: numbers(), offset: numbers(0) };
  override readonly supportsMasking = true;

  constructor(options: Options<RescalingConfig, 'scale'>) {
    super(Rescaling.className, Rescaling.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const [scale, offset] = [tensor(this.config.scale), tensor(this.config.offset)];
    return add(multiply(toFloat(x), scale), offset);
  }
}
