/** Gathering and scattering by indices that are known at run time only. */
import { sizeOf } from '../../array/shape.ts';
import type { Buffer, NodeKernel, NumericDtype } from '../../compiler/schedule.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { type EmittedKernel, elementBytes, emitRangeFunction, type KernelContext } from './kernel-context.ts';
import { countBy } from './loop-code.ts';
import { rareCode } from './rare-code.ts';

/** Rows up to this size are moved by single instructions, longer ones by a bulk copy, which costs a call. */
const UNROLLED_ROW_BYTES = 128;

/** Whole rows of the input, one for each index; the range is over rows of the output. */
export function emitGather(context: KernelContext, kernel: NodeKernel, axis: number): EmittedKernel {
  const [source, indices] = kernel.node.inputs as readonly [SymbolicTensor, SymbolicTensor];
  const [x, positions] = kernel.inputs as readonly [Buffer, Buffer];
  const output = kernel.outputs[0] as Buffer;
  const outer = sizeOf(source.shape.slice(0, axis));
  const extent = source.shape[axis] as number;
  const count = sizeOf(indices.shape);
  const rowBytes = sizeOf(source.shape.slice(axis + 1)) * elementBytes(x.dtype);
  const rows = rowBytes === 0 ? 0 : outer * count;
  return emitRangeFunction(context, rows, (f, first, last) => {
    if (rows === 0) return;
    const [row, index, from, to] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
    f.get(first).set(row);
    countBy(f, row, last, 1, () => {
      f.get(row).i32(count).op('i32.rem_u').i32(4).op('i32.mul');
      f.load('i32.load', 'stack', context.addressOf(positions)).set(index);
      f.sum([[row, rowBytes]], context.addressOf(output)).set(to);
      const inside = (): void => {
        const form = x.role === 'persistent' ? x.narrow : undefined;
        if (form !== undefined) {
          rareCode('table').emitWideRow(f, source.shape, form, context.addressOf(x), index, to);
          return;
        }
        f.get(row).i32(count).op('i32.div_u').i32(extent).op('i32.mul').get(index).op('i32.add').i32(rowBytes);
        f.op('i32.mul').i32(context.addressOf(x)).op('i32.add').set(from);
        copyBytes(f, to, from, rowBytes);
      };
      ifInside(f, index, extent, inside, () => fillAbsent(f, x.dtype, to, rowBytes));
    });
    f.release(row, index, from, to);
  });
}

/** One element of the input for each index; the range is over elements. */
export function emitTakeAlongAxis(context: KernelContext, kernel: NodeKernel, axis: number): EmittedKernel {
  const [source, indices] = kernel.node.inputs as readonly [SymbolicTensor, SymbolicTensor];
  const [x, positions] = kernel.inputs as readonly [Buffer, Buffer];
  const output = kernel.outputs[0] as Buffer;
  const extent = source.shape[axis] as number;
  const inner = sizeOf(source.shape.slice(axis + 1));
  const taken = indices.shape[axis] as number;
  const bytes = elementBytes(x.dtype);
  return emitRangeFunction(context, output.size, (f, first, last) => {
    if (output.size === 0) return;
    const [element, index, from, to] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
    f.get(first).set(element);
    countBy(f, element, last, 1, () => {
      f.scaled(element, 4).load('i32.load', 'stack', context.addressOf(positions)).set(index);
      f.sum([[element, bytes]], context.addressOf(output)).set(to);
      const inside = (): void => {
        f.get(element)
          .i32(taken * inner)
          .op('i32.div_u')
          .i32(extent)
          .op('i32.mul')
          .get(index)
          .op('i32.add');
        f.i32(inner).op('i32.mul').get(element).i32(inner).op('i32.rem_u', 'i32.add').i32(bytes).op('i32.mul');
        f.i32(context.addressOf(x)).op('i32.add').set(from);
        copyBytes(f, to, from, bytes);
      };
      ifInside(f, index, extent, inside, () => fillAbsent(f, x.dtype, to, bytes));
    });
    f.release(element, index, from, to);
  });
}

/**
 * Adds rows of the updates to rows of the output. The range is over rows of the output: each part of it goes through
 * all updates and takes its own, so that parts never write to one place.
 */
