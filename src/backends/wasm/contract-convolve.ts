import type { Shape } from '../../array/shape.ts';
import type { ConvolveAttributes } from '../../graph/primitives.ts';
import { dilatedExtent } from '../../graph/window.ts';
import type { BandGeometry } from './contract-band.ts';
import { planDepthwise } from './contract-depthwise.ts';
import { type DotGeometry, planDot } from './contract-dot.ts';
import type { ContractPlan, Packed } from './contract-plan.ts';
import { type Phase, planSpatial, type Tap } from './contract-spatial.ts';
import { type Axes, mapAxes, product, type WindowGeometry, windowGeometry } from './contract-window.ts';
import { rareCode } from './rare-code.ts';
import { prefersWinograd, tiledGeometry, tiledGradient, type WinogradGeometry } from './winograd-choice.ts';

/** A convolution of an input `[batch, …spatial, in]` with a kernel `[…spatial, in / groups, out]`. */
export interface ConvolveGeometry {
  readonly inputShape: Shape;
  readonly kernelShape: Shape;
  readonly attributes: ConvolveAttributes;
  /** The kernel is packed already, by the plan's `packing`. */
  readonly packed: Packed;
}

/** Plans `convolve`: left is x, right the kernel. See `contract-plan.ts`. */
export function planConvolve({ inputShape, kernelShape, attributes, packed }: ConvolveGeometry): ContractPlan {
  const geometry = windowGeometry(inputShape, kernelShape.slice(0, -2), attributes);
  const { batch, channels, input, positions, window, strides, dilation, low } = geometry;
  const outputs = kernelShape.at(-1) as number;
  const { groups } = attributes;
  const isPointwise = groups === 1 && product(window) === 1 && product(strides) === 1;
  if (isPointwise && product(positions) === product(input)) {
    return planDot(pointwiseDot(batch * product(input), channels, outputs, packed));
  }
  const tiled = tiledGeometry(geometry, outputs);
  const byTiles = tiledPlan(tiled, groups, packed);
  if (byTiles !== undefined) return byTiles;
  const taps = windowTaps(geometry);
  const [depth, columns] = [channels / groups, outputs / groups];
  const band: BandGeometry = {
    batch,
    channels,
    input,
    positions,
    stride: strides,
    low,
    extent: mapAxes((axis) => dilatedExtent(window[axis], dilation[axis])),
  };
  const phases: readonly Phase[] = [{ offset: [0, 0, 0], positions, taps }];
  const spatial = { band, output: positions, outputStride: [1, 1, 1], phases } as const;
  if (depth === 1 && columns === 1 && groups > 1) return planDepthwise(spatial);
  return planSpatial({
    ...spatial,
    groups,
    matrices: {
      count: groups,
      countLength: columns,
      taps: taps.length,
      tapLength: depth * outputs,
      reversed: false,
      depth,
      columns,
      transposed: false,
      rowLength: outputs,
    },
    packed,
  });
}

/** Plans `convolveInputGradient`: left is dy, right the kernel, the output dx of `inputShape`. */
export function planConvolveInputGradient(geometry: ConvolveGeometry): ContractPlan {
  const { inputShape, kernelShape, attributes, packed } = geometry;
  const forward = windowGeometry(inputShape, kernelShape.slice(0, -2), attributes);
  const { batch, channels, input, positions, window, strides } = forward;
  const outputs = kernelShape.at(-1) as number;
  const { groups } = attributes;
  const tiled = tiledGradient(forward, outputs);
  const byTiles = tiledPlan(tiled, groups, packed);
  if (byTiles !== undefined) return byTiles;
  const { low, extent, phases } = gradientPhases(forward);
  const [depth, columns] = [outputs / groups, channels / groups];
  const band: BandGeometry = {
    batch,
    channels: outputs,
    input: positions,
    positions: mapAxes((axis) => Math.ceil(input[axis] / strides[axis])),
    stride: [1, 1, 1],
    low,
    extent,
  };
  const spatial = { band, output: input, outputStride: strides };
  if (depth === 1 && columns === 1 && groups > 1) {
    // A depthwise kernel is not packed, so its taps are counted from the first.
    const last = product(window) - 1;
    const straight = phases.map((phase) => ({
      ...phase,
      taps: phase.taps.map(({ at, index }) => ({ at, index: last - index })),
    }));
    return planDepthwise({ ...spatial, phases: straight });
  }
  return planSpatial({
    ...spatial,
    groups,
    phases,
    matrices: {
      count: groups,
      countLength: depth,
      taps: product(window),
      tapLength: columns * outputs,
      reversed: true,
      depth,
      columns,
      transposed: true,
      rowLength: outputs,
    },
    packed,
  });
}

