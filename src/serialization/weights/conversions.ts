/**
 * What older generations stored otherwise than Keras 3 expects it, layer by layer: kernels in Theano's order,
 * one array for each gate, the doubled biases of CuDNN.
 */
import { type Shape, shapesEqual, sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import type { WeightEntry } from '../../formats/artifacts.ts';
import type { Variable } from '../../graph/variable.ts';
import type { Layer } from '../../layers/layer.ts';
import type { Gate } from '../../layers/rnn/cell.ts';
import type { Dialect } from '../dialect.ts';
import { type PlanItem, withoutOutputIndex } from './plan.ts';

type Convert = (tensors: readonly Tensor[]) => Tensor;

/**
 * Pairs the arrays of one layer with its weights, in order, with the conversions that their shapes and the file's
 * generation call for. `undefined` when the numbers differ and no conversion is known.
 */
export function convertLayer(
  layer: Layer,
  variables: readonly Variable[],
  entries: readonly WeightEntry[],
  dialect: Dialect,
): readonly PlanItem[] | undefined {
  const gates = 'gates' in layer ? (layer.gates as readonly Gate[]) : [];
  if (gates.length > 0 && variables.length === 3) {
    if (entries.length === 3 * gates.length) return joinGates(gates, variables, entries);
    if (isCudnnLayout(gates, variables, entries)) return convertCudnn(gates.length, variables, entries);
  }
  const factors = entries.filter((entry) => LORA_FACTOR.test(entry.name));
  if (factors.length === 2) return mergeLora(layer, variables, entries, factors);
  if (entries.length !== variables.length) return undefined;
  return variables.map((variable, index) => {
    const entry = entries[index] as WeightEntry;
    const convert = kernelConversion(layer, variable, entry, dialect);
    return convert === undefined ? { variable, entries: [entry] } : { variable, entries: [entry], convert };
  });
}

/** The order of gates in files of Keras 1. */
const KERAS_1_GATES: readonly Gate[] = ['update', 'reset', 'input', 'candidate', 'forget', 'output'];

/** Keras 1 stored kernel, recurrent kernel and bias of each gate one after the other. */
function joinGates(
  gates: readonly Gate[],
  variables: readonly Variable[],
  entries: readonly WeightEntry[],
): readonly PlanItem[] {
  const stored = KERAS_1_GATES.filter((gate) => gates.includes(gate));
  return variables.map((variable, part) => ({
    variable,
    entries: gates.map((gate) => entries[3 * stored.indexOf(gate) + part] as WeightEntry),
    convert: concatenateLast,
  }));
}

const LORA_FACTOR = /\/?lora_(kernel|embeddings)_[ab](:0)?$/;

/** The layer's weights by name, the adapted one with the product of its factors added. */
function mergeLora(
  layer: Layer,
  variables: readonly Variable[],
  entries: readonly WeightEntry[],
  factors: readonly WeightEntry[],
): readonly PlanItem[] | undefined {
  const { loraAlpha = null } = layer.config as { loraAlpha?: number | null };
  const plan: PlanItem[] = [];
  for (const variable of variables) {
    const entry = entries.find(({ name }) => withoutOutputIndex(name).split('/').at(-1) === variable.name);
    if (entry === undefined) return undefined;
    const isAdapted = variable.name === 'kernel' || variable.name === 'embeddings';
    plan.push(
      isAdapted
        ? { variable, entries: [entry, ...factors], convert: (parts) => addProduct(parts, loraAlpha) }
        : { variable, entries: [entry] },
    );
  }
  return plan;
}

/** `kernel + alpha / rank · a · b`; the factors share the rank as their last and first axis. */
const addProduct = (parts: readonly Tensor[], alpha: number | null): Tensor => {
  const [kernel, a, b] = parts as readonly [Tensor, Tensor, Tensor];
  const [rank, columns] = b.shape as readonly [number, number];
  const [left, right] = [floats(a), floats(b)];
  const scale = (alpha ?? rank) / rank;
  const sum = floats(kernel).slice();
  for (let index = 0; index < sum.length; index++) {
    const [row, column] = [Math.floor(index / columns), index % columns];
    let product = 0;
    for (let inner = 0; inner < rank; inner++) {
      product += (left[row * rank + inner] as number) * (right[inner * columns + column] as number);
    }
    sum[index] = (sum[index] as number) + scale * product;
  }
  return new Tensor(kernel.shape, 'float32', sum);
};

function kernelConversion(layer: Layer, variable: Variable, entry: WeightEntry, dialect: Dialect): Convert | undefined {
  if (variable.traits.convolves !== true) return undefined;
  const reorder = kernelOrder(layer, variable, entry.shape, dialect);
  // Theano convolves with flipped kernels; everybody else correlates.
  const flips = dialect.numbersOf === 'theano';
  if (reorder === undefined && !flips) return undefined;
  return ([tensor]) => {
    const reordered = reorder === undefined ? (tensor as Tensor) : reorder(tensor as Tensor);
    return flips ? flipSpatial(reordered) : reordered;
  };
}

function kernelOrder(
  layer: Layer,
  { shape: expected, traits }: Variable,
  found: Shape,
  dialect: Dialect,
): ((tensor: Tensor) => Tensor) | undefined {
  const isFirst = (layer.config as { dataFormat?: string }).dataFormat === 'channels_first';
  if (dialect.generation === 1) {
    if (expected.length === 3 && found.length === 4) return keras1Conv1D(expected, found);
    const hasOutputsFirst = traits.channelAxes?.[0] === -2;
    if (hasOutputsFirst && found.length === 4) return permuted(isFirst ? [2, 3, 0, 1] : [0, 1, 3, 2]);
    if (isFirst && found.length === 4) return permuted([2, 3, 1, 0]);
    if (isFirst && found.length === 5) return permuted([2, 3, 4, 1, 0]);
  }
  if (shapesEqual(expected, found) || found.length !== 4) return undefined;
  // Kernels in another order than the file's version says: `[out, in, rows, columns]`, or turned the other way.
  const permutation = OTHER_ORDERS.find((order) =>
    shapesEqual(
      order.map((axis) => found[axis] ?? -1),
      expected,
    ),
  );
  return permutation === undefined ? undefined : permuted(permutation);
}

const OTHER_ORDERS = [
  [2, 3, 1, 0],
  [3, 2, 0, 1],
] as const;

/** Keras 1 computed 1D convolutions as 2D ones: `[length, 1, in, out]`, or before 1.2 `[out, in, length, 1]`. */
function keras1Conv1D(expected: Shape, found: Shape): (tensor: Tensor) => Tensor {
  const isOld = found[1] !== 1 || found[0] !== expected[0] || found[3] !== expected[2];
  const drop = (tensor: Tensor): Tensor => new Tensor(expected, tensor.dtype, tensor.data);
  return isOld ? (tensor) => drop(permute(tensor, [2, 3, 1, 0])) : drop;
}

/**
 * Whether three arrays have the layout of CuDNN's layers, which only the bias shows: two numbers for each unit and gate in
 * one axis. They are added where no reset gate comes between them.
 */
function isCudnnLayout(
  gates: readonly Gate[],
  [, , bias]: readonly Variable[],
  entries: readonly WeightEntry[],
): boolean {
  const [, , stored] = entries;
  if (bias === undefined || stored?.shape.length !== 1 || entries.length !== 3) return false;
  const hasBoth = bias.shape.length === 2;
  return sizeOf(stored.shape) === sizeOf(bias.shape) * (hasBoth ? 1 : 2) && (hasBoth || !gates.includes('reset'));
}

function convertCudnn(
  gates: number,
  variables: readonly Variable[],
  entries: readonly WeightEntry[],
): readonly PlanItem[] {
  const [kernel, recurrent, bias] = variables as readonly [Variable, Variable, Variable];
  const [storedKernel, storedRecurrent, storedBias] = entries as readonly [WeightEntry, WeightEntry, WeightEntry];
  const convertBias = (value: Tensor): Tensor =>
    bias.shape.length === 2 ? new Tensor(bias.shape, 'float32', floats(value)) : addHalves(value);
  return [
    { variable: kernel, entries: [storedKernel], convert: ([value]) => reorderGates(value as Tensor, gates) },
    { variable: recurrent, entries: [storedRecurrent], convert: ([value]) => transposeGates(value as Tensor, gates) },
    { variable: bias, entries: [storedBias], convert: ([value]) => convertBias(value as Tensor) },
  ];
}

/** Each gate's kernel `[inputs, units]` was stored column by column. */
function reorderGates(tensor: Tensor, gates: number): Tensor {
  const rows = tensor.shape[0] as number;
  return rearrangeGates(tensor, gates, (row, unit, units) => {
    // Element k of the gate in column-major order of [units, rows]ᵀ.
    const flat = unit * rows + row;
    return [Math.floor(flat / units), flat % units];
  });
}

function transposeGates(tensor: Tensor, gates: number): Tensor {
  return rearrangeGates(tensor, gates, (row, unit) => [unit, row]);
}

/** @param placeOf where an element of a gate `[rows, units]` was stored in it */
function rearrangeGates(
  tensor: Tensor,
  gates: number,
  placeOf: (row: number, unit: number, units: number) => readonly [row: number, unit: number],
): Tensor {
  const [rows, columns] = tensor.shape as readonly [number, number];
  const units = columns / gates;
  const source = floats(tensor);
  const target = new Float32Array(source.length);
  for (let row = 0; row < rows; row++) {
    for (let unit = 0; unit < units; unit++) {
      const [fromRow, fromUnit] = placeOf(row, unit, units);
      const [from, to] = [fromRow * columns + fromUnit, row * columns + unit];
      for (let gate = 0; gate < columns; gate += units) target[to + gate] = source[from + gate] as number;
    }
  }
  return new Tensor(tensor.shape, 'float32', target);
}

function addHalves(tensor: Tensor): Tensor {
  const source = floats(tensor);
  const half = source.length / 2;
  const target = source.slice(0, half);
  for (let index = 0; index < half; index++)
    target[index] = (target[index] as number) + (source[half + index] as number);
  return new Tensor([half], 'float32', target);
}

function floats(tensor: Tensor): Float32Array {
  return tensor.data as Float32Array;
}

const permuted =
  (permutation: readonly number[]) =>
  (tensor: Tensor): Tensor =>
    permute(tensor, permutation);

function permute(tensor: Tensor, permutation: readonly number[]): Tensor {
  const shape = permutation.map((axis) => tensor.shape[axis] as number);
  const source = floats(tensor);
  const target = new Float32Array(source.length);
  const strides = permutation.map((axis) => sizeOf(tensor.shape.slice(axis + 1)));
  const position = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let index = 0; index < target.length; index++) {
    target[index] = source[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis] as number;
      position[axis] = (position[axis] as number) + 1;
      if ((position[axis] as number) < (shape[axis] as number)) break;
      from -= (strides[axis] as number) * (shape[axis] as number);
      position[axis] = 0;
    }
  }
  return new Tensor(shape, 'float32', target);
}

/** Turns a kernel `[…spatial, in, out]` round in all its spatial axes. */
function flipSpatial(tensor: Tensor): Tensor {
  const channels = sizeOf(tensor.shape.slice(-2));
  const positions = tensor.data.length / channels;
  const source = floats(tensor);
  const target = new Float32Array(source.length);
  for (let position = 0; position < positions; position++) {
    const from = (positions - 1 - position) * channels;
    target.set(source.subarray(from, from + channels), position * channels);
  }
  return new Tensor(tensor.shape, 'float32', target);
}

const concatenateLast: Convert = (tensors) => {
  const [first] = tensors as readonly [Tensor, ...Tensor[]];
  const width = first.shape.at(-1) as number;
  const rows = first.data.length / width;
  const target = new Float32Array(first.data.length * tensors.length);
  for (let row = 0; row < rows; row++) {
    for (const [index, tensor] of tensors.entries()) {
      target.set(floats(tensor).subarray(row * width, (row + 1) * width), (row * tensors.length + index) * width);
    }
  }
  return new Tensor([...first.shape.slice(0, -1), width * tensors.length], 'float32', target);
};