export function emitScatterAdd(
  context: KernelContext,
  kernel: NodeKernel,
  axis: number,
  extent: number,
): EmittedKernel {
  const [indices, updates] = kernel.node.inputs as readonly [SymbolicTensor, SymbolicTensor];
  const [positions, values] = kernel.inputs as readonly [Buffer, Buffer];
  const output = kernel.outputs[0] as Buffer;
  const count = sizeOf(indices.shape);
  const outer = sizeOf(updates.shape.slice(0, axis));
  const inner = sizeOf(updates.shape.slice(axis + indices.shape.length));
  const bytes = elementBytes(output.dtype);
  const rowBytes = inner * bytes;
  const rows = rowBytes === 0 ? 0 : outer * extent;
  return emitRangeFunction(context, rows, (f, first, last) => {
    if (rows === 0) return;
    f.sum([[first, rowBytes]], context.addressOf(output)).i32(0);
    f.get(last).get(first).op('i32.sub').i32(rowBytes).op('i32.mul').memoryFill();
    const [update, index, from, to, end] = f.localsOf('i32', 5) as [Local, Local, Local, Local, Local];
    f.for(update, 0, outer * count, 1, () => {
      f.get(update).i32(count).op('i32.rem_u').i32(4).op('i32.mul');
      f.load('i32.load', 'stack', context.addressOf(positions)).set(index);
      ifInside(f, index, extent, () => {
        f.get(update).i32(count).op('i32.div_u').i32(extent).op('i32.mul').get(index).op('i32.add').tee(index);
        f.get(first).op('i32.ge_s').get(index).get(last).op('i32.lt_s', 'i32.and');
        f.if(() => {
          f.sum([[index, rowBytes]], context.addressOf(output))
            .tee(to)
            .i32(rowBytes)
            .op('i32.add')
            .set(end);
          f.sum([[update, rowBytes]], context.addressOf(values)).set(from);
          addBytes(f, output.dtype, to, from, end);
        });
      });
    });
    f.release(update, index, from, to, end);
  });
}

/** Resolves a negative index and runs `inside` where it is in range. */
function ifInside(f: FunctionBuilder, index: Local, extent: number, inside: () => void, outside?: () => void): void {
  f.get(index).i32(extent).op('i32.add').get(index).get(index).i32(0).op('i32.lt_s', 'select').set(index);
  // The condition is unsigned: what is still negative is out of range too.
  f.get(index).i32(extent).op('i32.lt_u').if(inside, outside);
}

function copyBytes(f: FunctionBuilder, to: Local, from: Local, bytes: number): void {
  if (bytes > UNROLLED_ROW_BYTES) {
    f.get(to).get(from).i32(bytes).memoryCopy();
    return;
  }
  let offset = 0;
  for (; offset + 16 <= bytes; offset += 16) {
    const at = offset;
    f.storeAt('v128.store', to, at, () => f.load('v128.load', from, at));
  }
  for (; offset + 4 <= bytes; offset += 4) {
    const at = offset;
    f.storeAt('i32.store', to, at, () => f.load('i32.load', from, at));
  }
  for (; offset < bytes; offset++) {
    const at = offset;
    f.storeAt('i32.store8', to, at, () => f.load('i32.load8_u', from, at));
  }
}

/** What an index out of range reads: NaN, the least int32, false. */
function fillAbsent(f: FunctionBuilder, dtype: NumericDtype, to: Local, bytes: number): void {
  if (dtype === 'bool') {
    f.get(to).i32(0).i32(bytes).memoryFill();
    return;
  }
  const at = f.local('i32');
  f.for(at, 0, bytes, 4, () => {
    f.get(to).get(at).op('i32.add');
    if (dtype === 'float32') f.f32(Number.NaN).store('f32.store');
    else f.i32(-(2 ** 31)).store('i32.store');
  });
  f.release(at);
}

/** Adds what lies at `from` to what lies from `to` up to `end`; moves both. */
function addBytes(f: FunctionBuilder, dtype: NumericDtype, to: Local, from: Local, end: Local): void {
  if (dtype !== 'bool') {
    const vector = dtype === 'float32' ? 'f32x4.add' : 'i32x4.add';
    countBy(f, to, end, 16, () => {
      f.get(to).load('v128.load', to).load('v128.load', from).op(vector).store('v128.store');
      f.increment(from, 16);
    });
    countBy(f, to, end, 4, () => {
      f.get(to).load('v128.load32_zero', to).load('v128.load32_zero', from).op(vector);
      f.laneMemory('v128.store32_lane', 0).increment(from, 4);
    });
    return;
  }
  countBy(f, to, end, 1, () => {
    f.get(to).load('i32.load8_u', to).load('i32.load8_u', from).op('i32.or').store('i32.store8').increment(from, 1);
  });
}
