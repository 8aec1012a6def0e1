import type { Tensor } from '../array/tensor.ts';
import type { Graph, SymbolicTensor } from '../graph/node.ts';
import type { Variable } from '../graph/variable.ts';

/** A variable, and the value that it has after each run. */
export type Update = readonly [variable: Variable, value: SymbolicTensor];

export interface CompileOptions {
  /**
   * What each run assigns, all at once and after everything was computed: the graph sees the values from before.
   *
   * The values stay where the program computed them. They are copied out when somebody reads `variable.value`, and are
   * not copied back to the program that wrote them.
   */
  readonly updates?: readonly Update[];
}

/** Turns graphs into programs for one kind of processor. */
export interface Backend {
  readonly name: string;
  /**
   * Compiles a graph for the shapes it has. Variables are referred to, not read: their values are taken at each run,
   * and copied to the processor only when their version has changed.
   *
   * @throws {BackendError} when the host lacks what the backend needs.
   */
  compile(graph: Graph, options?: CompileOptions): Promise<Program>;
  /** Hears that a program which takes its time is about to be compiled: what that needs may start meanwhile. */
  prepare?(): void;
}

/** A compiled graph. Runs of one program do not overlap: a second waits for the first. */
export interface Program {
  /** Nanoseconds that a run takes one thread, roughly, and always the same; none where compiling costs nothing. */
  readonly cost?: number;
  /**
   * Brings weights to their place before the first run, which does the rest: what depends on no other variables than those
   * given, which have their values. Gives the thread back after some milliseconds, and says whether there is more to do.
   */
  prepare?(arrived: ReadonlySet<Variable>): Promise<boolean>;
  /** Takes one tensor for each input of the graph, in order; gives one for each output, owned by the caller. */
  run(inputs: readonly Tensor[]): Promise<Tensor[]>;
}