/** The plan by Winograd's algorithm, where that is the better one. */
function tiledPlan(tiled: WinogradGeometry | undefined, groups: number, packed: Packed): ContractPlan | undefined {
  if (groups !== 1 || tiled === undefined || !prefersWinograd(tiled)) return undefined;
  return rareCode('winograd').planWinograd(tiled, packed);
}

function pointwiseDot(m: number, k: number, n: number, packed: Packed): DotGeometry {
  return { batch: 1, m, k, n, transposeLeft: false, transposeRight: false, packed };
}

/** The taps of a convolution in the order of its kernel. */
function windowTaps({ window, dilation }: Pick<WindowGeometry, 'window' | 'dilation'>): Tap[] {
  const [depth, height, width] = window;
  return Array.from({ length: depth * height * width }, (_, index) => {
    const at = [Math.floor(index / (height * width)), Math.floor(index / width) % height, index % width] as const;
    return { index, at: mapAxes((axis) => at[axis] * dilation[axis]) };
  });
}

/**
 * The input gradient as a convolution of dy. An input element p is seen at the output position o by tap k where
 * o · stride + k · dilation = p + low. With p = q · stride + phase this is o = q + shift, for the taps for which
 * shift = (phase + low − k · dilation) / stride is integral. The last taps come first, so that shifts ascend.
 */
function gradientPhases({ input, window, strides, dilation, low }: WindowGeometry): {
  low: Axes;
  extent: Axes;
  phases: Phase[];
} {
  const shiftsOf = (axis: 0 | 1 | 2, phase: number): { tap: number; shift: number }[] =>
    Array.from({ length: window[axis] }, (_, index) => {
      const tap = window[axis] - 1 - index;
      return { tap, shift: (phase + low[axis] - tap * dilation[axis]) / strides[axis] };
    }).filter(({ shift }) => Number.isInteger(shift));
  const axisShifts = (axis: 0 | 1 | 2): AxisShifts => {
    // Phases beyond the input have no elements.
    const count = Math.min(strides[axis], input[axis]);
    const shifts = Array.from({ length: count }, (_, phase) => shiftsOf(axis, phase));
    const all = shifts.flat().map(({ shift }) => shift);
    return { shifts, least: Math.min(0, ...all), greatest: Math.max(0, ...all) };
  };
  const axes = [axisShifts(0), axisShifts(1), axisShifts(2)] as const;
  const taps = product(window);
  const phases: Phase[] = [];
  for (const [z, shiftsZ] of axes[0].shifts.entries()) {
    for (const [y, shiftsY] of axes[1].shifts.entries()) {
      for (const [x, shiftsX] of axes[2].shifts.entries()) {
        const offset: Axes = [z, y, x];
        const phaseTaps = shiftsZ.flatMap((atZ) =>
          shiftsY.flatMap((atY) =>
            shiftsX.map((atX): Tap => {
              const at = mapAxes((axis) => ([atZ, atY, atX] as const)[axis].shift - axes[axis].least);
              // The kernel's parts are packed in reverse.
              return { at, index: taps - 1 - ((atZ.tap * window[1] + atY.tap) * window[2] + atX.tap) };
            }),
          ),
        );
        phases.push({
          offset,
          positions: mapAxes((axis) => Math.ceil((input[axis] - offset[axis]) / strides[axis])),
          taps: phaseTaps,
        });
      }
    }
  }
  return {
    low: mapAxes((axis) => -axes[axis].least),
    extent: mapAxes((axis) => axes[axis].greatest - axes[axis].least + 1),
    phases,
  };
}

interface AxisShifts {
  readonly shifts: readonly { tap: number; shift: number }[][];
  readonly least: number;
  readonly greatest: number;
}
