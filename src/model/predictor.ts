import type { Dtype } from '../array/dtype.ts';
import { formatShape, type PartialShape, type Shape, sizeOf } from '../array/shape.ts';
import { type NestedArray, Tensor, tensor } from '../array/tensor.ts';
import type { Backend, Program } from '../compiler/backend.ts';
import { ShapeError } from '../errors.ts';
import { input as inputSymbol } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { Variable } from '../graph/variable.ts';
import { KerasTensor } from '../layers/keras-tensor.ts';
import type { KerasModel, TensorStructure } from './keras-model.ts';
import { concatenateRows, sliceRows } from './rows.ts';

/** Values of one input: a tensor, a typed array (shaped by the input), or nested arrays. */
export type InputValue = Tensor | ArrayLike<number> | NestedArray;

/** Values of a model's inputs: of the only one, or of several as a list or a record by input name. */
export type PredictInputs = InputValue | readonly InputValue[] | { readonly [name: string]: InputValue };

/** One tensor for a model with one output; else as the model's outputs are nested. */
export type PredictOutputs = TensorStructure<Tensor>;

export interface PredictOptions {
  /** Rows computed at a time; 32 as in Keras. */
  readonly batchSize?: number;
  /** Called after each batch with the number of rows done and their total. */
  readonly onProgress?: (doneRows: number, totalRows: number) => void;
  /** Checked between batches. */
  readonly signal?: AbortSignal;
  /** Compiles the program; by default the WebAssembly backend. */
  readonly backend?: Backend;
}

/** Runs a model on batches; keeps one program for each set of input shapes. */
export class Predictor {
  readonly #model: KerasModel;
  readonly #programs = new Map<string, Promise<Program>>();
  #defaultBackend: Promise<Backend> | undefined;

  constructor(model: KerasModel) {
    this.#model = model;
  }

  async predict(inputs: PredictInputs, options: PredictOptions): Promise<PredictOutputs> {
    const { batchSize = 32, onProgress, signal } = options;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      throw new RangeError(`Cannot predict: batchSize is ${batchSize}, expected an integer above 0`);
    }
    const backend = options.backend ?? (await this.#wasm());
    const tensors = readInputs(this.#model, inputs);
    const rows = tensors[0]?.shape[0] ?? 0;
    const batches: (readonly Tensor[])[] = [];
    // Without rows one empty batch is run all the same: it gives the outputs their shapes.
    for (let start = 0; start < Math.max(rows, 1); start += batchSize) {
      signal?.throwIfAborted();
      const stop = Math.min(start + batchSize, rows);
      const batch = stop - start === rows ? tensors : tensors.map((value) => sliceRows(value, start, stop));
      const program = await this.#program(backend, batch);
      batches.push(await program.run(batch));
      onProgress?.(stop, rows);
    }
    const outputs = this.#model.outputs.map((_, index) =>
      concatenateRows(batches.map((batch) => batch[index] as Tensor)),
    );
    return nestOutputs(this.#model.outputStructure, outputs);
  }

  #program(backend: Backend, batch: readonly Tensor[]): Promise<Program> {
    const key = `${backend.name} ${batch.map((value) => value.dtype + formatShape(value.shape)).join(' ')}`;
    let program = this.#programs.get(key);
    if (program === undefined) {
      program = this.#compile(backend, batch);
      this.#programs.set(key, program);
    }
    return program;
  }

  #compile(backend: Backend, batch: readonly Tensor[]): Promise<Program> {
    const inputs = batch.map((value, index) => inputSymbol(`input ${index}`, value));
    const updates = new Map<Variable, SymbolicTensor>();
    const outputs = this.#model.trace(
      inputs.map((symbol) => ({ tensor: symbol })),
      { training: false, update: (variable, value) => updates.set(variable, value) },
    );
    return backend.compile({ inputs, outputs: outputs.map(({ tensor }) => tensor) }, { updates: [...updates] });
  }

  #wasm(): Promise<Backend> {
    this.#defaultBackend ??= import('../backends/wasm/wasm-backend.ts').then(({ wasmBackend }) => wasmBackend());
    return this.#defaultBackend;
  }
}

/** One tensor for each input of the model, in order, with the dtype of the input. */
function readInputs(model: KerasModel, inputs: PredictInputs): readonly Tensor[] {
  if (!model.built) {
    const value = inputs instanceof Tensor ? inputs : tensor(inputs as NestedArray);
    model.ensureBuilt([value.shape]);
  }
  const expected = model.inputs;
  const values = listInputs(model, expected, inputs);
  const tensors = expected.map((symbol, index) => readInput(symbol, values[index] as InputValue));
  const rows = tensors[0]?.shape[0];
  for (const [index, value] of tensors.entries()) {
    if (value.shape[0] !== rows) {
      throw new ShapeError(
        `Cannot predict: input "${expected[index]?.name}" has ${value.shape[0]} rows, expected ${rows} as the first`,
      );
    }
  }
  return tensors;
}

