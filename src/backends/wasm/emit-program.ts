import type {
  Buffer,
  Kernel,
  LoopKernel,
  PackKernel,
  ReduceKernel,
  Schedule,
  StateUpdate,
} from '../../compiler/schedule.ts';
import { buffersRead, buffersWritten } from '../../compiler/schedule.ts';
import type { Variable } from '../../graph/variable.ts';
import { breathe } from '../../pause.ts';
import type { FunctionBuilder } from './assembler-function.ts';
import { ModuleBuilder, type ModuleOptions } from './assembler-module.ts';
import type { Packing } from './contract-plan.ts';
import type { KernelContext } from './kernel-context.ts';
import { expressionCost, loopCost, packCost, reduceCost } from './kernel-cost.ts';
import { emitLoop, emitTail } from './loop-code.ts';
import { emitNode, rangePhase } from './node-code.ts';
import { kernelExport, RUN } from './place.ts';
import type { PreparedSchedule } from './prepare-nodes.ts';
import { type PrologueCall, PrologueLoops } from './prologue-loops.ts';
import { rareCode } from './rare-code.ts';
import { emitReduce } from './reduce-code.ts';
import { emitBufferCopy, emitScan, type Work } from './scan-code.ts';
import { isShared, type Meeting, type Phase, RunWriter, SHARED_PARAMS, type Team } from './share-work.ts';
import { SharedCode } from './shared-code.ts';
import { hasFarWeights } from './touch-code.ts';
import { emitTransposition } from './transpose-code.ts';

/** What the host does, in order, when variables have changed. */
export type PrologueAction =
  | { readonly kind: 'upload'; readonly buffer: Buffer }
  | ({ readonly kind: 'call' } & PrologueCall)
  | { readonly kind: 'pack'; readonly kernel: PackKernel };

export interface PrologueStep {
  readonly action: PrologueAction;
  readonly reads: readonly Buffer[];
  readonly writes: readonly Buffer[];
  /** The variables on which the outcome depends. */
  readonly variables: ReadonlySet<Variable>;
}

export interface EmittedProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly prologue: readonly PrologueStep[];
}

export interface EmitOptions extends ModuleOptions {
  /** Whether each kernel of the run can also be called alone. */
  readonly profile?: boolean;
  /** For a program that several threads run. */
  readonly team?: TeamOptions | undefined;
}

/** Writes what threads need to run a program together; see thread-code.ts. */
export interface TeamOptions {
  /** Writes the function `(thread, threads)` that returns when all threads have called it; says where they meet. */
  emitMeeting(module: ModuleBuilder): Meeting;
  /** Exports what they are called by, from the function `(thread, threads)` that does each one's part. */
  exportThreads(module: ModuleBuilder, barrier: number, everyone: number): void;
}

/**
 * @param offsets byte address of each buffer
 * @param pages size of the memory that the module imports as `host.memory`
 */
export async function emitProgram(
  { schedule, plans, packings }: PreparedSchedule,
  offsets: ReadonlyMap<Buffer, number>,
  pages: number,
  options: EmitOptions,
): Promise<EmittedProgram> {
  const { team } = options;
  const module = new ModuleBuilder(options);
  const limits = team === undefined ? { minimum: pages } : { minimum: pages, maximum: pages, shared: true };
  module.importMemory('host', 'memory', limits);
  const addressOf = (buffer: Buffer): number => offsets.get(buffer) ?? 0;
  // Engines join vectors of 256 bits where they see constant addresses.
  const context: KernelContext = {
    module,
    addressOf,
    shared: new SharedCode(module.wide ? [] : schedule.kernels, plans),
    readsAhead: hasFarWeights(schedule.kernels),
  };
  // The steps of a loop find their weights where the last one left them.
  const inLoop: KernelContext = { ...context, readsAhead: false };
  const emit = (kernel: Kernel, meeting: Meeting | undefined, own: KernelContext): Work => {
    switch (kernel.kind) {
      case 'loop':
        return workOf([loopPhase(own, kernel)]);
      case 'reduce':
        return workOf(reducePhases(own, kernel));
      case 'node':
        return workOf(emitNode(own, kernel, plans.get(kernel)));
      case 'scan': {
        const body = kernel.body.map((inner) => emit(inner, meeting, inLoop));
        return emitScan(own, kernel, body, meeting);
      }
      case 'pack':
        return workOf([packPhase(own, kernel, packings.get(kernel))]);
    }
  };
  const writeRun = async (
    kernels: readonly Kernel[],
    updates: readonly StateUpdate[],
    meeting: Meeting | undefined,
  ): Promise<(f: FunctionBuilder, team?: Team) => RunWriter> => {
    // What follows the gradients of a training is long, and simple: it is worth a look.
    const groups =
      updates.length === 0
        ? kernels.map((kernel) => [kernel])
        : rareCode('groups').groupLoops(kernels, context.addressOf);
    const works: Work[] = [];
    for (const group of groups) {
      works.push(...emitGroup(context, group, plans, (kernel) => emit(kernel, meeting, context)));
      await breathe();
    }
    return (f, team) => {
      const writer = new RunWriter(f, team);
      for (const work of works) work.write(writer, f);
      for (const { state, next } of updates) writer.alone(() => emitBufferCopy(f, context, next, state));
      return writer;
    };
  };
  const exportAlone = async (
    name: string,
    kernels: readonly Kernel[],
    updates: readonly StateUpdate[] = [],
  ): Promise<void> => {
    const write = await writeRun(kernels, updates, undefined);
    module.exportFunction(
      name,
      module.function([], [], (f) => write(f)),
    );
  };
  if (team === undefined) await exportAlone(RUN, schedule.kernels, schedule.updates);
  else {
    const meeting = team.emitMeeting(module);
    const write = await writeRun(schedule.kernels, schedule.updates, meeting);
    const everyone = module.function(SHARED_PARAMS, [], (f) => {
      write(f, { thread: f.param(0), threads: f.param(1), ...meeting }).meet();
    });
    team.exportThreads(module, meeting.barrier, everyone);
  }
  if (options.profile) {
    for (const [index, kernel] of schedule.kernels.entries()) await exportAlone(kernelExport(index), [kernel]);
  }
  const calls = new Map<Kernel, PrologueCall>();
  const loops = new PrologueLoops(context);
  for (const [index, kernel] of schedule.prologue.entries()) {
    if (kernel.kind === 'pack') {
      const { addressOf } = context;
      const call = packings.get(kernel)?.call?.(module, addressOf(kernel.input), addressOf(kernel.output));
      if (call !== undefined) calls.set(kernel, call);
      continue;
    }
    const shared = kernel.kind === 'loop' ? loops.callOf(kernel) : undefined;
    calls.set(kernel, shared ?? { exportName: prologueExport(index), words: [] });
    if (shared === undefined) await exportAlone(prologueExport(index), [kernel]);
    await breathe();
  }
  const prologue = prologueSteps(schedule, offsets, calls);
  return { bytes: module.build(), prologue };
}

