/**
 * Reading ahead. Processors foresee reads that go straight on, and fetch what comes next. Tiles and windows of images are
 * read in an order that they do not foresee: from line to line, and each line lies in another page of memory. A range that
 * was read straight before is in the second cache then; so is one that is about to be written. Winograd's kernels take a tenth
 * less time. So do weights come faster, of programs that have more of them than the second cache: read by a kernel panel by
 * panel, each of which is used before the next is asked for, they make it wait.
 */
import { type Buffer, buffersRead, byteLengthOf, type Kernel, type NodeKernel } from '../../compiler/schedule.ts';
import type { FunctionBuilder } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import { multiplyAdds } from './kernel-cost.ts';

const LINE_BYTES = 64;

/** Lines that are read in one turn. */
const UNROLL = 4;

/** A range of memory. */
export interface Range {
  readonly start: number;
  readonly byteLength: number;
}

/** Bytes of one turn. */
const TURN_BYTES = UNROLL * LINE_BYTES;

/**
 * Writes a look at one of `parts` equal parts of a range; the numbers of parts beyond the last are those of nothing.
 *
 * @param part pushes its number
 */
export function emitTouch(
  module: ModuleBuilder,
  f: FunctionBuilder,
  { start, byteLength }: Range,
  parts: number,
  part: () => unknown,
): void {
  const bytes = wholeTurns(byteLength / Math.max(parts, 1));
  if (bytes === 0) return;
  const [from, to] = [f.local('i32'), f.local('i32')];
  part();
  f.i32(bytes).op('i32.mul').i32(start).op('i32.add').tee(from).i32(bytes).op('i32.add').set(to);
  f.get(from).get(to).call(touchFunction(module)).op('drop').release(from, to);
}

/** Writes a look at all of a range. */
export function emitTouchOfAll(module: ModuleBuilder, f: FunctionBuilder, { start, byteLength }: Range): void {
  f.i32(start)
    .i32(start + wholeTurns(byteLength))
    .call(touchFunction(module))
    .op('drop');
}

function wholeTurns(byteLength: number): number {
  return Math.floor(byteLength / TURN_BYTES) * TURN_BYTES;
}

/** A function that reads from one address to another. Its result has no meaning, but keeps engines from leaving out the reads. */
function touchFunction(module: ModuleBuilder): number {
  return module.shared('touch', ['i32', 'i32'], ['i32'], (f) => {
    const [at, end] = [f.param(0), f.param(1)];
    const bits = f.local('i32');
    f.for(at, at, end, TURN_BYTES, () => {
      for (let line = 0; line < UNROLL; line++) {
        f.load('i32.load', at, line * LINE_BYTES)
          .get(bits)
          .op('i32.xor')
          .set(bits);
      }
    });
    f.get(bits);
  });
}

/** Weights that are more than this leave the second cache between two runs. */
const NEAR_BYTES = 768 << 10;

/** Whether the weights of a program are so many that a run finds few of them in the near caches. */
export function hasFarWeights(kernels: readonly Kernel[]): boolean {
  const weights = new Set(kernels.flatMap(buffersRead).filter(isWeight));
  return [...weights].reduce((sum, buffer) => sum + byteLengthOf(buffer), 0) > NEAR_BYTES;
}

function isWeight({ role }: Buffer): boolean {
  return role === 'persistent' || role === 'parameter';
}

/** Fewer come at once anyway. */
const LEAST_BYTES = 8 << 10;

/** More would have left the second cache when they are needed. */
const MOST_BYTES = 1 << 20;

/** Products that each weight is in, from which reading it once more takes no time to speak of. */
const LEAST_USES = 12;

/** The weights of a contraction that are worth reading ahead in a program that has them far away. */
export function farWeights({ node, inputs }: NodeKernel): readonly Buffer[] {
  const products = multiplyAdds(node);
  return inputs.filter((buffer) => {
    const bytes = byteLengthOf(buffer);
    return isWeight(buffer) && bytes >= LEAST_BYTES && bytes <= MOST_BYTES && products >= LEAST_USES * buffer.size;
  });
}
