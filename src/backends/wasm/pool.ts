import type { Shape } from '../../array/shape.ts';
import type { PoolAttributes } from '../../graph/primitives.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import {
  type ContractPlaces,
  type ContractPlan,
  divideInto,
  emitKernel,
  emitNothing,
  emitTail,
} from './contract-plan.ts';
import { storeLanes } from './contract-tile.ts';
import { product, type WindowGeometry, windowGeometry } from './contract-window.ts';
import {
  emitChannels,
  emitElements,
  emitPositions,
  fixedElements,
  imageLength,
  liesWithin,
  WINDOW_PARAMS,
} from './pool-window.ts';
import { emitTouch } from './touch-code.ts';

/** A pool over `inputShape`, that of x also for the gradients. */
export interface PoolGeometry {
  readonly inputShape: Shape;
  readonly attributes: PoolAttributes;
}

/** Plans `maxPool`: left is x. See `contract-plan.ts`. */
export function planMaxPool(geometry: PoolGeometry): ContractPlan {
  return planPool(geometry, emitMaximum);
}

/** Plans `averagePool`: left is x. */
export function planAveragePool(geometry: PoolGeometry): ContractPlan {
  return planPool(geometry, emitAverage);
}

/** Plans `maxPoolGradient`: left is x, right y, third dy; the output is dx. */
export function planMaxPoolGradient(geometry: PoolGeometry): ContractPlan {
  return planPoolGradient(geometry, (places) => places.left, emitMaximumGradient, ['i32', 'i32']);
}

/** Plans `averagePoolGradient`: left is dy; the output is dx. */
export function planAveragePoolGradient(geometry: PoolGeometry): ContractPlan {
  return planPoolGradient(geometry, (places) => places.output, emitAverageGradient, ['i32']);
}

/** Vectors of channels that one pass over a window computes. */
const VECTORS = 4;

/** Lines that a unit has at least, so that the tail is called for more than a few elements. */
const LEAST_UNIT_LENGTH = 4096;

/** Writes the function of one window: its address, its extents, and the address of the output. */
type WindowWriter = (f: FunctionBuilder, geometry: WindowGeometry, places: ContractPlaces) => void;

function planPool({ inputShape, attributes }: PoolGeometry, writeWindow: WindowWriter): ContractPlan {
  const geometry = windowGeometry(inputShape, attributes.window, attributes);
  const { batch, channels, positions } = geometry;
  const lines = positions[0] * positions[1];
  const lineLength = positions[2] * channels;
  const wanted = Math.max(Math.ceil((batch * lines) / 8), Math.ceil(LEAST_UNIT_LENGTH / Math.max(lineLength, 1)));
  const unitLines = Math.max(1, Math.min(lines, wanted));
  const blocks = Math.ceil(lines / unitLines);
  return {
    finishes: false,
    sharedBytes: 0,
    privateBytes: 0,
    emit: (module, places) => {
      if (batch * lines * lineLength === 0) return emitNothing(module);
      const window = module.function([...WINDOW_PARAMS, 'i32'], [], (f) => writeWindow(f, geometry, places));
      const kernel = emitKernel(module, (f, unit) => {
        const [image, firstLine, lastLine, output, start, count] = f.localsOf('i32', 6) as [
          Local,
          Local,
          Local,
          Local,
          Local,
          Local,
        ];
        emitTouch(
          module,
          f,
          { start: places.left, byteLength: batch * imageLength(geometry) * 4 },
          batch * blocks,
          () => f.get(unit),
        );
        divideInto(f, unit, blocks, image, firstLine);
        f.scaled(firstLine, unitLines).tee(firstLine).i32(unitLines).op('i32.add').tee(lastLine);
        f.i32(lines).get(lastLine).i32(lines).op('i32.lt_s', 'select').set(lastLine);
        f.sum(
          [
            [image, lines * lineLength * 4],
            [firstLine, lineLength * 4],
          ],
          places.output,
        )
          .tee(output)
          .set(start);
        emitPositions(f, geometry, { input: places.left, image, firstLine, lastLine }, ({ base, counts }) => {
          f.get(base);
          for (const extent of counts) f.get(extent);
          f.get(output)
            .call(window)
            .increment(output, channels * 4);
        });
        f.get(output).get(start).op('i32.sub').i32(2).op('i32.shr_u').set(count);
        emitTail(f, places, start, count);
        f.release(image, firstLine, lastLine, output, start, count);
      });
      return { kernel, units: batch * blocks };
    },
  };
}