function emitGroup(
  context: KernelContext,
  group: readonly Kernel[],
  plans: PreparedSchedule['plans'],
  emit: (kernel: Kernel) => Work,
): Work[] {
  if (group.length === 1) return group.map(emit);
  const { joinedGroup, emitLoops } = rareCode('groups');
  const joined = joinedGroup(group);
  if (joined === undefined) return group.map(emit);
  const { product, loops } = joined;
  const code = emitLoops(context, loops);
  const cost = loops.reduce((sum, loop) => sum + loopCost(loop), 0);
  if (product === undefined) return [workOf([rangePhase(code, cost)])];
  return [workOf(emitNode(context, product, plans.get(product), { functionIndex: code.functionIndex, cost }))];
}

function workOf(phases: readonly Phase[]): Work {
  return {
    isShared: phases.some(isShared),
    write: (writer) => {
      for (const phase of phases) writer.phase(phase);
    },
  };
}

function packPhase({ module, addressOf }: KernelContext, kernel: PackKernel, packing: Packing | undefined): Phase {
  const code = packing?.emit?.(module, addressOf(kernel.input), addressOf(kernel.output));
  if (code === undefined) throw new TypeError(`Cannot emit ${kernel.name}: only the host can pack it`);
  return {
    units: code.units,
    grain: 1,
    cost: packCost(kernel),
    // It needs no scratch.
    call: (f, first, last) => f.push(first).push(last).i32(0).call(code.kernel),
  };
}

function prologueExport(index: number): string {
  return `prologue${index}`;
}

/** Kernels and uploads in order: a buffer is filled right before it is first read, since others may use its place. */
function prologueSteps(
  { prologue, parameters, constants }: Schedule,
  offsets: ReadonlyMap<Buffer, number>,
  calls: ReadonlyMap<Kernel, PrologueCall>,
): PrologueStep[] {
  const steps: PrologueStep[] = [];
  const dependencies = new Map<Buffer, Set<Variable>>();
  for (const [variable, buffer] of parameters) dependencies.set(buffer, new Set([variable]));
  const variablesOf = (buffers: readonly Buffer[]): Set<Variable> =>
    new Set(buffers.flatMap((buffer) => [...(dependencies.get(buffer) ?? [])]));
  // What no kernel of the program reads has no place.
  const waiting = new Set([...parameters.values(), ...constants.values()].filter((buffer) => offsets.has(buffer)));
  const upload = (buffer: Buffer): void => {
    const action: PrologueAction = { kind: 'upload', buffer };
    steps.push({ action, reads: [], writes: [buffer], variables: variablesOf([buffer]) });
  };
  for (const kernel of prologue) {
    const reads = [...new Set(buffersRead(kernel))];
    const writes = [...new Set(buffersWritten(kernel))];
    for (const buffer of reads) if (waiting.delete(buffer)) upload(buffer);
    const variables = variablesOf(kernel.kind === 'pack' ? [kernel.input] : reads);
    for (const buffer of writes) {
      // Several kernels may write parts of one buffer.
      dependencies.set(buffer, new Set([...(dependencies.get(buffer) ?? []), ...variables]));
    }
    const call = calls.get(kernel);
    const action: PrologueAction =
      kernel.kind === 'pack' && call === undefined
        ? { kind: 'pack', kernel }
        : { kind: 'call', ...(call as PrologueCall) };
    steps.push({ action, reads, writes, variables });
  }
  waiting.forEach(upload);
  return steps;
}

function loopPhase(context: KernelContext, kernel: LoopKernel): Phase {
  const { code, told } = context.shared.codeOf(context.module, kernel, context.addressOf, (addressOf) => {
    const own = { ...context, addressOf };
    return emitTransposition(own, kernel) ?? emitLoop(own, kernel);
  });
  return rangePhase(code, loopCost(kernel), told);
}

function reducePhases(context: KernelContext, kernel: ReduceKernel): Phase[] {
  const { output, tail } = kernel;
  const { code, told } = context.shared.codeOf(context.module, kernel, context.addressOf, (addressOf) => {
    const own = { ...context, addressOf };
    return { fold: emitReduce(own, kernel), end: tail && emitTail(own, output, tail) };
  });
  const fold = rangePhase(code.fold, reduceCost(kernel), told);
  if (tail === undefined || code.end === undefined) return [fold];
  return [fold, rangePhase(code.end, expressionCost(output.size, tail.value), told)];
}
