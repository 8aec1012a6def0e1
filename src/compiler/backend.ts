import type { Tensor } from '../array/tensor.ts';
import type { Graph } from '../graph/node.ts';

/** Turns graphs into programs for one kind of processor. */
export interface Backend {
  readonly name: string;
  /**
   * Compiles a graph for the shapes it has. Variables are referred to, not read: their values are taken at each run,
   * and copied to the processor only when their version has changed.
   *
   * @throws {BackendError} when the host lacks what the backend needs.
   */
  compile(graph: Graph): Promise<Program>;
}

/** A compiled graph. Runs of one program do not overlap: a second waits for the first. */
export interface Program {
  /** Takes one tensor for each input of the graph, in order; gives one for each output, owned by the caller. */
  run(inputs: readonly Tensor[]): Promise<Tensor[]>;
}
