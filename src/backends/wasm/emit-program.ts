/** Writes the module of a schedule: one function for each kernel, one for the run, one for each part of the prologue. */
import { bytesPerElement } from '../../array/dtype.ts';
import type { Buffer, Kernel, PackKernel, ScanKernel, Schedule, StateUpdate, Tail } from '../../compiler/schedule.ts';
import { buffersRead, buffersWritten, byteLengthOf } from '../../compiler/schedule.ts';
import type { Variable } from '../../graph/variable.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { ModuleBuilder, type ModuleOptions } from './assembler-module.ts';
import type { KernelContext } from './kernel-context.ts';
import { emitLoop, emitTail } from './loop-code.ts';
import { callRange, type EmitCall, emitNode } from './node-code.ts';
import type { PreparedSchedule } from './prepare-nodes.ts';
import { emitReduce } from './reduce-code.ts';
import { emitTransposition } from './transpose-code.ts';

/** What the host does, in order, when variables have changed. */
export type PrologueAction =
  | { readonly kind: 'upload'; readonly buffer: Buffer }
  | { readonly kind: 'call'; readonly exportName: string }
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

/** Name of the exported function that runs all kernels. */
export const RUN = 'run';

/** Name of the exported function that runs one kernel, in a module for profiling. */
export function kernelExport(index: number): string {
  return `kernel${index}`;
}

export interface EmitOptions extends ModuleOptions {
  /** Whether each kernel of the run can also be called alone. */
  readonly profile?: boolean;
}

/**
 * @param offsets byte address of each buffer
 * @param pages size of the memory that the module imports as `host.memory`
 */
export function emitProgram(
  { schedule, plans }: PreparedSchedule,
  offsets: ReadonlyMap<Buffer, number>,
  pages: number,
  options: EmitOptions,
): EmittedProgram {
  const module = new ModuleBuilder(options);
  module.importMemory('host', 'memory', { minimum: pages });
  const context: KernelContext = { module, addressOf: (buffer) => offsets.get(buffer) ?? 0 };
  const emit = (kernel: Kernel): EmitCall => {
    switch (kernel.kind) {
      case 'loop':
        return callRange(emitTransposition(context, kernel) ?? emitLoop(context, kernel));
      case 'reduce':
        return callBoth(callRange(emitReduce(context, kernel)), emitTailCall(context, kernel.output, kernel.tail));
      case 'node':
        return emitNode(context, kernel, plans.get(kernel));
      case 'scan':
        return emitScan(context, kernel, kernel.body.map(emit));
      case 'pack':
        return () => {};
    }
  };
  const exportRun = (name: string, kernels: readonly Kernel[], updates: readonly StateUpdate[] = []): void => {
    const calls = kernels.map(emit);
    const index = module.function([], [], (f) => {
      for (const call of calls) call(f);
      for (const { state, next } of updates) emitCopy(f, context, next, state);
    });
    module.exportFunction(name, index);
  };
  exportRun(RUN, schedule.kernels, schedule.updates);
  if (options.profile) {
    for (const [index, kernel] of schedule.kernels.entries()) exportRun(kernelExport(index), [kernel]);
  }
  const prologue = prologueSteps(schedule, offsets, (index, kernel) => {
    exportRun(prologueExport(index), [kernel]);
    return prologueExport(index);
  });
  return { bytes: module.build(), prologue };
}

function prologueExport(index: number): string {
  return `prologue${index}`;
}

/** Kernels and uploads in order: a buffer is filled right before it is first read, since others may use its place. */
function prologueSteps(
  { prologue, parameters, constants }: Schedule,
  offsets: ReadonlyMap<Buffer, number>,
  exportKernel: (index: number, kernel: Kernel) => string,
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
  for (const [index, kernel] of prologue.entries()) {
    const reads = [...new Set(buffersRead(kernel))];
    const writes = [...new Set(buffersWritten(kernel))];
    for (const buffer of reads) if (waiting.delete(buffer)) upload(buffer);
    const variables = variablesOf(kernel.kind === 'pack' ? [kernel.input] : reads);
    for (const buffer of writes) {
      // Several kernels may write parts of one buffer.
      dependencies.set(buffer, new Set([...(dependencies.get(buffer) ?? []), ...variables]));
    }
    const action: PrologueAction =
      kernel.kind === 'pack' ? { kind: 'pack', kernel } : { kind: 'call', exportName: exportKernel(index, kernel) };
    steps.push({ action, reads, writes, variables });
  }
  waiting.forEach(upload);
  return steps;
}

function emitTailCall(context: KernelContext, output: Buffer, tail: Tail | undefined): EmitCall | undefined {
  return tail === undefined ? undefined : callRange(emitTail(context, output, tail));
}

function callBoth(first: EmitCall, second: EmitCall | undefined): EmitCall {
  return (f) => {
    first(f);
    second?.(f);
  };
}

function emitCopy(f: FunctionBuilder, { addressOf }: KernelContext, from: Buffer, to: Buffer): void {
  if (addressOf(from) === addressOf(to) || from.size === 0) return;
  f.i32(addressOf(to)).i32(addressOf(from)).i32(byteLengthOf(from)).memoryCopy();
}

/** A loop around the kernels of the body; steps of sequences are copied to and from fixed places. */
function emitScan(context: KernelContext, scan: ScanKernel, body: readonly EmitCall[]): EmitCall {
  const { module, addressOf } = context;
  const stepAddress = (f: FunctionBuilder, whole: Buffer, step: Buffer, position: Local): void => {
    f.sum([[position, step.size * bytesPerElement(step.dtype)]], addressOf(whole));
  };
  const index = module.function([], [], (f) => {
    const position = f.local('i32');
    const count = f.local('i32');
    for (const { initial, current } of scan.carries) emitCopy(f, context, initial, current);
    f.for(count, 0, scan.length, 1, () => {
      f.get(count).set(position);
      if (scan.reverse)
        f.i32(scan.length - 1)
          .get(count)
          .op('i32.sub')
          .set(position);
      for (const { whole, step } of scan.sequences) {
        if (step.size === 0) continue;
        f.i32(addressOf(step));
        stepAddress(f, whole, step, position);
        f.i32(byteLengthOf(step)).memoryCopy();
      }
      for (const call of body) call(f);
      for (const { whole, step } of scan.stacked) {
        if (step.size === 0) continue;
        stepAddress(f, whole, step, position);
        f.i32(addressOf(step)).i32(byteLengthOf(step)).memoryCopy();
      }
      for (const { next, current } of scan.carries) emitCopy(f, context, next, current);
    });
  });
  return (f) => f.call(index);
}
