import type { DataOf } from '../../array/dtype.ts';
import type { NarrowArray } from '../../array/narrow-array.ts';
import { formatShape, shapesEqual } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import type { Program } from '../../compiler/backend.ts';
import { isPermanent, type MemoryPlan } from '../../compiler/plan.ts';
import type { Buffer, Schedule } from '../../compiler/schedule.ts';
import { ShapeError } from '../../errors.ts';
import type { Graph, SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import type { Recover } from './crew.ts';
import type { EarlyPrologue } from './early-prologue.ts';
import type { PrologueAction, PrologueStep } from './emit-program.ts';
import { type Entrust, entrustable } from './entrusted-weights.ts';
import { programCost } from './kernel-cost.ts';
import type { NumericData, Place } from './place.ts';
import type { KernelTime } from './profile-program.ts';

/** What a program needs besides its code. */
export interface WasmProgramParts {
  readonly graph: Graph;
  readonly schedule: Schedule;
  readonly plan: MemoryPlan;
  readonly prologue: readonly PrologueStep[];
  /** Where its memory and its code are. */
  readonly place: Place;
  /** Where each buffer of the schedule's inputs gets its value: an input of the graph, or a value that the host computes. */
  readonly sources: readonly Source[];
  /** Where each output of the graph comes from. */
  readonly results: readonly Result[];
  /** Computes the values that only the host can. */
  readonly host: Program | undefined;
  /** Finds another place after a run has failed; see `OpenProgram`. */
  readonly recover?: Recover | undefined;
}

export type Source = { readonly from: 'input' | 'host'; readonly index: number };

export type Result =
  | { readonly from: 'buffer'; readonly buffer: Buffer; readonly symbol: SymbolicTensor }
  | { readonly from: 'host'; readonly index: number };

/** Milliseconds of packing after which others have the thread, such as those that wait for what arrives. */
const PREPARE_MS = 8;

/** A graph as one WebAssembly instance with its own memory. */
export class WasmProgram implements Program {
  readonly #parts: WasmProgramParts;
  readonly #hostValues = new Map<Buffer, Variable | Tensor>();
  /** The version of each variable whose value is in the memory. */
  readonly #versions = new Map<Variable, number>();
  /** Whether the prologue has run. */
  #isReady = false;
  /** The weights that can be brought back from the memory; found when there are some to let go. */
  #entrustable: ReadonlyMap<Variable, Entrust> | undefined;
  /** What of the prologue has run before the first run, where something has. */
  #early: EarlyPrologue | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #place: Place;

  constructor(parts: WasmProgramParts) {
    this.#parts = parts;
    this.#place = parts.place;
    for (const [variable, buffer] of parts.schedule.parameters) this.#hostValues.set(buffer, variable);
    for (const [value, buffer] of parts.schedule.constants) this.#hostValues.set(buffer, value);
  }

  /** What the program consists of. */
  get schedule(): Schedule {
    return this.#parts.schedule;
  }

  get cost(): number {
    return programCost(this.#parts.schedule.kernels);
  }

  /** How many threads took part in the last run. */
  get threads(): number {
    return this.#place.threads;
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

  async prepare(arrived: ReadonlySet<Variable>): Promise<boolean> {
    const { EarlyPrologue } = await import('./early-prologue.ts');
    const result = this.#last.then(async () => {
      if (this.#isReady) return false;
      const deadline = performance.now() + PREPARE_MS;
      const early = this.#early ?? new EarlyPrologue(this.#parts.prologue, this.#parts.plan);
      this.#early = early;
      for (const piece of early.ready(arrived, (variable) => !this.#isOutdated(variable))) {
        if (performance.now() > deadline) return true;
        // What is assigned meanwhile is copied by the run.
        for (const variable of piece.variables) this.#versions.set(variable, variable.version);
        for (const { action } of piece.steps) await this.#perform(action);
        this.#entrust(early.finish(piece));
      }
      return false;
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  /**
   * Runs once, and then kernel by kernel, which gives the time of each. What the run assigns, it assigns once.
   *
   * @throws {BackendError} when the backend was not asked for programs that can do it.
   */
  async profile(inputs: readonly Tensor[]): Promise<KernelTime[]> {
    const { profileKernels } = await import('./profile-program.ts');
    await this.run(inputs);
    // The run may have put other values in the inputs' place.
    await this.#prepare(inputs);
    return profileKernels(this.#parts.schedule, this.#place);
  }

  async #run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    try {
      return await this.#attempt(inputs);
    } catch (cause) {
      const { recover } = this.#parts;
      if (recover === undefined) throw cause;
      const { place, error } = await recover(cause);
      this.#place = place;
      this.#versions.clear();
      this.#isReady = false;
      this.#early = undefined;
      if (error !== undefined) throw error;
      return await this.#attempt(inputs);
    }
  }

  async #attempt(inputs: readonly Tensor[]): Promise<Tensor[]> {
    const { schedule, results } = this.#parts;
    const computed = await this.#prepare(inputs);
    const versions = schedule.updates.map(({ variable }) => variable.version);
    await this.#place.run();
    this.#announceUpdates(versions);
    return results.map((result) => {
      if (result.from === 'host') return computed[result.index] as Tensor;
      return this.#takeTensor(result.buffer, result.symbol);
    });
  }

  /** Brings variables and inputs to their places; gives what the host computes. */
  async #prepare(inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
    const { schedule, sources, host } = this.#parts;
    const computed = host === undefined ? [] : await host.run(inputs);
    await this.#refreshVariables();
    for (const [index, buffer] of schedule.inputs.entries()) {
      const source = sources[index] as Source;
      const value = (source.from === 'input' ? inputs : computed)[source.index] as Tensor;
      await this.#place.write(buffer, value.data as NumericData);
    }
    return computed;
  }

  /** Runs the part of the prologue that depends on variables that have changed. */
  async #refreshVariables(): Promise<void> {
    const { schedule } = this.#parts;
    const stale = new Set([...schedule.parameters.keys()].filter((variable) => this.#isStale(variable)));
    if (this.#isReady && stale.size === 0) return;
    // What is assigned meanwhile is copied the next time.
    for (const variable of stale) this.#versions.set(variable, variable.version);
    for (const { action } of this.#staleSteps(stale)) await this.#perform(action);
    this.#isReady = true;
    this.#early = undefined;
    this.#entrust(stale);
  }

  /** Lets go of the arrays of weights that can be brought back from the memory. */
  #entrust(variables: ReadonlySet<Variable>): void {
    const place = this.#place;
    if (place.peek === undefined) return;
    this.#entrustable ??= entrustable(this.#parts);
    for (const variable of variables) {
      // What was assigned meanwhile is not in the memory.
      if (this.#isStale(variable)) continue;
      this.#entrustable.get(variable)?.((buffer) => place.peek?.(buffer) as NumericData);
    }
  }

  /** Tells the variables that the run has assigned where their values are; what others have assigned meanwhile stays. */
  #announceUpdates(versions: readonly number[]): void {
    // A program that has lost its place has another then.
    const place = this.#place;
    for (const [index, { variable, state }] of this.#parts.schedule.updates.entries()) {
      const { shape, dtype, version } = variable;
      if (version !== versions[index]) continue;
      variable.assignLazily(() => new Tensor(shape, dtype, place.take(state) as DataOf<typeof dtype>));
      this.#versions.set(variable, variable.version);
    }
  }

  #takeTensor(buffer: Buffer, { shape, dtype }: Pick<Tensor, 'shape' | 'dtype'>): Tensor {
    return new Tensor(shape, dtype, this.#place.take(buffer) as DataOf<typeof dtype>);
  }

  /** Whether another value than the present one is in the memory. */
  #isOutdated(variable: Variable): boolean {
    return this.#versions.has(variable) && this.#isStale(variable);
  }

  #isStale(variable: Variable): boolean {
    return this.#versions.get(variable) !== variable.version;
  }

  /** In order: what depends on the variables, and what computes the passing values that it reads. */
  #staleSteps(stale: ReadonlySet<Variable>): PrologueStep[] {
    const { prologue, plan } = this.#parts;
    if (!this.#isReady) return this.#early?.stepsLeft(stale) ?? [...prologue];
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

  async #perform(action: PrologueAction): Promise<void> {
    const place = this.#place;
    switch (action.kind) {
      case 'upload':
        await place.write(action.buffer, this.#hostValueOf(action.buffer));
        break;
      case 'call':
        await place.call(action.exportName, action.words);
        break;
      case 'pack': {
        const { input, output, pack, packNarrow } = action.kernel;
        if (packNarrow !== undefined) {
          const { narrow } = this.#hostValues.get(input) as Variable;
          await place.fill(output, (target) => packNarrow(narrow as NarrowArray, target as Float32Array));
          break;
        }
        if (pack === undefined) throw new TypeError(`Cannot pack "${input.name}": no way was given`);
        const source = await (input.role === 'persistent' ? place.view(input) : this.#hostValueOf(input));
        await place.fill(output, (target) => pack(source as Float32Array, target as Float32Array));
        break;
      }
    }
  }

  /** The value of a variable or constant, by its buffer. */
  #hostValueOf(buffer: Buffer): NumericData {
    const value = this.#hostValues.get(buffer);
    return (value instanceof Variable ? value.value : value)?.data as NumericData;
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
