/** What a model is fed with: the forms in which its inputs can be given, made tensors. */
import type { Dtype } from '../array/dtype.ts';
import { formatShape, type PartialShape, type Shape, sizeOf } from '../array/shape.ts';
import { type NestedArray, Tensor, tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';
import { KerasTensor } from '../layers/keras-tensor.ts';
import type { KerasModel } from './keras-model.ts';

/** Values of one input: a tensor, a typed array (shaped by the input), or nested arrays. */
export type InputValue = Tensor | ArrayLike<number> | NestedArray;

/** Values of a model's inputs: of the only one, or of several as a list or a record by input name. */
export type PredictInputs = InputValue | readonly InputValue[] | { readonly [name: string]: InputValue };

/**
 * One tensor for each input of the model, in order, with the dtype of the input.
 *
 * @param action what cannot be done when an input does not fit, for the message
 * @throws {ShapeError} when an input does not fit.
 */
export function readInputs(model: KerasModel, inputs: PredictInputs, action: string = 'predict'): readonly Tensor[] {
  if (!model.built) {
    const value = inputs instanceof Tensor ? inputs : tensor(inputs as NestedArray);
    model.ensureBuilt([value.shape]);
  }
  const expected = model.inputs;
  const values = listInputs(model, expected, inputs, action);
  const tensors = expected.map((symbol, index) => readInput(symbol, values[index] as InputValue, action));
  const rows = tensors[0]?.shape[0];
  for (const [index, value] of tensors.entries()) {
    if (value.shape[0] !== rows) {
      throw new ShapeError(
        `Cannot ${action}: input "${expected[index]?.name}" has ${value.shape[0]} rows, expected ${rows} as the first`,
      );
    }
  }
  return tensors;
}

function listInputs(
  model: KerasModel,
  expected: readonly KerasTensor[],
  inputs: PredictInputs,
  action: string,
): readonly InputValue[] {
  if (isRecord(inputs)) {
    const names = inputNames(model, expected);
    const unknown = Object.keys(inputs).filter((name) => !names.includes(name));
    const missing = names.filter((name) => !Object.hasOwn(inputs, name));
    if (unknown.length > 0 || missing.length > 0) {
      throw new RangeError(
        `Cannot ${action}: found inputs ${Object.keys(inputs).join(', ')}, expected ${names.join(', ')}`,
      );
    }
    return names.map((name) => inputs[name] as InputValue);
  }
  const isList = Array.isArray(inputs) && (expected.length > 1 || inputs.some(isArrayValue));
  const values = isList ? (inputs as readonly InputValue[]) : [inputs as InputValue];
  if (values.length !== expected.length) {
    throw new RangeError(`Cannot ${action}: found ${values.length} inputs, expected ${expected.length}`);
  }
  return values;
}

/** A model whose inputs were given as a record is fed by its keys, any other by the names of its input layers. */
function inputNames(model: KerasModel, expected: readonly KerasTensor[]): readonly string[] {
  const structure = model.inputStructure;
  return isRecord(structure) ? Object.keys(structure) : expected.map((symbol) => symbol.name);
}

/** Whether a value is one array, and not a list of arrays. */
export const isArrayValue = (value: unknown): boolean => value instanceof Tensor || ArrayBuffer.isView(value);

/** Whether a value is a record of values by name. */
export function isRecord(value: unknown): value is Readonly<Record<string, InputValue>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && !(value instanceof Tensor) && !(value instanceof KerasTensor) && !ArrayBuffer.isView(value);
}

function readInput(expected: KerasTensor, value: InputValue, action: string): Tensor {
  const given = toTensor(expected, value, action);
  const shape = fittingShape(expected, given.shape, action);
  if (given.dtype === expected.dtype && shape === given.shape) return given;
  if ((given.dtype === 'string') !== (expected.dtype === 'string')) {
    throw new TypeError(
      `Cannot ${action}: input "${expected.name}" has dtype ${given.dtype}, expected ${expected.dtype}`,
    );
  }
  return tensor(given.data as ArrayLike<number>, shape, expected.dtype);
}

function toTensor(expected: KerasTensor, value: InputValue, action: string): Tensor {
  if (value instanceof Tensor) return value;
  if (ArrayBuffer.isView(value)) {
    const flat = value as unknown as ArrayLike<number>;
    return tensor(flat, shapeOfFlat(expected, flat.length, action), expected.dtype);
  }
  const dtype: Dtype | undefined = expected.dtype === 'string' ? undefined : expected.dtype;
  return tensor(value as NestedArray, undefined, dtype);
}

/** The shape of a flat array: what the input says, with at most one unknown extent, which the length decides. */
function shapeOfFlat(expected: KerasTensor, length: number, action: string): Shape {
  const known = sizeOf(expected.shape.filter((extent) => extent !== null));
  const unknown = expected.shape.filter((extent) => extent === null).length;
  const extent = length / known;
  if (unknown > 1 || (unknown === 0 && length !== known) || !Number.isInteger(extent)) {
    throw new ShapeError(
      `Cannot ${action}: input "${expected.name}" is a flat array of ${length} elements, ` +
        `which does not tell its shape ${formatShape(expected.shape)}; pass a tensor`,
    );
  }
  return expected.shape.map((value) => value ?? extent);
}

/** The shape as the input has it: a missing or an extra last axis of one element is put right, as Keras does. */
function fittingShape(expected: KerasTensor, shape: Shape, action: string): Shape {
  if (fits(expected.shape, shape)) return shape;
  const extended = [...shape, 1];
  if (fits(expected.shape, extended)) return extended;
  if (shape.at(-1) === 1 && fits(expected.shape, shape.slice(0, -1))) return shape.slice(0, -1);
  throw new ShapeError(
    `Cannot ${action}: input "${expected.name}" has shape ${formatShape(shape)}, ` +
      `expected ${formatShape(expected.shape)}`,
  );
}

/** The batch is free, whatever the input layer says. */
function fits(expected: PartialShape, shape: Shape): boolean {
  return (
    expected.length === shape.length &&
    expected.every((extent, axis) => axis === 0 || extent === null || extent === shape[axis])
  );
}