function listInputs(model: KerasModel, expected: readonly KerasTensor[], inputs: PredictInputs): readonly InputValue[] {
  if (isRecord(inputs)) {
    const names = inputNames(model, expected);
    const unknown = Object.keys(inputs).filter((name) => !names.includes(name));
    const missing = names.filter((name) => !Object.hasOwn(inputs, name));
    if (unknown.length > 0 || missing.length > 0) {
      throw new RangeError(
        `Cannot predict: found inputs ${Object.keys(inputs).join(', ')}, expected ${names.join(', ')}`,
      );
    }
    return names.map((name) => inputs[name] as InputValue);
  }
  const isList = Array.isArray(inputs) && (expected.length > 1 || inputs.some(isArrayValue));
  const values = isList ? (inputs as readonly InputValue[]) : [inputs as InputValue];
  if (values.length !== expected.length) {
    throw new RangeError(`Cannot predict: found ${values.length} inputs, expected ${expected.length}`);
  }
  return values;
}

/** A model whose inputs were given as a record is fed by its keys, any other by the names of its input layers. */
function inputNames(model: KerasModel, expected: readonly KerasTensor[]): readonly string[] {
  const structure = model.inputStructure;
  return isRecord(structure) ? Object.keys(structure) : expected.map((symbol) => symbol.name);
}

const isArrayValue = (value: unknown): boolean => value instanceof Tensor || ArrayBuffer.isView(value);

function isRecord(value: unknown): value is Readonly<Record<string, InputValue>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && !(value instanceof Tensor) && !(value instanceof KerasTensor) && !ArrayBuffer.isView(value);
}

function readInput(expected: KerasTensor, value: InputValue): Tensor {
  const given = toTensor(expected, value);
  const shape = fittingShape(expected, given.shape);
  if (given.dtype === expected.dtype && shape === given.shape) return given;
  if ((given.dtype === 'string') !== (expected.dtype === 'string')) {
    throw new TypeError(
      `Cannot predict: input "${expected.name}" has dtype ${given.dtype}, expected ${expected.dtype}`,
    );
  }
  return tensor(given.data as ArrayLike<number>, shape, expected.dtype);
}

function toTensor(expected: KerasTensor, value: InputValue): Tensor {
  if (value instanceof Tensor) return value;
  if (ArrayBuffer.isView(value)) {
    const flat = value as unknown as ArrayLike<number>;
    return tensor(flat, shapeOfFlat(expected, flat.length), expected.dtype);
  }
  const dtype: Dtype | undefined = expected.dtype === 'string' ? undefined : expected.dtype;
  return tensor(value as NestedArray, undefined, dtype);
}

/** The shape of a flat array: what the input says, with at most one unknown extent, which the length decides. */
function shapeOfFlat(expected: KerasTensor, length: number): Shape {
  const known = sizeOf(expected.shape.filter((extent) => extent !== null));
  const unknown = expected.shape.filter((extent) => extent === null).length;
  const extent = length / known;
  if (unknown > 1 || (unknown === 0 && length !== known) || !Number.isInteger(extent)) {
    throw new ShapeError(
      `Cannot predict: input "${expected.name}" is a flat array of ${length} elements, ` +
        `which does not tell its shape ${formatShape(expected.shape)}; pass a tensor`,
    );
  }
  return expected.shape.map((value) => value ?? extent);
}

/** The shape as the input has it: a missing or an extra last axis of one element is put right, as Keras does. */
function fittingShape(expected: KerasTensor, shape: Shape): Shape {
  if (fits(expected.shape, shape)) return shape;
  const extended = [...shape, 1];
  if (fits(expected.shape, extended)) return extended;
  if (shape.at(-1) === 1 && fits(expected.shape, shape.slice(0, -1))) return shape.slice(0, -1);
  throw new ShapeError(
    `Cannot predict: input "${expected.name}" has shape ${formatShape(shape)}, ` +
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

/** Puts flat outputs into the nesting of the model's outputs. */
function nestOutputs(structure: TensorStructure<KerasTensor>, outputs: readonly Tensor[]): PredictOutputs {
  let next = 0;
  const nest = (part: TensorStructure<KerasTensor>): PredictOutputs => {
    if (part instanceof KerasTensor) return outputs[next++] as Tensor;
    if (Array.isArray(part)) return part.map((element: TensorStructure<KerasTensor>) => nest(element));
    return Object.fromEntries(Object.entries(part).map(([key, element]) => [key, nest(element)]));
  };
  return nest(structure);
}