function emitMaximum(f: FunctionBuilder, geometry: WindowGeometry): void {
  const maxima = f.localsOf('v128', VECTORS);
  // pmax drops a NaN; comparing x with itself tells where one was, in fewer instructions than max takes.
  const nanLanes = f.localsOf('v128', VECTORS);
  const x = f.local('v128');
  emitChannels(f, geometry.channels, VECTORS, (offset, vectors, lanes) => {
    const used = maxima.slice(0, vectors);
    for (const maximum of used) f.f32x4(Number.NEGATIVE_INFINITY).set(maximum);
    for (const nanLane of nanLanes.slice(0, vectors)) f.i32x4(0).set(nanLane);
    emitElements(f, geometry, offset, (element, at) => {
      for (const [index, maximum] of used.entries()) {
        const nanLane = nanLanes[index] as Local;
        f.get(maximum)
          .load('v128.load', element, at + index * 16)
          .tee(x)
          .op('f32x4.pmax')
          .set(maximum);
        f.get(x).get(x).op('f32x4.ne').get(nanLane).op('v128.or').set(nanLane);
      }
    });
    for (const [index, maximum] of used.entries()) {
      f.get(maximum)
        .get(nanLanes[index] as Local)
        .op('v128.or')
        .set(maximum);
    }
    storeChannels(f, used, offset, lanes);
  });
}

function emitAverage(f: FunctionBuilder, geometry: WindowGeometry): void {
  const sums = f.localsOf('v128', VECTORS);
  const count = f.local('v128');
  emitCount(f, count);
  emitChannels(f, geometry.channels, VECTORS, (offset, vectors, lanes) => {
    const used = sums.slice(0, vectors);
    for (const sum of used) f.f32x4(0).set(sum);
    emitElements(f, geometry, offset, (element, at) => {
      for (const [index, sum] of used.entries()) {
        f.get(sum)
          .load('v128.load', element, at + index * 16)
          .op('f32x4.add')
          .set(sum);
      }
    });
    for (const sum of used) f.get(sum).get(count).op('f32x4.div').set(sum);
    storeChannels(f, used, offset, lanes);
  });
}

/** Sets a vector to the number of elements of the window. */
function emitCount(f: FunctionBuilder, count: Local): void {
  f.get(f.param(1)).get(f.param(2)).op('i32.mul').get(f.param(3)).op('i32.mul', 'f32.convert_i32_s');
  f.op('f32x4.splat').set(count);
}

/** Stores vectors at the fifth parameter plus the offset of their first channel. */
function storeChannels(f: FunctionBuilder, vectors: readonly Local[], offset: Local, lanes: number): void {
  const address = f.local('i32');
  f.get(f.param(4)).get(offset).op('i32.add').set(address);
  for (const [index, vector] of vectors.entries()) storeLanes(f, address, index * 16, vector, lanes);
  f.release(address);
}

/** `seen` is what windows are taken of: x, or where there is none, dx. */
function planPoolGradient(
  { inputShape, attributes }: PoolGeometry,
  seen: (places: ContractPlaces) => number,
  writeWindow: WindowWriter,
  operandTypes: readonly 'i32'[],
): ContractPlan {
  const geometry = windowGeometry(inputShape, attributes.window, attributes);
  const { batch, channels, positions, input, strides } = geometry;
  const length = imageLength(geometry);
  const lines = positions[0] * positions[1];
  const lineLength = strides[1] * input[2] * channels;
  // Lines of windows that overlap are not cut apart, nor are those of volumes, or at an edge.
  const isCut = areDisjoint(geometry) && input[0] === 1 && liesWithin(geometry, 1);
  const unitLines = isCut ? Math.min(lines, Math.ceil(LEAST_UNIT_LENGTH / Math.max(lineLength, 1))) : lines;
  const blocks = Math.ceil(lines / Math.max(unitLines, 1));
  const units = batch * Math.max(blocks, 1);
  const writesAll =
    writeWindow === emitMaximumGradient &&
    disjointElements(geometry) !== undefined &&
    product(positions) * product(geometry.window) === product(input);
  return {
    finishes: false,
    masks: writesAll,
    sharedBytes: 0,
    privateBytes: 0,
    emit: (module, places) => {
      if (batch * length === 0) return emitNothing(module);
      const window = module.function([...WINDOW_PARAMS, ...operandTypes], [], (f) => writeWindow(f, geometry, places));
      const operands = operandTypes.length === 2 ? [places.right, places.third ?? 0] : [places.left];
      const kernel = emitKernel(module, (f, unit) => {
        const [image, firstLine, lastLine, offset, start, count] = f.localsOf('i32', 6) as [
          Local,
          Local,
          Local,
          Local,
          Local,
          Local,
        ];
        for (const start of new Set([seen(places), places.output])) {
          emitTouch(module, f, { start, byteLength: batch * length * 4 }, units, () => f.get(unit));
        }
        divideInto(f, unit, Math.max(blocks, 1), image, firstLine);
        f.scaled(firstLine, unitLines).tee(firstLine).i32(unitLines).op('i32.add').tee(lastLine);
        f.i32(lines).op('i32.lt_s');
        f.if(
          () => f.i32(unitLines * lineLength).set(count),
          () => {
            // The last lines of an image, and what no window sees.
            f.i32(lines).set(lastLine);
            f.sum([[firstLine, -lineLength]], length).set(count);
          },
        );
        f.sum(
          [
            [image, length * 4],
            [firstLine, lineLength * 4],
          ],
          places.output,
        ).set(start);
        if (!writesAll) f.get(start).i32(0).scaled(count, 4).memoryFill();
        f.sum([
          [image, product(positions) * channels * 4],
          [firstLine, positions[2] * channels * 4],
        ]).set(offset);
        emitPositions(f, geometry, { input: seen(places), image, firstLine, lastLine }, ({ base, counts }) => {
          f.get(base);
          for (const extent of counts) f.get(extent);
          for (const operand of operands) f.sum([[offset, 1]], operand);
          f.call(window).increment(offset, channels * 4);
        });
        emitTail(f, places, start, count);
        f.release(image, firstLine, lastLine, offset, start, count);
      });
      return { kernel, units };
    },
  };
}

