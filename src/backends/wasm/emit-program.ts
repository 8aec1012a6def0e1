/** Writes the module of a schedule: one function for each kernel, one for the run, one for each part of the prologue. */
import { bytesPerElement } from '../../array/dtype.ts';
import type { Buffer, Kernel, ScanKernel, Schedule, Tail } from '../../compiler/schedule.ts';
import { buffersRead, byteLengthOf } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { ModuleBuilder, type ModuleOptions } from './assembler-module.ts';
import type { EmittedKernel, KernelContext } from './kernel-context.ts';
import { emitLoop, emitTail } from './loop-code.ts';
import { emitNode } from './node-code.ts';
import { emitReduce } from './reduce-code.ts';

/** Kernels of the prologue that run after some buffers were filled. */
export interface PrologueStep {
  /** Variables' and constants' buffers that are filled before the step. */
  readonly uploads: readonly Buffer[];
  /** The exported function, if there is something to run. */
  readonly exportName: string | undefined;
}

export interface EmittedProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly prologue: readonly PrologueStep[];
}

/** Name of the exported function that runs all kernels. */
export const RUN = 'run';

/**
 * @param offsets byte address of each buffer
 * @param pages size of the memory that the module imports as `host.memory`
 */
export function emitProgram(
  schedule: Schedule,
  offsets: ReadonlyMap<Buffer, number>,
  pages: number,
  options: ModuleOptions,
): EmittedProgram {
  const module = new ModuleBuilder(options);
  module.importMemory('host', 'memory', { minimum: pages });
  const context: KernelContext = { module, addressOf: (buffer) => offsets.get(buffer) ?? 0 };
  const emitted = new Map<Kernel, (f: FunctionBuilder) => void>();
  const emitAll = (kernels: readonly Kernel[]): void => {
    for (const kernel of kernels) emitted.set(kernel, emitKernel(context, kernel));
  };
  const exportRun = (name: string, kernels: readonly Kernel[]): void => {
    const index = module.function([], [], (f) => {
      for (const kernel of kernels) emitted.get(kernel)?.(f);
    });
    module.exportFunction(name, index);
  };
  emitAll(schedule.prologue);
  emitAll(schedule.kernels);
  exportRun(RUN, schedule.kernels);
  const prologue: PrologueStep[] = [];
  const waiting = new Set<Buffer>([...schedule.parameters.values(), ...schedule.constants.values()]);
  let [uploads, kernels]: [Buffer[], Kernel[]] = [[], []];
  const flush = (): void => {
    const exportName = kernels.length === 0 ? undefined : `prologue${prologue.length}`;
    if (exportName !== undefined) exportRun(exportName, kernels);
    prologue.push({ uploads, exportName });
    [uploads, kernels] = [[], []];
  };
  for (const kernel of schedule.prologue) {
    // A buffer is filled right before it is first read, so that the next may take its place after it was.
    const needed = [...new Set(buffersRead(kernel))].filter((buffer) => waiting.delete(buffer));
    if (needed.length > 0 && kernels.length > 0) flush();
    uploads.push(...needed);
    kernels.push(kernel);
  }
  flush();
  prologue.push({ uploads: [...waiting], exportName: undefined });
  return { bytes: module.build(), prologue };
}

/** Writes a kernel's functions and gives what calls them. */
function emitKernel(context: KernelContext, kernel: Kernel): (f: FunctionBuilder) => void {
  switch (kernel.kind) {
    case 'loop':
      return callAll(emitLoop(context, kernel));
    case 'reduce':
      return callAll(emitReduce(context, kernel), tailOf(context, kernel.output, kernel.tail));
    case 'node':
      return emitNode(context, kernel);
    case 'scan':
      return emitScan(context, kernel);
    case 'pack':
      throw new TypeError('unreachable');
  }
}

function tailOf(context: KernelContext, output: Buffer, tail: Tail | undefined): EmittedKernel | undefined {
  return tail === undefined ? undefined : emitTail(context, output, tail);
}

function callAll(...kernels: readonly (EmittedKernel | undefined)[]): (f: FunctionBuilder) => void {
  return (f) => {
    for (const kernel of kernels) {
      if (kernel !== undefined && kernel.count > 0) f.i32(0).i32(kernel.count).call(kernel.functionIndex);
    }
  };
}

/** A loop around the kernels of the body; steps of sequences are copied to and from fixed places. */
function emitScan(context: KernelContext, scan: ScanKernel): (f: FunctionBuilder) => void {
  const { module, addressOf } = context;
  const body = scan.body.map((kernel) => emitKernel(context, kernel));
  const copy = (f: FunctionBuilder, from: Buffer, to: Buffer): void => {
    if (from === to || from.size === 0) return;
    f.i32(addressOf(to)).i32(addressOf(from)).i32(byteLengthOf(from)).memoryCopy();
  };
  const stepAddress = (f: FunctionBuilder, whole: Buffer, step: Buffer, position: Local): void => {
    f.sum([[position, step.size * bytesPerElement(step.dtype)]], addressOf(whole));
  };
  const index = module.function([], [], (f) => {
    const position = f.local('i32');
    const count = f.local('i32');
    for (const { initial, current } of scan.carries) copy(f, initial, current);
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
      for (const { next, current } of scan.carries) copy(f, next, current);
    });
  });
  return (f) => f.call(index);
}
