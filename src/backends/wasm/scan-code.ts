/** The loop around the kernels of a scan, and the copies between its steps. */
import { bytesPerElement } from '../../array/dtype.ts';
import { type Buffer, byteLengthOf, type ScanKernel } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local, Operand } from './assembler-function.ts';
import type { KernelContext } from './kernel-context.ts';
import { type Meeting, RunWriter, SHARED_PARAMS, type Team } from './share-work.ts';

/** A kernel, ready to be written into the function of a run. */
export interface Work {
  readonly isShared: boolean;
  write(writer: RunWriter, f: FunctionBuilder): void;
}

/** A loop around the kernels of the body; steps of sequences are copied to and from fixed places. */
export function emitScan(
  context: KernelContext,
  scan: ScanKernel,
  body: readonly Work[],
  meeting: Meeting | undefined,
): Work {
  const { module, addressOf } = context;
  const isTeamwork = meeting !== undefined && body.some(({ isShared: shared }) => shared);
  const index = module.function(isTeamwork ? SHARED_PARAMS : [], [], (f) => {
    const [position, count, place] = f.localsOf('i32', 3) as [Local, Local, Local];
    const setPlace = (whole: Buffer, step: Buffer): void => {
      f.sum([[position, step.size * bytesPerElement(step.dtype)]], addressOf(whole)).set(place);
    };
    const writer = new RunWriter(f, isTeamwork ? { thread: f.param(0), threads: f.param(1), ...meeting } : undefined);
    writer.alone(() => {
      for (const { initial, current } of scan.carries) emitBufferCopy(f, context, initial, current);
    });
    writer.meet();
    f.for(count, 0, scan.length, 1, () => {
      f.get(count).set(position);
      if (scan.reverse)
        f.i32(scan.length - 1)
          .get(count)
          .op('i32.sub')
          .set(position);
      writer.alone(() => {
        for (const { whole, step } of scan.sequences) {
          setPlace(whole, step);
          emitCopy(f, place, addressOf(step), byteLengthOf(step));
        }
      });
      for (const work of body) work.write(writer, f);
      writer.alone(() => {
        for (const { whole, step } of scan.stacked) {
          setPlace(whole, step);
          emitCopy(f, addressOf(step), place, byteLengthOf(step));
        }
        for (const { next, current } of scan.carries) emitBufferCopy(f, context, next, current);
      });
      // The next turn begins as the first did.
      writer.meet();
    });
  });
  return {
    isShared: isTeamwork,
    write: (writer, f) => {
      if (!isTeamwork) writer.alone(() => f.call(index));
      else
        writer.together((team) =>
          f
            .get((team as Team).thread)
            .get((team as Team).threads)
            .call(index),
        );
    },
  };
}

export function emitBufferCopy(f: FunctionBuilder, { addressOf }: KernelContext, from: Buffer, to: Buffer): void {
  if (addressOf(from) !== addressOf(to)) emitCopy(f, addressOf(from), addressOf(to), byteLengthOf(from));
}

const VECTOR_BYTES = 16;

/** Up to so many bytes, calling the engine takes longer than copying them in line. */
const MOST_INLINE_BYTES = 1024;

/** Copies between two places that do not overlap. */
function emitCopy(f: FunctionBuilder, from: Operand, to: Operand, byteLength: number): void {
  if (byteLength === 0) return;
  if (byteLength < VECTOR_BYTES || byteLength > MOST_INLINE_BYTES) {
    f.push(to).push(from).i32(byteLength).memoryCopy();
    return;
  }
  for (let start = 0; start < byteLength; start += VECTOR_BYTES) {
    // The last vector begins where it ends with the last byte.
    const offset = Math.min(start, byteLength - VECTOR_BYTES);
    f.storeAt('v128.store', to, offset, () => f.load('v128.load', from, offset));
  }
}
