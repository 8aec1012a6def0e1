/** Primitives with algorithms of their own. */
import { type Access, type Buffer, byteLengthOf, type NodeKernel } from '../../compiler/schedule.ts';
import { BackendError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ContractPlaces, ContractPlan, KernelCode } from './contract-plan.ts';
import { maskOf, matchEpilogue } from './epilogue.ts';
import type { EmittedKernel, KernelContext } from './kernel-context.ts';
import { nodeCost } from './kernel-cost.ts';
import { emitTail } from './loop-code.ts';
import { rareCode } from './rare-code.ts';
import type { Phase } from './share-work.ts';
import { emitTouchOfAll, farWeights } from './touch-code.ts';

/** What follows a contraction: a function of the first element of the output and the one after the last. */
export interface Sequel {
  readonly functionIndex: number;
  readonly cost: number;
}

/**
 * Writes the kernel of a node and gives its phases.
 *
 * @param plan that of a contraction or pool
 * @param sequel runs on each part of a contraction without a tail when that is complete
 */
export function emitNode(
  context: KernelContext,
  kernel: NodeKernel,
  plan: ContractPlan | undefined,
  sequel?: Sequel,
): Phase[] {
  if (plan !== undefined) return emitContraction(context, kernel, plan, sequel);
  const phase = rangePhase(emitLanes(context, kernel), nodeCost(kernel));
  // All of a sort's lanes are sorted in one scratch.
  return [{ ...phase, isSerial: kernel.scratch.length > 0 }];
}

/**
 * The phase of a kernel over a range of elements.
 *
 * @param told addresses that its function is told
 */
export function rangePhase({ functionIndex, count }: EmittedKernel, cost: number, told: readonly number[] = []): Phase {
  return {
    units: count,
    grain: RANGE_GRAIN,
    cost,
    call: (f, first, last) => {
      f.push(first).push(last);
      for (const address of told) f.i32(address);
      f.call(functionIndex);
    },
  };
}

/** Elements of a cache line, so that no two threads write the same. */
const RANGE_GRAIN = 16;

function emitLanes(context: KernelContext, kernel: NodeKernel): EmittedKernel {
  const { node } = kernel;
  switch (node.primitive) {
    case 'gather':
      return rareCode('indexing').emitGather(context, kernel, node.attributes.axis);
    case 'takeAlongAxis':
      return rareCode('indexing').emitTakeAlongAxis(context, kernel, node.attributes.axis);
    case 'scatterAdd':
      return rareCode('indexing').emitScatterAdd(context, kernel, node.attributes.axis, node.attributes.extent);
    case 'argMax':
    case 'argMin':
      return rareCode('lanes').emitArgReduce(context, kernel, node.attributes.axis, node.primitive === 'argMax');
    case 'argSort': {
      const { axis, descending } = node.attributes;
      return rareCode('lanes').emitArgSort(
        context,
        kernel,
        axis,
        descending,
        context.addressOf(kernel.scratch[0] as Buffer),
      );
    }
    case 'randomBits':
      return rareCode('random').emitRandomBits(context, kernel);
    case 'cumulativeSum':
    case 'cumulativeProduct':
    case 'cumulativeMax':
    case 'cumulativeMin':
      return rareCode('lanes').emitCumulative(
        context,
        kernel,
        node.primitive,
        node.attributes.axis,
        node.attributes.reverse,
      );
    default:
      throw new BackendError(`Cannot compile the graph: found ${node.primitive}, expected a numeric kernel`, 'wasm');
  }
}

function emitContraction(
  context: KernelContext,
  kernel: NodeKernel,
  plan: ContractPlan,
  sequel: Sequel | undefined,
): Phase[] {
  const { module, addressOf, shared } = context;
  const own = kernel.scratch[1] as Buffer;
  const write = (toldOf: (buffer: Buffer) => number): KernelCode =>
    writeContraction({ ...context, addressOf: toldOf }, kernel, plan, sequel);
  // A sequel is one of its own.
  const { code, told } =
    sequel === undefined ? shared.codeOf(module, kernel, addressOf, write) : { code: write(addressOf), told: [] };
  const cost = nodeCost(kernel) + (sequel?.cost ?? 0);
  const { prepare } = code;
  const far = context.readsAhead && prepare === undefined ? farWeights(kernel) : [];
  const phase = (units: number, functionIndex: number, share: number): Phase => ({
    units,
    grain: 1,
    cost: cost * share,
    begin: (f) => {
      for (const weights of far) {
        emitTouchOfAll(module, f, { start: addressOf(weights), byteLength: byteLengthOf(weights) });
      }
    },
    call: (f, first, last, thread) => {
      f.push(first).push(last);
      pushScratch(f, addressOf(own), plan.privateBytes, thread);
      for (const address of told) f.i32(address);
      f.call(functionIndex);
    },
  });
  if (prepare === undefined) return [phase(code.units, code.kernel, 1)];
  return [phase(prepare.units, prepare.kernel, PREPARE_SHARE), phase(code.units, code.kernel, 1 - PREPARE_SHARE)];
}

function writeContraction(context: KernelContext, kernel: NodeKernel, plan: ContractPlan, sequel?: Sequel): KernelCode {
  const { module, addressOf } = context;
  const [left, right, third] = kernel.inputs as readonly [Buffer, Buffer?, Buffer?];
  const output = kernel.outputs[0] as Buffer;
  const shared = kernel.scratch[0] as Buffer;
  return plan.emit(module, {
    left: addressOf(left),
    right: right === undefined ? 0 : addressOf(right),
    ...(third === undefined ? {} : { third: addressOf(third) }),
    output: addressOf(output),
    sharedScratch: addressOf(shared),
    ...(sequel === undefined ? finishOf(context, kernel, output, plan) : { tail: sequel.functionIndex }),
  });
}

/** What the first of two functions takes of a contraction, roughly. */
const PREPARE_SHARE = 0.25;

/** The address of a thread's own piece of the scratch. */
function pushScratch(f: FunctionBuilder, address: number, byteLength: number, thread: Local | undefined): void {
  if (thread === undefined) f.i32(address);
  else f.sum([[thread, privateStride(byteLength)]], address);
}

/** Bytes from one thread's scratch to the next one's: whole cache lines. */
export function privateStride(byteLength: number): number {
  return Math.ceil(byteLength / 64) * 64;
}

/** The tail: done by the kernel itself where it can, as a function where it cannot. */
function finishOf(
  context: KernelContext,
  { tail, node, inputs }: NodeKernel,
  output: Buffer,
  plan: ContractPlan,
): Pick<ContractPlaces, 'bias' | 'factor' | 'lower' | 'upper' | 'masked' | 'tail'> {
  if (tail === undefined) return {};
  if (plan.masks && maskOf(tail, output) === inputs[0]) return { masked: true };
  const columns = (node.outputs[0] as SymbolicTensor).shape.at(-1) as number;
  const epilogue = plan.finishes ? matchEpilogue(tail, output, columns, plan.scales) : undefined;
  if (epilogue === undefined) return { tail: emitTail(context, output, tail).functionIndex };
  const { bias, factor, lower, upper } = epilogue;
  const addressOf = ({ buffer, offset }: Access): number => context.addressOf(buffer) + offset * 4;
  return {
    ...(bias === undefined ? {} : { bias: addressOf(bias) }),
    ...(factor === undefined ? {} : { factor: addressOf(factor) }),
    ...(lower === undefined ? {} : { lower }),
    ...(upper === undefined ? {} : { upper }),
  };
}
