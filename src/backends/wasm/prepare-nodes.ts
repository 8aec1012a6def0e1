/** Asks the kernels what they need before memory is planned: scratch, and weights in another order. */
import {
  type Buffer,
  buffersWritten,
  type Kernel,
  type NarrowForm,
  type NodeKernel,
  type PackKernel,
  type ScanKernel,
  type Schedule,
} from '../../compiler/schedule.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { planContraction } from './contract-node.ts';
import type { ContractPlan, Packing } from './contract-plan.ts';
import { privateStride } from './node-code.ts';
import { rareCode } from './rare-code.ts';

export interface PreparedSchedule {
  readonly schedule: Schedule;
  /** The plans of contractions and pools. */
  readonly plans: ReadonlyMap<NodeKernel, ContractPlan>;
  /** How weights are packed, and what only the run knows. */
  readonly packings: ReadonlyMap<PackKernel, Packing>;
}

/** The loop around a kernel. */
interface Surroundings {
  /** What changes from step to step. */
  readonly changing: ReadonlySet<Buffer>;
  /** What is packed before the loop. */
  readonly before: Kernel[];
}

/**
 * Adds scratch buffers to kernels, and to the prologue what packs the weights that do not change in a run.
 *
 * @param threads who may run a kernel at once, each with a scratch of its own
 */
export function prepareNodes(schedule: Schedule, threads = 1): PreparedSchedule {
  const plans = new Map<NodeKernel, ContractPlan>();
  const packings = new Map<PackKernel, Packing>();
  const packing: Kernel[] = [];
  const packed = new Map<string, Buffer>();
  const numbers = new Map<Buffer, number>();
  const keyOf = (buffer: Buffer, key: string): string => {
    const number = numbers.get(buffer) ?? numbers.size;
    numbers.set(buffer, number);
    return `${number}:${key}`;
  };

  /** The kernel with one of its inputs packed by the prologue, where that does not change in a run. */
  const withPackedWeights = (
    kernel: NodeKernel,
    packer: Packing | undefined,
    place: number,
  ): NodeKernel | undefined => {
    const weights = kernel.inputs[place];
    if (weights === undefined || packer === undefined) return undefined;
    if (weights.role === 'temporary' || weights.role === 'input' || weights.role === 'state') return undefined;
    const key = keyOf(weights, packer.key);
    let target = packed.get(key);
    if (target === undefined) {
      const name = `${kernel.name}/packed`;
      target = {
        name,
        role: 'persistent',
        dtype: 'float32',
        size: packer.byteLength / 4,
        ...(packer.packNarrow && { narrow: weights.narrow }),
      };
      packed.set(key, target);
      const { pack, unpack, packNarrow, unpackNarrow } = packer;
      const packs: PackKernel = {
        kind: 'pack',
        name,
        input: weights,
        output: target,
        pack,
        unpack,
        packNarrow,
        unpackNarrow,
      };
      packing.push(packs);
      packings.set(packs, packer);
    }
    return { ...kernel, inputs: kernel.inputs.map((input, index) => (index === place ? (target as Buffer) : input)) };
  };

  /** Weights that the run changes are packed once for all steps of a loop, rather than in each of them. */
  const withPackedBefore = (
    kernel: NodeKernel,
    plan: ContractPlan,
    { changing, before }: Surroundings,
  ): NodeKernel | undefined => {
    const right = kernel.inputs[1];
    const { packing: packer } = plan;
    if (right === undefined || packer?.emit === undefined || changing.has(right)) return undefined;
    const name = `${kernel.name}/packed`;
    const target: Buffer = { name, role: 'temporary', dtype: 'float32', size: packer.byteLength / 4 };
    const pack: PackKernel = { kind: 'pack', name, input: right, output: target, pack: packer.pack };
    packings.set(pack, packer);
    before.push(pack);
    return { ...kernel, inputs: kernel.inputs.map((input, index) => (index === 1 ? target : input)) };
  };

  const prepareNode = (kernel: NodeKernel, inPrologue: boolean, loop: Surroundings | undefined): NodeKernel => {
    const { node } = kernel;
    if (node.primitive === 'argSort') {
      const bytes = rareCode('lanes').argSortScratchBytes(node.inputs[0] as SymbolicTensor, node.attributes.axis);
      return { ...kernel, scratch: scratchOf(kernel, [bytes]) };
    }
    /** The narrow form in which the kernel may take an input. */
    const formOf = (place: number): NarrowForm | undefined => {
      const weights = kernel.inputs[place];
      return inPrologue || weights?.role !== 'parameter' ? undefined : weights.narrow;
    };
    if (node.primitive === 'gather') {
      const table = formOf(0);
      if (table === undefined || node.attributes.axis !== 0) return kernel;
      const { shape } = node.inputs[0] as SymbolicTensor;
      return withPackedWeights(kernel, rareCode('table').tablePacking(shape, table), 0) ?? kernel;
    }
    const form = formOf(1);
    const narrowPlan = form && planContraction(node, form);
    const isNarrow = narrowPlan?.packing?.packNarrow !== undefined;
    let plan = isNarrow ? narrowPlan : planContraction(node, false);
    if (plan === undefined) return kernel;
    // In the prologue a kernel runs once, and packing is for later runs.
    const repacked = inPrologue
      ? undefined
      : (withPackedWeights(kernel, plan.packing, 1) ?? (loop && withPackedBefore(kernel, plan, loop)));
    if (repacked !== undefined && !isNarrow) plan = planContraction(node, true) as ContractPlan;
    const prepared = repacked ?? kernel;
    const ownBytes = threads === 1 ? plan.privateBytes : threads * privateStride(plan.privateBytes);
    const complete = { ...prepared, scratch: scratchOf(prepared, [plan.sharedBytes, ownBytes]) };
    plans.set(complete, plan);
    return complete;
  };

  const prepareScan = (scan: ScanKernel, inPrologue: boolean): Kernel[] => {
    const loop: Surroundings = { changing: new Set(buffersWritten(scan)), before: [] };
    const body = prepareAll(scan.body, inPrologue, loop);
    return [...loop.before, { ...scan, body }];
  };

  const prepareAll = (kernels: readonly Kernel[], inPrologue: boolean, loop?: Surroundings): Kernel[] =>
    kernels.flatMap((kernel): Kernel | Kernel[] => {
      if (kernel.kind === 'node') return prepareNode(kernel, inPrologue, loop);
      return kernel.kind === 'scan' ? prepareScan(kernel, inPrologue) : kernel;
    });

  const prologue = prepareAll(schedule.prologue, true);
  const kernels = prepareAll(schedule.kernels, false);
  return { schedule: { ...schedule, prologue: interleave(prologue, packing), kernels }, plans, packings };
}

