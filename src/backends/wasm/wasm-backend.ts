import type { Backend, CompileOptions, Program, Update } from '../../compiler/backend.ts';
import { checkUpdates } from '../../compiler/check-updates.ts';
import { foldAffine } from '../../compiler/fold-affine.ts';
import { lowerGraph } from '../../compiler/lower.ts';
import { planMemory } from '../../compiler/plan.ts';
import { type Evaluate, hasConstantParts, simplify } from '../../compiler/simplify.ts';
import { BackendError } from '../../errors.ts';
import { type AnyNode, type Graph, type SymbolicTensor, topologicalOrder } from '../../graph/node.ts';
import { breathe, breathing } from '../../pause.ts';
import { asksWide } from './assembler-features.ts';
import { emitProgram } from './emit-program.ts';
import { LEAST_SHARED_COST, programCost } from './kernel-cost.ts';
import { LocalPlace } from './place.ts';
import { prepareNodes } from './prepare-nodes.ts';
import { loadRareCode, loadRareModules } from './rare-code.ts';
import { type Result, type Source, WasmProgram } from './wasm-program.ts';

export interface WasmBackendOptions {
  /** Computes what only the host can: strings, and functions of host tensors. By default the interpreter. */
  readonly fallback?: Backend;
  /** Whether to use relaxed SIMD; by default, whether the engine has it. */
  readonly relaxedSimd?: boolean;
  /**
   * Whether kernels are written for vectors of 256 bits, where the engine can make some: twice as fast, with the same bits.
   * Unless given, what the environment variable `HORNET_WIDE` says (`1`), else not.
   *
   * In Node 24 this sets an experimental flag of V8 for the whole process, `--experimental-wasm-revectorize`; a browser
   * on Chromium has to be started with it (`--js-flags`). Elsewhere the option changes nothing.
   */
  readonly wide?: boolean;
  /**
   * How many threads run a program that is large enough to share, the calling one included. Unless given, as many as the
   * host has processors, at most 8, or as many as the environment variable `HORNET_THREADS` says.
   *
   * In a page the calling thread is none of them: programs run in workers, one where the page is not cross-origin
   * isolated. What takes less than a message to a worker does runs at once.
   */
  readonly threads?: number;
  /** Whether programs of a page run in the calling thread all the same, one at a time. */
  readonly inPlace?: boolean;
  /** For how many seconds a run waits for a thread that does not come, until it goes on without; 30 unless given. */
  readonly patienceSeconds?: number;
  /** Whether programs can say how long each of their kernels takes; see `WasmProgram.profile`. */
  readonly profile?: boolean;
}

export interface WasmBackend extends Backend {
  compile(graph: Graph, options?: CompileOptions): Promise<WasmProgram>;
}

const PAGE_BYTES = 65536;

/** WebAssembly addresses have 32 bits. */
const MOST_PAGES = 65536;

/** Bytes after the last buffer that a kernel may read, but never uses: whole vectors at the end of a row. */
const SLACK_BYTES = 64;

/**
 * The CPU: each graph becomes one WebAssembly module, written for its shapes.
 *
 * What the host computes (strings, `host` nodes) is computed before the kernels, by another backend. Compiling fails
 * with a `BackendError` when the engine has no SIMD, or when the memory would exceed 4 GiB.
 */
export function wasmBackend(options: WasmBackendOptions = {}): WasmBackend {
  return {
    name: 'wasm',
    compile: (graph, { updates = [] } = {}) => compileGraph(graph, updates, options),
    prepare: () => {
      // Who compiles hears of what fails.
      import('./crew.ts').then(({ startHelpers }) => startHelpers(options)).catch(() => {});
    },
  };
}

