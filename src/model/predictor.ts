import { formatShape } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import type { Backend, Program, Update } from '../compiler/backend.ts';
import { input as inputSymbol } from '../graph/apply.ts';
import type { Graph, SymbolicTensor } from '../graph/node.ts';
import type { Variable } from '../graph/variable.ts';
import { KerasTensor } from '../layers/keras-tensor.ts';
import { breathing } from '../pause.ts';
import type { Callback } from '../training/callbacks/callback.ts';
import { defaultBackend } from './default-backend.ts';
import type { KerasModel, TensorStructure } from './keras-model.ts';
import type { PredictDataset } from './predict-batches.ts';
import { ProgramCache } from './program-cache.ts';
import { type PredictInputs, readInputs } from './read-inputs.ts';
import { concatenateRows, sliceRows } from './rows.ts';

/** One tensor for a model with one output; else as the model's outputs are nested. */
export type PredictOutputs = TensorStructure<Tensor>;

export interface PredictOptions {
  /** Rows computed at a time; 32 as in Keras. */
  readonly batchSize?: number;
  /** Batches to take from a dataset; all of them unless given. */
  readonly steps?: number;
  /** Called after each batch of arrays with the number of rows done and their total. */
  readonly onProgress?: (doneRows: number, totalRows: number) => void;
  /** Checked between batches. */
  readonly signal?: AbortSignal;
  /** Compiles the program; by default the WebAssembly backend. */
  readonly backend?: Backend;
  /** Told of the beginning and the end of each batch, and of the whole. */
  readonly callbacks?: readonly Callback[];
}

/** A program with what it was compiled from, for a batch or a slice of it; without a graph when its runs change the model. */
interface TracedProgram {
  readonly program: Program;
  readonly graph: Graph | undefined;
}

/** Smaller batches are computed as a whole. */
const LEAST_SLICED_ROWS = 16;

/** Runs a model on batches; keeps one program for each set of input shapes. */
export class Predictor {
  readonly #model: KerasModel;
  readonly #programs = new ProgramCache<TracedProgram>();

  constructor(model: KerasModel) {
    this.#model = model;
  }

  async predict(inputs: PredictInputs | PredictDataset, options: PredictOptions): Promise<PredictOutputs> {
    const { batchSize = 32, onProgress, signal, callbacks } = options;
    const isStream = isDataset(inputs as object);
    const more = callbacks || isStream ? await import('./predict-batches.ts') : undefined;
    if (isStream && more) return await more.predictDataset(this.#model, inputs as PredictDataset, options);
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      throw new RangeError(`Cannot predict: batchSize is ${batchSize}, expected an integer above 0`);
    }
    const backend = options.backend ?? (await defaultBackend());
    const tensors = readInputs(this.#model, inputs as PredictInputs);
    const rows = tensors[0]?.shape[0] ?? 0;
    const batches: (readonly Tensor[])[] = [];
    const hooks = callbacks && more && new more.PredictHooks(this.#model, callbacks);
    await hooks?.begin(Math.ceil(rows / batchSize));
    let whole: TracedProgram | undefined;
    // Without rows one empty batch is run all the same: it gives the outputs their shapes.
    for (let start = 0; start < Math.max(rows, 1); start += batchSize) {
      signal?.throwIfAborted();
      const stop = Math.min(start + batchSize, rows);
      const batch = stop - start === rows ? tensors : tensors.map((value) => sliceRows(value, start, stop));
      await hooks?.beginBatch();
      let outputs = stop - start < batchSize ? await runRows(whole, batch, signal) : undefined;
      if (outputs === undefined) {
        whole = await this.#programFor(backend, batch);
        outputs = (await runRows(whole, batch, signal)) ?? (await whole.program.run(batch));
      }
      batches.push(outputs);
      onProgress?.(stop, rows);
      if (await hooks?.endBatch(nestOutputs(this.#model.outputStructure, outputs))) break;
    }
    await hooks?.end();
    const outputs = this.#model.outputs.map((_, index) =>
      concatenateRows(batches.map((batch) => batch[index] as Tensor)),
    );
    return nestOutputs(this.#model.outputStructure, outputs);
  }

  /** Compiles the program for batches of such shapes, which `predict` finds then. */
  async compile(batch: readonly Tensor[]): Promise<Program> {
    return (await this.#programFor(await defaultBackend(), batch)).program;
  }

  #programFor(backend: Backend, batch: readonly Tensor[]): Promise<TracedProgram> {
    const key = batch.map((value) => value.dtype + formatShape(value.shape)).join(' ');
    return this.#programs.get(backend, key, () => this.#compile(backend, batch));
  }

  async #compile(backend: Backend, batch: readonly Tensor[]): Promise<TracedProgram> {
    const { graph, updates } = await this.#trace(batch);
    if (updates.length > 0) return { program: await backend.compile(graph, { updates }), graph: undefined };
    if ((batch[0]?.shape[0] ?? 0) >= LEAST_SLICED_ROWS) {
      const { findSlice } = await import('./row-slices.ts');
      const slice = await findSlice(graph, batch, async (part) => (await this.#trace(part)).graph);
      if (slice !== undefined) return await this.#programFor(backend, slice);
    }
    return { program: await backend.compile(graph), graph };
  }

  async #trace(batch: readonly Tensor[]): Promise<{ readonly graph: Graph; readonly updates: readonly Update[] }> {
    const inputs = batch.map((value, index) => inputSymbol(`input ${index}`, value));
    const updates = new Map<Variable, SymbolicTensor>();
    const outputs = await breathing(
      this.#model.traceSteps(
        inputs.map((symbol) => ({ tensor: symbol })),
        { training: false, update: (variable, value) => updates.set(variable, value) },
      ),
    );
    return { graph: { inputs, outputs: outputs.map(({ tensor }) => tensor) }, updates: [...updates] };
  }
}

/** Runs a batch with a program that is for another number of rows, where that can be done. */
async function runRows(
  traced: TracedProgram | undefined,
  batch: readonly Tensor[],
  signal: AbortSignal | undefined,
): Promise<readonly Tensor[] | undefined> {
  if (traced?.graph === undefined || traced.graph.inputs[0]?.shape[0] === batch[0]?.shape[0]) return undefined;
  return (await import('./row-slices.ts')).runSlices(traced.program, traced.graph, batch, signal);
}

/** Whether batches come one after the other: what can be iterated and has no length, and functions that give such. */
function isDataset(inputs: object): boolean {
  return (
    typeof inputs === 'function' ||
    (!('length' in inputs) && (Symbol.iterator in inputs || Symbol.asyncIterator in inputs))
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
