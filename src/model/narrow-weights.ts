/** Which weights are kept in a narrow form: large ones whose layers say how channels lie in them. */
import { type Channels, NarrowArray, type WeightDtype } from '../array/narrow-array.ts';
import { type Shape, shapesEqual, sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import type { Variable } from '../graph/variable.ts';
import type { Layer } from '../layers/layer.ts';

/** Smaller weights stay as they are: they take next to no memory, and first layers, which have them, need precision. */
const LEAST_ELEMENTS = 1024;

/** With fewer elements in a channel, its scale takes too much of what integers save. */
const LEAST_CHANNEL_ELEMENTS = 8;

/** The weights of a layer, and of those inside it, that can be kept in a narrow form, with their channels. */
export function narrowableWeights(layer: Layer): ReadonlyMap<Variable, Channels> {
  const found = new Map<Variable, Channels>();
  for (const variable of layer.weights) {
    const { traits, dtype, shape } = variable;
    if (traits.channelAxes === undefined || dtype !== 'float32' || sizeOf(shape) < LEAST_ELEMENTS) continue;
    const channels = channelsAlong(shape, traits.channelAxes);
    if (sizeOf(shape) >= channels.count * LEAST_CHANNEL_ELEMENTS) found.set(variable, channels);
  }
  return found;
}

function channelsAlong(shape: Shape, axes: readonly number[]): Channels {
  const places = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const inner = shape.slice((places.at(-1) ?? -1) + 1);
  return { count: sizeOf(places.map((axis) => shape[axis] as number)), inner: sizeOf(inner) };
}

/** What to keep of a weight's value that has arrived. */
export type Keep = (variable: Variable, value: Tensor) => Tensor | NarrowArray;

/** Keeps narrow forms of the weights of a layer, and those that have none as they are. */
export function keeperOf(layer: Layer, dtype: WeightDtype): Keep {
  const channels = narrowableWeights(layer);
  return (variable, value) => {
    const own = channels.get(variable);
    const fits = own !== undefined && shapesEqual(variable.shape, value.shape);
    return (fits ? NarrowArray.of(value.data as Float32Array, dtype, own) : undefined) ?? unshared(value);
  };
}

/** A value that lies in the bytes of others would keep these alive, of which only narrow forms are to remain. */
function unshared({ shape, dtype, data }: Tensor): Tensor {
  const isShared = ArrayBuffer.isView(data) && data.buffer.byteLength > data.byteLength;
  return new Tensor(shape, dtype, isShared ? data.slice() : data);
}