/** Whether no two windows have an element of the input in common. */
function areDisjoint({ window, strides, dilation }: WindowGeometry): boolean {
  return ([0, 1, 2] as const).every((axis) => dilation[axis] === 1 && strides[axis] >= window[axis]);
}

/** Offsets in bytes of a window's elements, where all windows lie in the input and are disjoint. */
function disjointElements(geometry: WindowGeometry): number[] | undefined {
  return areDisjoint(geometry) ? fixedElements(geometry) : undefined;
}

/** Each element of dx belongs to one window: it is written once, and never read. */
function emitDisjointMaximumGradient(
  f: FunctionBuilder,
  { channels }: WindowGeometry,
  places: ContractPlaces,
  elements: readonly number[],
): void {
  const [y, dy, x, isOpen, isFirst] = f.localsOf('v128', 5) as [Local, Local, Local, Local, Local];
  const [source, target] = [f.local('i32'), f.local('i32')];
  emitChannels(f, channels, 1, (offset, _, lanes) => {
    f.get(f.param(4)).get(offset).op('i32.add').load('v128.load').set(y);
    f.get(f.param(5)).get(offset).op('i32.add').load('v128.load').set(dy);
    f.get(f.param(0)).get(offset).op('i32.add').tee(source);
    f.i32(places.output - places.left)
      .op('i32.add')
      .set(target);
    f.i32x4(-1).set(isOpen);
    for (const element of elements) {
      f.load('v128.load', source, element).set(x);
      // The first element that is the maximum, or NaN.
      f.get(x).get(y).op('f32x4.eq').get(x).get(x).op('f32x4.ne', 'v128.or').get(isOpen).op('v128.and').tee(isFirst);
      f.get(dy).op('v128.and');
      if (places.masked) f.get(x).f32x4(0).op('f32x4.gt', 'v128.and');
      f.set(x);
      f.get(isOpen).get(isFirst).op('v128.andnot').set(isOpen);
      storeLanes(f, target, element, x, lanes);
    }
  });
}

/** Parameters after the window: addresses of y and dy. */
function emitMaximumGradient(f: FunctionBuilder, geometry: WindowGeometry, places: ContractPlaces): void {
  const elements = disjointElements(geometry);
  if (elements !== undefined) {
    emitDisjointMaximumGradient(f, geometry, places, elements);
    return;
  }
  const [y, dy, x, isTaken, isFirst] = f.localsOf('v128', 5) as [Local, Local, Local, Local, Local];
  const target = f.local('i32');
  emitChannels(f, geometry.channels, 1, (offset, _, lanes) => {
    f.get(f.param(4)).get(offset).op('i32.add').load('v128.load').set(y);
    f.get(f.param(5)).get(offset).op('i32.add').load('v128.load').set(dy);
    f.i32x4(0).set(isTaken);
    emitElements(f, geometry, offset, (element, at) => {
      f.load('v128.load', element, at).set(x);
      // The first element that is the maximum, or NaN.
      f.get(x).get(y).op('f32x4.eq').get(x).get(x).op('f32x4.ne', 'v128.or').get(isTaken).op('v128.andnot');
      f.tee(isFirst).get(isTaken).op('v128.or').set(isTaken);
      f.get(element)
        .i32(places.output - places.left + at)
        .op('i32.add')
        .tee(target);
      f.load('v128.load').get(dy).get(isFirst).op('v128.and', 'f32x4.add').set(x);
      storeLanes(f, target, 0, x, lanes);
    });
  });
}

/** Parameter after the window: the address of dy. The window is that of dx. */
function emitAverageGradient(f: FunctionBuilder, geometry: WindowGeometry): void {
  const [share, sum, count] = f.localsOf('v128', 3) as [Local, Local, Local];
  emitCount(f, count);
  emitChannels(f, geometry.channels, 1, (offset, _, lanes) => {
    f.get(f.param(4)).get(offset).op('i32.add').load('v128.load').get(count).op('f32x4.div').set(share);
    emitElements(f, geometry, offset, (element, at) => {
      f.load('v128.load', element, at).get(share).op('f32x4.add').set(sum);
      storeLanes(f, element, at, sum, lanes);
    });
  });
}
