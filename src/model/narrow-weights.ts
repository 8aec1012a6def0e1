/** Which weights of Keras' layers can be kept in a narrow form, and what their channels are. */
import { type Channels, NarrowArray, type WeightDtype } from '../array/narrow-array.ts';
import { type Shape, shapesEqual, sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import type { Variable } from '../graph/variable.ts';
import type { Layer } from '../layers/layer.ts';

/** Smaller weights stay as they are: they take next to no memory, and first layers, which have them, need precision. */
const LEAST_ELEMENTS = 1024;

/** With fewer elements in a channel, its scale takes too much of what integers save. */
const LEAST_CHANNEL_ELEMENTS = 8;

type ChannelRule = (shape: Shape, layer: Layer) => Channels;

const lastAxis: ChannelRule = (shape) => ({ count: shape.at(-1) as number, inner: 1 });

const rows: ChannelRule = ([count = 0, ...rest]) => ({ count, inner: sizeOf(rest) });

/** Kernels of transposed convolutions are `[…window, outputs, inputs]`. */
const lastButOne: ChannelRule = (shape) => ({ count: shape.at(-2) as number, inner: shape.at(-1) as number });

/** The last neighbouring axes of the kernel that the output of the equation has. */
const equationAxes: ChannelRule = (shape, layer) => {
  const { equation } = layer.config as unknown as { readonly equation: string };
  const [, kernel = '', output = ''] = equation.replaceAll(/[\s.]/g, '').split(/,|->/);
  const axes = [...kernel].map((letter) => output.includes(letter));
  const stop = axes.lastIndexOf(true) + 1;
  const start = axes.lastIndexOf(false, stop - 1) + 1;
  return { count: sizeOf(shape.slice(start, stop)), inner: sizeOf(shape.slice(stop)) };
};

const kernel = { kernel: lastAxis } as const;
const transposedKernel = { kernel: lastButOne } as const;
const cell = { kernel: lastAxis, recurrent_kernel: lastAxis } as const;
const table = { embeddings: rows, reverse_embeddings: lastAxis } as const;

/** By class and name of weight. Depthwise kernels are small, and stay as they are. */
const CHANNELS: Readonly<Record<string, Readonly<Record<string, ChannelRule>>>> = {
  Dense: kernel,
  EinsumDense: { kernel: equationAxes },
  Conv1D: kernel,
  Conv2D: kernel,
  Conv3D: kernel,
  Conv1DTranspose: transposedKernel,
  Conv2DTranspose: transposedKernel,
  Conv3DTranspose: transposedKernel,
  SeparableConv1D: { pointwise_kernel: lastAxis },
  SeparableConv2D: { pointwise_kernel: lastAxis },
  SimpleRNNCell: cell,
  LSTMCell: cell,
  GRUCell: cell,
  ConvLSTM1DCell: cell,
  ConvLSTM2DCell: cell,
  ConvLSTM3DCell: cell,
  Embedding: table,
  ReversibleEmbedding: table,
};

/** The weights of a layer, and of those inside it, that can be kept in a narrow form, with their channels. */
export function narrowableWeights(layer: Layer): ReadonlyMap<Variable, Channels> {
  const found = new Map<Variable, Channels>();
  const visit = (each: Layer): void => {
    for (const variable of each.ownWeights) {
      const rule = ruleOf(each, variable.name);
      if (rule === undefined || variable.dtype !== 'float32' || sizeOf(variable.shape) < LEAST_ELEMENTS) continue;
      const channels = rule(variable.shape, each);
      if (sizeOf(variable.shape) >= channels.count * LEAST_CHANNEL_ELEMENTS) found.set(variable, channels);
    }
    each.children.forEach(visit);
  };
  visit(layer);
  return found;
}

/** That of the nearest class that has one: an author's own layer is often a `Dense` with something more. */
function ruleOf(layer: Layer, weight: string): ChannelRule | undefined {
  let rules = CHANNELS[layer.className];
  for (
    let each: unknown = layer.constructor;
    !rules && typeof each === 'function';
    each = Object.getPrototypeOf(each)
  ) {
    rules = CHANNELS[(each as { readonly className?: string }).className ?? ''];
  }
  return rules?.[weight];
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
