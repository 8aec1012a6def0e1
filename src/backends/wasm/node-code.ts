/** Primitives with algorithms of their own. */
import { type Access, type Buffer, loadsOf, type NodeKernel } from '../../compiler/schedule.ts';
import { BackendError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { ContractPlaces, ContractPlan, KernelCode } from './contract-plan.ts';
import { describeExpression } from './describe-expression.ts';
import { matchEpilogue } from './epilogue.ts';
import type { EmittedKernel, KernelContext } from './kernel-context.ts';
import { nodeCost } from './kernel-cost.ts';
import { emitTail } from './loop-code.ts';
import { rareCode } from './rare-code.ts';
import type { Phase } from './share-work.ts';
import { toldAddress } from './told-address.ts';

/**
 * Writes the kernel of a node and gives its phases.
 *
 * @param plan that of a contraction or pool
 */
export function emitNode(context: KernelContext, kernel: NodeKernel, plan: ContractPlan | undefined): Phase[] {
  if (plan !== undefined) return emitContraction(context, kernel, plan);
  const phase = rangePhase(emitLanes(context, kernel), nodeCost(kernel));
  // All of a sort's lanes are sorted in one scratch.
  return [{ ...phase, isSerial: kernel.scratch.length > 0 }];
}

/** The phase of a kernel over a range of elements. */
export function rangePhase({ functionIndex, count }: EmittedKernel, cost: number): Phase {
  return {
    units: count,
    grain: RANGE_GRAIN,
    cost,
    call: (f, first, last) => f.push(first).push(last).call(functionIndex),
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

function emitContraction(context: KernelContext, kernel: NodeKernel, plan: ContractPlan): Phase[] {
  const { module, addressOf, sharedKernels } = context;
  const own = kernel.scratch[1] as Buffer;
  const buffers = buffersOf(kernel);
  // Engines join vectors of 256 bits where they see constant addresses.
  const text = module.wide || plan.form === undefined ? undefined : describeContraction(kernel, buffers);
  const key = text && `${plan.form} ${text}`;
  const told = key === undefined ? [] : buffers;
  let code = key === undefined ? writeContraction(context, kernel, plan) : sharedKernels.get(key);
  if (code === undefined) {
    const toldContext: KernelContext = { ...context, addressOf: (buffer) => toldAddress(buffers.indexOf(buffer)) };
    code = module.tellingAddresses(buffers.length, () => writeContraction(toldContext, kernel, plan));
    sharedKernels.set(key as string, code);
  }
  const cost = nodeCost(kernel);
  const phase = (units: number, functionIndex: number, share: number): Phase => ({
    units,
    grain: 1,
    cost: cost * share,
    call: (f, first, last, thread) => {
      f.push(first).push(last);
      pushScratch(f, addressOf(own), plan.privateBytes, thread);
      for (const buffer of told) f.i32(addressOf(buffer));
      f.call(functionIndex);
    },
  });
  const { prepare } = code;
  if (prepare === undefined) return [phase(code.units, code.kernel, 1)];
  return [phase(prepare.units, prepare.kernel, PREPARE_SHARE), phase(code.units, code.kernel, 1 - PREPARE_SHARE)];
}

function writeContraction(context: KernelContext, kernel: NodeKernel, plan: ContractPlan): KernelCode {
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
    ...finishOf(context, kernel, output, plan),
  });
}

/** The buffers whose addresses are in the code of a contraction, each once. */
function buffersOf({ inputs, outputs, scratch, tail }: NodeKernel): readonly Buffer[] {
  const loaded = tail === undefined ? [] : loadsOf(tail.value).map(({ buffer }) => buffer);
  return [...new Set([...inputs, ...outputs, scratch[0] as Buffer, ...loaded])];
}

/** What decides on the code of a contraction besides addresses and the form of its plan; nothing where that is long. */
function describeContraction({ node, inputs, tail }: NodeKernel, buffers: readonly Buffer[]): string | undefined {
  const shapes = [...node.inputs, ...node.outputs].map(({ shape }) => `[${shape}]`);
  const operands = inputs.map((buffer) => buffers.indexOf(buffer));
  const end =
    tail &&
    describeExpression(tail.value, ({ buffer, offset, strides }) => {
      return `${buffer.dtype} ${buffers.indexOf(buffer)} ${offset} ${strides}`;
    });
  if (tail !== undefined && end === undefined) return undefined;
  return `${node.primitive} ${JSON.stringify(node.attributes)} ${shapes} ${operands} ${tail?.domain} ${end}`;
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
  { tail, node }: NodeKernel,
  output: Buffer,
  plan: ContractPlan,
): Pick<ContractPlaces, 'bias' | 'factor' | 'lower' | 'upper' | 'tail'> {
  if (tail === undefined) return {};
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
