/** Primitives with algorithms of their own. */
import type { Buffer, NodeKernel } from '../../compiler/schedule.ts';
import { BackendError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { FunctionBuilder } from './assembler-function.ts';
import type { ContractPlaces, ContractPlan } from './contract-plan.ts';
import { matchEpilogue } from './epilogue.ts';
import { emitGather, emitScatterAdd, emitTakeAlongAxis } from './index-code.ts';
import type { EmittedKernel, KernelContext } from './kernel-context.ts';
import { emitArgReduce, emitArgSort, emitCumulative } from './lane-code.ts';
import { emitTail } from './loop-code.ts';
import { emitRandomBits } from './random-code.ts';

/** Writes what calls a kernel. */
export type EmitCall = (f: FunctionBuilder) => void;

/**
 * Writes the kernel of a node and gives what calls it.
 *
 * @param plan that of a contraction or pool
 */
export function emitNode(context: KernelContext, kernel: NodeKernel, plan: ContractPlan | undefined): EmitCall {
  if (plan !== undefined) return emitContraction(context, kernel, plan);
  return callRange(emitLanes(context, kernel));
}

/** Calls a kernel for its whole range. */
export function callRange({ functionIndex, count }: EmittedKernel): EmitCall {
  return (f) => {
    if (count > 0) f.i32(0).i32(count).call(functionIndex);
  };
}

function emitLanes(context: KernelContext, kernel: NodeKernel): EmittedKernel {
  const { node } = kernel;
  switch (node.primitive) {
    case 'gather':
      return emitGather(context, kernel, node.attributes.axis);
    case 'takeAlongAxis':
      return emitTakeAlongAxis(context, kernel, node.attributes.axis);
    case 'scatterAdd':
      return emitScatterAdd(context, kernel, node.attributes.axis, node.attributes.extent);
    case 'argMax':
    case 'argMin':
      return emitArgReduce(context, kernel, node.attributes.axis, node.primitive === 'argMax');
    case 'argSort': {
      const { axis, descending } = node.attributes;
      return emitArgSort(context, kernel, axis, descending, context.addressOf(kernel.scratch[0] as Buffer));
    }
    case 'randomBits':
      return emitRandomBits(context, kernel);
    case 'cumulativeSum':
    case 'cumulativeProduct':
    case 'cumulativeMax':
    case 'cumulativeMin':
      return emitCumulative(context, kernel, node.primitive, node.attributes.axis, node.attributes.reverse);
    default:
      throw new BackendError(`Cannot compile the graph: found ${node.primitive}, expected a numeric kernel`, 'wasm');
  }
}

function emitContraction(context: KernelContext, kernel: NodeKernel, plan: ContractPlan): EmitCall {
  const { module, addressOf } = context;
  const [left, right, third] = kernel.inputs as readonly [Buffer, Buffer?, Buffer?];
  const output = kernel.outputs[0] as Buffer;
  const [shared, own] = kernel.scratch as readonly [Buffer, Buffer];
  const code = plan.emit(module, {
    left: addressOf(left),
    right: right === undefined ? 0 : addressOf(right),
    ...(third === undefined ? {} : { third: addressOf(third) }),
    output: addressOf(output),
    sharedScratch: addressOf(shared),
    ...finishOf(context, kernel, output, plan),
  });
  return (f) => {
    const { prepare } = code;
    if (prepare !== undefined) f.i32(0).i32(prepare.units).i32(addressOf(own)).call(prepare.kernel);
    if (code.units > 0) f.i32(0).i32(code.units).i32(addressOf(own)).call(code.kernel);
  };
}

/** The tail: done by the kernel itself where it can, as a function where it cannot. */
function finishOf(
  context: KernelContext,
  { tail, node }: NodeKernel,
  output: Buffer,
  plan: ContractPlan,
): Pick<ContractPlaces, 'bias' | 'lower' | 'upper' | 'tail'> {
  if (tail === undefined) return {};
  const columns = (node.outputs[0] as SymbolicTensor).shape.at(-1) as number;
  const epilogue = plan.finishes ? matchEpilogue(tail, output, columns) : undefined;
  if (epilogue === undefined) return { tail: emitTail(context, output, tail).functionIndex };
  const { bias, lower, upper } = epilogue;
  return {
    ...(bias === undefined ? {} : { bias: context.addressOf(bias.buffer) + bias.offset * 4 }),
    ...(lower === undefined ? {} : { lower }),
    ...(upper === undefined ? {} : { upper }),
  };
}
