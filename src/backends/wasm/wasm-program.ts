import { type DataOf, zeroData } from '../../array/dtype.ts';
import { formatShape, shapesEqual } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import type { Program } from '../../compiler/backend.ts';
import { isPermanent, type MemoryPlan } from '../../compiler/plan.ts';
import type { Buffer, Schedule } from '../../compiler/schedule.ts';
import { BackendError, ShapeError } from '../../errors.ts';
import type { Graph, SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { kernelExport, type PrologueAction, type PrologueStep, RUN } from './emit-program.ts';
import type { ThreadedProgram } from './thread-pool.ts';

type NumericData = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** What a program needs besides its code. */
export interface WasmProgramParts {
  readonly graph: Graph;
  readonly schedule: Schedule;
  readonly plan: MemoryPlan;
  readonly prologue: readonly PrologueStep[];
  readonly memory: WebAssembly.Memory;
  readonly instance: WebAssembly.Instance;
  /** Where each buffer of the schedule's inputs gets its value: an input of the graph, or a value that the host computes. */
  readonly sources: readonly Source[];
  /** Where each output of the graph comes from. */
  readonly results: readonly Result[];
  /** Computes the values that only the host can. */
  readonly host: Program | undefined;
  /** Those who run the program with the caller. */
  readonly team: Team | undefined;
}

interface Team {
  readonly pool: { call(program: ThreadedProgram): number };
  readonly program: ThreadedProgram;
}

export type Source = { readonly from: 'input' | 'host'; readonly index: number };

export type Result =
  | { readonly from: 'buffer'; readonly buffer: Buffer; readonly symbol: SymbolicTensor }
  | { readonly from: 'host'; readonly index: number };

/** How long one kernel took. */
export interface KernelTime {
  /** What it does; see `formatSchedule`. */
  readonly kernel: string;
  readonly milliseconds: number;
}

/** A graph as one WebAssembly instance with its own memory. */
export class WasmProgram implements Program {
  readonly #parts: WasmProgramParts;
  readonly #hostValues = new Map<Buffer, Variable | Tensor>();
  /** The version of each variable whose value is in the memory. */
  readonly #versions = new Map<Variable, number>();
  /** Whether the prologue has run. */
  #isReady = false;
  #last: Promise<unknown> = Promise.resolve();
  #threads = 1;

  constructor(parts: WasmProgramParts) {
    this.#parts = parts;
    for (const [variable, buffer] of parts.schedule.parameters) this.#hostValues.set(buffer, variable);
    for (const [value, buffer] of parts.schedule.constants) this.#hostValues.set(buffer, value);
  }

  /** What the program consists of. */
  get schedule(): Schedule {
    return this.#parts.schedule;
  }

  /** How many threads took part in the last run. */
  get threads(): number {
    return this.#threads;
  }

  /** Where its buffers are. */
  get plan(): MemoryPlan {
    return this.#parts.plan;
  }

  async run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    checkInputs(this.#parts.graph, inputs);
    const result = this.#last.then(() => this.#run(inputs));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /**
   * Runs once, and then kernel by kernel, which gives the time of each. What the run assigns, it assigns once.
   *
   * @throws {BackendError} when the backend was not asked for programs that can do it.
   */
  async profile(inputs: readonly Tensor[]): Promise<KernelTime[]> {
    const { schedule, instance } = this.#parts;
    if (schedule.kernels.length > 0 && instance.exports[kernelExport(0)] === undefined) {
      throw new BackendError('Cannot profile the program: ask for it with `wasmBackend({ profile: true })`', 'wasm');
    }
    const { formatKernel } = await import('../../compiler/format-schedule.ts');
    await this.run(inputs);
    // Kernels may overwrite states.
    const states = schedule.updates.map(({ state }) => [state, this.#view(state).slice()] as const);
    const times = schedule.kernels.map((kernel, index) => {
      const started = performance.now();
      (instance.exports[kernelExport(index)] as () => void)();
      return { kernel: formatKernel(kernel), milliseconds: performance.now() - started };
    });
    for (const [state, before] of states) this.#view(state).set(before);
    return times;
  }

  async #run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    const { schedule, instance, sources, results, host, team } = this.#parts;
    const computed = host === undefined ? [] : await host.run(inputs);
    this.#refreshVariables();
    for (const [index, buffer] of schedule.inputs.entries()) {
      const source = sources[index] as Source;
      const value = (source.from === 'input' ? inputs : computed)[source.index] as Tensor;
      this.#view(buffer).set(value.data as NumericData);
    }
    this.#threads = team?.pool.call(team.program) ?? 1;
    (instance.exports[RUN] as (threads: number) => void)(this.#threads);
    this.#announceUpdates();
    return results.map((result) => {
      if (result.from === 'host') return computed[result.index] as Tensor;
      return this.#copyOut(result.buffer, result.symbol);
    });
  }

  /** Runs the part of the prologue that depends on variables that have changed. */
  #refreshVariables(): void {
    const { schedule } = this.#parts;
    const stale = new Set([...schedule.parameters.keys()].filter((variable) => this.#isStale(variable)));
    if (this.#isReady && stale.size === 0) return;
    for (const { action } of this.#staleSteps(stale)) this.#perform(action);
    for (const variable of stale) this.#versions.set(variable, variable.version);
    this.#isReady = true;
  }

  /** Tells the variables that the run has assigned where their values are. */
  #announceUpdates(): void {
    for (const { variable, state } of this.#parts.schedule.updates) {
      variable.assignLazily(() => this.#copyOut(state, variable));
      this.#versions.set(variable, variable.version);
    }
  }

  #copyOut(buffer: Buffer, { shape, dtype }: Pick<Tensor, 'shape' | 'dtype'>): Tensor {
    const data = zeroData(dtype, buffer.size);
    (data as NumericData).set(this.#view(buffer));
    return new Tensor(shape, dtype, data as DataOf<typeof dtype>);
  }

  #isStale(variable: Variable): boolean {
    return this.#versions.get(variable) !== variable.version;
  }

  /** In order: what depends on the variables, and what computes the passing values that it reads. */
  #staleSteps(stale: ReadonlySet<Variable>): PrologueStep[] {
    const { prologue, plan } = this.#parts;
    if (!this.#isReady) return [...prologue];
    const steps: PrologueStep[] = [];
    const missing = new Set<Buffer>();
    for (const step of [...prologue].reverse()) {
      const isNeeded =
        step.writes.some((buffer) => missing.has(buffer)) ||
        [...step.variables].some((variable) => stale.has(variable));
      if (!isNeeded) continue;
      steps.push(step);
      for (const buffer of step.reads) if (!isPermanent(plan, buffer)) missing.add(buffer);
    }
    return steps.reverse();
  }

  #perform(action: PrologueAction): void {
    switch (action.kind) {
      case 'upload':
        this.#view(action.buffer).set(this.#hostValueOf(action.buffer));
        break;
      case 'call':
        (this.#parts.instance.exports[action.exportName] as () => void)();
        break;
      case 'pack': {
        const { input, output, pack } = action.kernel;
        const source = input.role === 'persistent' ? this.#view(input) : this.#hostValueOf(input);
        pack(source as Float32Array, this.#view(output) as Float32Array);
        break;
      }
    }
  }

  /** The value of a variable or constant, by its buffer. */
  #hostValueOf(buffer: Buffer): NumericData {
    const value = this.#hostValues.get(buffer);
    return (value instanceof Variable ? value.value : value)?.data as NumericData;
  }

  #view(buffer: Buffer): NumericData {
    const offset = this.#parts.plan.offsets.get(buffer) ?? 0;
    const { buffer: bytes } = this.#parts.memory;
    switch (buffer.dtype) {
      case 'float32':
        return new Float32Array(bytes, offset, buffer.size);
      case 'int32':
        return new Int32Array(bytes, offset, buffer.size);
      case 'bool':
        return new Uint8Array(bytes, offset, buffer.size);
    }
  }
}

function checkInputs(graph: Graph, inputs: readonly Tensor[]): void {
  if (inputs.length !== graph.inputs.length) {
    throw new ShapeError(`Cannot run the program: found ${inputs.length} inputs, expected ${graph.inputs.length}`);
  }
  for (const [index, expected] of graph.inputs.entries()) {
    const found = inputs[index] as Tensor;
    if (found.dtype === expected.dtype && shapesEqual(found.shape, expected.shape)) continue;
    throw new ShapeError(
      `Cannot run the program: input ${index} is ${found.dtype}${formatShape(found.shape)}, ` +
        `expected ${expected.dtype}${formatShape(expected.shape)}`,
    );
  }
}