function scratchOf(kernel: NodeKernel, sizes: readonly number[]): Buffer[] {
  return sizes.map((bytes, index) => ({
    name: `${kernel.name}/scratch${index}`,
    role: 'temporary',
    dtype: 'float32',
    size: Math.ceil(bytes / 4),
  }));
}

/** Puts each packing right after the kernel that computes its weights, so that these need not wait in memory. */
function interleave(prologue: readonly Kernel[], packing: readonly Kernel[]): Kernel[] {
  const waiting = new Map<Buffer, Kernel[]>();
  for (const kernel of packing) {
    if (kernel.kind !== 'pack') continue;
    const list = waiting.get(kernel.input);
    if (list === undefined) waiting.set(kernel.input, [kernel]);
    else list.push(kernel);
  }
  const result: Kernel[] = [];
  // Weights that several kernels of the prologue write in parts are complete after the last of them.
  const lastWriter = new Map<Buffer, Kernel>();
  for (const kernel of prologue) for (const buffer of outputsOf(kernel)) lastWriter.set(buffer, kernel);
  for (const kernel of prologue) {
    result.push(kernel);
    for (const buffer of outputsOf(kernel)) {
      if (lastWriter.get(buffer) !== kernel) continue;
      result.push(...(waiting.get(buffer) ?? []));
      waiting.delete(buffer);
    }
  }
  return [...result, ...[...waiting.values()].flat()];
}

function outputsOf(kernel: Kernel): readonly Buffer[] {
  switch (kernel.kind) {
    case 'loop':
      return [kernel.store.buffer];
    case 'reduce':
    case 'pack':
      return [kernel.output];
    case 'node':
      return kernel.outputs;
    case 'scan':
      return [...kernel.carries.map((carry) => carry.current), ...kernel.stacked.map((sequence) => sequence.whole)];
  }
}