async function compileGraph(
  given: Graph,
  givenUpdates: readonly Update[],
  options: WasmBackendOptions,
): Promise<WasmProgram> {
  // Compiling a large model takes longer than a page may be away.
  await breathe();
  const updated = givenUpdates.map(([variable]) => variable);
  checkUpdates(givenUpdates);
  // The values of updates are outputs like others, until kernels are made.
  const complete = { inputs: given.inputs, outputs: [...given.outputs, ...givenUpdates.map(([, value]) => value)] };
  const merged = await mergedLoops(complete);
  const evaluate = await evaluatorFor(complete);
  await breathe();
  const simple = await breathing(simplify(merged, evaluate));
  const whole = await breathing(foldAffine(simple, new Set(updated)));
  await loadRareCode(whole);
  await breathe();
  if (updated.length > 0) await loadRareModules('groups');
  // The same list, where it is one, so that its order need not be found again.
  const graph = updated.length === 0 ? whole : { ...whole, outputs: whole.outputs.slice(0, given.outputs.length) };
  const updates = updated.map((variable, index): Update => {
    return [variable, whole.outputs[given.outputs.length + index] as SymbolicTensor];
  });
  const boundary = hostBoundary(whole);
  const host = await compileHostPart(graph, boundary, options.fallback);
  const numericInputs = graph.inputs.filter((symbol) => symbol.dtype !== 'string');
  const numericBoundary = boundary.filter((symbol) => symbol.dtype !== 'string');
  const numericOutputs =
    boundary.length === 0 ? graph.outputs : graph.outputs.filter((symbol) => !boundary.includes(symbol));
  await breathe();
  const numeric = { inputs: [...numericInputs, ...numericBoundary], outputs: numericOutputs };
  const training = updates.length === 0 ? undefined : await import('../../compiler/training-advice.ts');
  const scheduled = await breathing(lowerGraph(numeric, updates, training?.trainingAdvice(numeric, updates)));
  const lowered = { ...scheduled, kernels: training?.splitFolds(scheduled.kernels) ?? scheduled.kernels };
  const cost = programCost(lowered.kernels);
  const crew =
    cost < LEAST_SHARED_COST || options.profile ? undefined : await (await import('./crew.ts')).crewFor(options, cost);
  const threads = crew?.threads ?? 1;
  await breathe();
  const prepared = prepareNodes(lowered, threads);
  const { schedule } = prepared;
  await breathe();
  const plan = planMemory(schedule);
  await breathe();
  const { totalBytes, offsets } = plan;
  // Behind the buffers, at a multiple of a cache line.
  const meeting = Math.ceil((totalBytes + SLACK_BYTES) / 64) * 64;
  const endBytes = crew?.meeting === undefined ? totalBytes + SLACK_BYTES : meeting + crew.meeting.bytes;
  const pages = Math.ceil(endBytes / PAGE_BYTES);
  if (pages > MOST_PAGES) {
    throw new BackendError(
      `Cannot compile the graph: it needs ${totalBytes} bytes of memory, expected at most 4 GiB; use a smaller batch`,
      'wasm',
    );
  }
  const wide = (options.wide ?? asksWide()) && (await (await import('./wide-vectors.ts')).joinsVectors());
  const { bytes, prologue } = await emitProgram(prepared, offsets, pages, {
    ...options,
    wide,
    team: crew?.meeting?.team(meeting),
  });
  const shared = crew?.meeting && { maximum: pages, shared: true };
  const module = await compiled(() => WebAssembly.compile(bytes));
  const openHere = (): Promise<LocalPlace> =>
    compiled(async () => {
      const memory = new WebAssembly.Memory({ initial: pages, ...shared });
      const { exports } = await WebAssembly.instantiate(module, { host: { memory } });
      return new LocalPlace(memory, exports, offsets);
    });
  const { outputs } = schedule;
  const states = schedule.updates.map(({ state }) => state);
  const { place, recover } =
    crew === undefined
      ? { place: await openHere(), recover: undefined }
      : await crew.open({ module, pages, meeting, offsets, outputs, states, openHere });
  const sources: Source[] = [
    ...numericInputs.map((symbol): Source => ({ from: 'input', index: graph.inputs.indexOf(symbol) })),
    ...numericBoundary.map((symbol): Source => ({ from: 'host', index: boundary.indexOf(symbol) })),
  ];
  let nextBuffer = 0;
  const results = graph.outputs.map((symbol): Result => {
    const index = boundary.indexOf(symbol);
    if (index >= 0) return { from: 'host', index };
    return { from: 'buffer', symbol, buffer: outputs[nextBuffer++] as (typeof outputs)[number] };
  });
  return new WasmProgram({ graph, schedule, plan, prologue, place, sources, results, host, recover });
}

/** Joins loops, where there are some to join. */
async function mergedLoops(graph: Graph): Promise<Graph> {
  const hasLoops = topologicalOrder(graph.outputs).some((node) => node.primitive === 'scan');
  return !hasLoops ? graph : (await import('../../compiler/merge-loops.ts')).mergeLoops(graph);
}

/** The interpreter, loaded only for graphs that can use it. */
async function evaluatorFor(graph: Graph): Promise<Evaluate | undefined> {
  return hasConstantParts(graph) ? (await import('../reference/evaluate.ts')).evaluate : undefined;
}

/** Values that only the host can compute, and that something else reads. */
function hostBoundary({ outputs }: Graph): SymbolicTensor[] {
  const isText = ({ dtype }: SymbolicTensor): boolean => dtype === 'string';
  const hosted = new Set<AnyNode>();
  const boundary = new Set<SymbolicTensor>();
  for (const node of topologicalOrder(outputs)) {
    if (node.primitive === 'host' || node.inputs.some(isText) || node.outputs.some(isText)) hosted.add(node);
    else if (hosted.size > 0) for (const input of node.inputs) if (hosted.has(input.node)) boundary.add(input);
  }
  for (const output of outputs) if (hosted.has(output.node)) boundary.add(output);
  return [...boundary];
}

async function compileHostPart(
  graph: Graph,
  boundary: readonly SymbolicTensor[],
  fallback: Backend | undefined,
): Promise<Program | undefined> {
  if (boundary.length === 0) return undefined;
  const backend = fallback ?? (await import('../reference/reference-backend.ts')).referenceBackend();
  return backend.compile({ inputs: graph.inputs, outputs: boundary });
}

async function compiled<T>(compile: () => Promise<T>): Promise<T> {
  try {
    return await compile();
  } catch (cause) {
    throw new BackendError(`Cannot compile the graph: ${(cause as Error).message}`, 'wasm', cause);
  }
}
