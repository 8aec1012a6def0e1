import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { BandPlace, BandPlan } from './contract-band.ts';
import { type ContractPlaces, emitTail } from './contract-plan.ts';
import { type Axes, product } from './contract-window.ts';

/** The part of the output that a unit has computed. */
export interface UnitPart {
  readonly band: BandPlan;
  readonly output: Axes;
  /** Output elements from one position to the next. */
  readonly outputStride: Axes;
  readonly channels: number;
  /** Whether the unit is the last of its lines; others have `band.columns` positions of each. */
  readonly isLastX: boolean;
  /** The channels of the unit, where it has not all. */
  readonly columns?: { readonly unit: Local; readonly count: number; readonly inUnit: number };
}

/** Calls the tail for a unit's part of the output: for lines in one run where they are whole. */
export function emitUnitTail(f: FunctionBuilder, places: ContractPlaces, place: BandPlace, part: UnitPart): void {
  if (places.tail === undefined) return;
  const { band, output, outputStride, channels, isLastX, columns } = part;
  const [depth, height, width] = output;
  const pixel = channels * 4;
  const [slice, lines, line, at, atZ, count] = f.localsOf('i32', 6) as [Local, Local, Local, Local, Local, Local];
  // Lines of the output: those of the unit, but none beyond the last.
  f.sum([[place.y, -outputStride[1]]], height).set(lines);
  f.scaled(place.lines, outputStride[1]).tee(count).get(lines).get(count).get(lines).op('i32.lt_s', 'select');
  f.set(lines);
  const startX = (band.columnBlocks - 1) * band.columns * outputStride[2];
  const pixels = isLastX ? width - startX : band.columns * outputStride[2];
  f.for(slice, 0, outputStride[0], 1, () => {
    f.sum([
      [place.z, outputStride[0]],
      [slice, 1],
    ]).set(atZ);
    f.get(atZ).i32(depth).op('i32.lt_s');
    f.if(() => {
      f.sum(
        [
          [place.image, product(output) * pixel],
          [atZ, height * width * pixel],
          [place.y, outputStride[1] * width * pixel],
          [place.x, outputStride[2] * pixel],
          ...(columns ? ([[columns.unit, columns.inUnit * 4]] as const) : []),
        ],
        places.output,
      ).set(at);
      if (band.columnBlocks === 1 && !columns) {
        f.scaled(lines, width * channels).set(count);
        emitTail(f, places, at, count);
        return;
      }
      f.for(line, 0, lines, 1, () => {
        if (!columns) {
          emitTail(f, places, at, pixels * channels);
          f.increment(at, width * pixel);
          return;
        }
        f.for(count, 0, pixels, 1, () => {
          emitTail(f, places, at, columns.count);
          f.increment(at, pixel);
        });
        f.increment(at, (width - pixels) * pixel);
      });
    });
  });
  f.release(slice, lines, line, at, atZ, count);
}
