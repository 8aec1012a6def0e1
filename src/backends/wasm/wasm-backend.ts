import type { Backend, CompileOptions, Program, Update } from '../../compiler/backend.ts';
import { checkUpdates } from '../../compiler/check-updates.ts';
import { foldAffine } from '../../compiler/fold-affine.ts';
import { lowerGraph } from '../../compiler/lower.ts';
import { planMemory } from '../../compiler/plan.ts';
import { type Evaluate, hasConstantParts, simplify } from '../../compiler/simplify.ts';
import { BackendError } from '../../errors.ts';
import { type Graph, type SymbolicTensor, topologicalOrder } from '../../graph/node.ts';
import { emitProgram } from './emit-program.ts';
import { worthSharing } from './kernel-cost.ts';
import { prepareNodes } from './prepare-nodes.ts';
import { loadRareCode, loadRareModules } from './rare-code.ts';
import { type Result, type Source, WasmProgram } from './wasm-program.ts';

export interface WasmBackendOptions {
  /** Computes what only the host can: strings, and functions of host tensors. By default the interpreter. */
  readonly fallback?: Backend;
  /** Whether to use relaxed SIMD; by default, whether the engine has it. */
  readonly relaxedSimd?: boolean;
  /** How many threads run a program that is large enough to share, the calling one included; 1 unless given. */
  readonly threads?: number;
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
  return { name: 'wasm', compile: (graph, { updates = [] } = {}) => compileGraph(graph, updates, options) };
}

async function compileGraph(
  given: Graph,
  givenUpdates: readonly Update[],
  options: WasmBackendOptions,
): Promise<WasmProgram> {
  const updated = givenUpdates.map(([variable]) => variable);
  checkUpdates(givenUpdates);
  // The values of updates are outputs like others, until kernels are made.
  const complete = { inputs: given.inputs, outputs: [...given.outputs, ...givenUpdates.map(([, value]) => value)] };
  const whole = foldAffine(simplify(await mergedLoops(complete), await evaluatorFor(complete)), new Set(updated));
  await loadRareCode(whole);
  if (updated.length > 0) await loadRareModules('groups');
  const graph = { inputs: given.inputs, outputs: whole.outputs.slice(0, given.outputs.length) };
  const updates = updated.map((variable, index): Update => {
    return [variable, whole.outputs[given.outputs.length + index] as SymbolicTensor];
  });
  const boundary = hostBoundary(whole);
  const host = await compileHostPart(graph, boundary, options.fallback);
  const numericInputs = graph.inputs.filter((symbol) => symbol.dtype !== 'string');
  const numericBoundary = boundary.filter((symbol) => symbol.dtype !== 'string');
  const numericOutputs = graph.outputs.filter((symbol) => !boundary.includes(symbol));
  const lowered = lowerGraph({ inputs: [...numericInputs, ...numericBoundary], outputs: numericOutputs }, updates);
  const threads = worthSharing(lowered.kernels) ? (options.threads ?? 1) : 1;
  const prepared = prepareNodes(lowered, threads);
  const { schedule } = prepared;
  const plan = planMemory(schedule);
  const { totalBytes } = plan;
  const threading = threads === 1 ? undefined : await import('./thread-code.ts');
  // Behind the buffers, at a multiple of a cache line.
  const meeting = Math.ceil((totalBytes + SLACK_BYTES) / 64) * 64;
  const endBytes = threading === undefined ? totalBytes + SLACK_BYTES : meeting + threading.meetingBytes(threads);
  const pages = Math.ceil(endBytes / PAGE_BYTES);
  if (pages > MOST_PAGES) {
    throw new BackendError(
      `Cannot compile the graph: it needs ${totalBytes} bytes of memory, expected at most 4 GiB; use a smaller batch`,
      'wasm',
    );
  }
  const { bytes, prologue } = emitProgram(prepared, plan.offsets, pages, {
    ...options,
    team: threading && { meeting, exportThreads: threading.exportThreads },
  });
  const { memory, module, instance } = await instantiate(bytes, pages, threading !== undefined);
  const sources: Source[] = [
    ...numericInputs.map((symbol): Source => ({ from: 'input', index: graph.inputs.indexOf(symbol) })),
    ...numericBoundary.map((symbol): Source => ({ from: 'host', index: boundary.indexOf(symbol) })),
  ];
  let nextBuffer = 0;
  const results = graph.outputs.map((symbol): Result => {
    const index = boundary.indexOf(symbol);
    if (index >= 0) return { from: 'host', index };
    return { from: 'buffer', symbol, buffer: schedule.outputs[nextBuffer++] as (typeof schedule.outputs)[number] };
  });
  const team =
    threading === undefined
      ? undefined
      : { pool: (await import('./thread-pool.ts')).threadPool(threads - 1), program: { module, memory, meeting } };
  return new WasmProgram({ graph, schedule, plan, prologue, memory, instance, sources, results, host, team });
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
  const isHosted = ({ node }: SymbolicTensor): boolean =>
    node.primitive === 'host' || [...node.inputs, ...node.outputs].some((symbol) => symbol.dtype === 'string');
  const boundary = new Set<SymbolicTensor>(outputs.filter(isHosted));
  for (const node of topologicalOrder(outputs)) {
    if (node.outputs.some(isHosted)) continue;
    for (const input of node.inputs) if (isHosted(input)) boundary.add(input);
  }
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

async function instantiate(
  bytes: Uint8Array<ArrayBuffer>,
  pages: number,
  isShared: boolean,
): Promise<{ memory: WebAssembly.Memory; module: WebAssembly.Module; instance: WebAssembly.Instance }> {
  try {
    const memory = new WebAssembly.Memory({ initial: pages, ...(isShared ? { maximum: pages, shared: true } : {}) });
    const module = await WebAssembly.compile(bytes);
    return { memory, module, instance: await WebAssembly.instantiate(module, { host: { memory } }) };
  } catch (cause) {
    throw new BackendError(`Cannot compile the graph: ${(cause as Error).message}`, 'wasm', cause);
  }
}
