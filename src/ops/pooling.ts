/** Pooling with the arguments of Keras. */
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { channelsLast, type DataFormat, fromChannelsLast, type Padding, windowPadding } from './convolution.ts';
import { cast, type Operand, perAxis, toFloat, toSymbol } from './operand.ts';
import { max, mean } from './reduce.ts';
import { between, concatenate } from './shape.ts';
import { MAX_WINDOWS, tableLength } from './table-length.ts';

export interface PoolingOptions {
  /** By default the window: windows do not overlap. */
  readonly strides?: number | readonly number[] | null;
  readonly padding?: Exclude<Padding, 'causal'>;
  readonly dataFormat?: DataFormat;
}

function pool(
  primitive: 'maxPool' | 'averagePool',
  inputs: Operand,
  poolSize: number | readonly number[],
  options: PoolingOptions,
): SymbolicTensor {
  const { strides = null, padding = 'valid', dataFormat = 'channels_last' } = options;
  const x = channelsLast(toFloat(inputs), dataFormat);
  const spatial = x.shape.length - 2;
  const window = perAxis(poolSize, spatial, 'poolSize');
  const steps = perAxis(strides ?? window, spatial, 'strides');
  const dilation = window.map(() => 1);
  const pads = windowPadding(padding, x.shape.slice(1, -1), window, steps, dilation);
  const y = apply(primitive, [x], { window, strides: steps, dilation, padding: pads });
  return fromChannelsLast(y, dataFormat);
}

/** The greatest element of each window; padding never counts. */
export function maxPool(
  inputs: Operand,
  poolSize: number | readonly number[],
  options: PoolingOptions = {},
): SymbolicTensor {
  const pooled = pool('maxPool', inputs, poolSize, options);
  return toSymbol(inputs).dtype === 'int32' ? cast(pooled, 'int32') : pooled;
}

/** The mean of each window; padding never counts. */
export function averagePool(
  inputs: Operand,
  poolSize: number | readonly number[],
  options: PoolingOptions = {},
): SymbolicTensor {
  return pool('averagePool', inputs, poolSize, options);
}

type Reduce = (x: Operand, axis: number, keepdims: boolean) => SymbolicTensor;

/** Pools to given extents, one axis after the other: windows that tile the axis as evenly as they can. */
function adaptivePool(
  reduce: Reduce,
  inputs: Operand,
  outputSize: number | readonly number[],
  dataFormat: DataFormat,
): SymbolicTensor {
  const x = channelsLast(toFloat(inputs), dataFormat);
  const targets = perAxis(outputSize, x.shape.length - 2, 'outputSize');
  const y = targets.reduce((pooled, target, index) => {
    const axis = index + 1;
    const extent = pooled.shape[axis] as number;
    if (target === extent) return pooled;
    const windows = Array.from(
      { length: tableLength('the windows of a pooling', target, MAX_WINDOWS) },
      (_, position) => {
        const start = Math.floor((position * extent) / target);
        const stop = Math.ceil(((position + 1) * extent) / target);
        return reduce(between(pooled, axis, start, stop), axis, true);
      },
    );
    return concatenate(windows, axis);
  }, x);
  return fromChannelsLast(y, dataFormat);
}

/** The mean over windows that tile the input to give the output size. */
export function adaptiveAveragePool(
  inputs: Operand,
  outputSize: number | readonly number[],
  dataFormat: DataFormat = 'channels_last',
): SymbolicTensor {
  return adaptivePool(mean, inputs, outputSize, dataFormat);
}

/** The greatest element of windows that tile the input to give the output size. */
export function adaptiveMaxPool(
  inputs: Operand,
  outputSize: number | readonly number[],
  dataFormat: DataFormat = 'channels_last',
): SymbolicTensor {
  return adaptivePool(max, inputs, outputSize, dataFormat);
}
