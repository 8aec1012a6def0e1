/** Which convolutions are computed by Winograd's algorithm; `contract-winograd.ts`, which does it, is loaded for them alone. */
import type { AnyNode, SymbolicTensor } from '../../graph/node.ts';
import { product, type WindowGeometry, windowGeometry } from './contract-window.ts';
import type { Extents } from './winograd-tiles.ts';

/** With fewer channels than this on a side, transforms cost more than they save. */
const LEAST_CHANNELS = 16;

/** Transformed kernels are four times the kernel; beyond this, reading them takes longer than is saved. */
const MOST_WEIGHTS = 256 * 256;

/** Sums of filter gradients beyond this no longer stay in the caches of small processors. */
export const MOST_FILTER_WEIGHTS: number = 128 * 128;

/** With fewer tiles, the transformed kernel is read for too few of them. */
const LEAST_TILES = 12;

/** How many products tiles that reach beyond the output may waste. */
const MOST_WASTE = 1.6;

/** Outputs of a tile along each axis. */
const TILE_OUTPUTS = 4;

/** A convolution as the sums that it computes: the gradient of an input is one of dy, with the kernel turned around. */
export interface WinogradGeometry {
  readonly batch: number;
  readonly input: Extents;
  readonly output: Extents;
  readonly low: Extents;
  /** Channels of what is read and of what is written. */
  readonly inputs: number;
  readonly outputs: number;
  /** The kernel is `[3, 3, outputs, inputs]` and its last tap comes first. */
  readonly isGradient: boolean;
}

/** The tiles of a convolution to so many channels; undefined where its window is not of 3 × 3, or takes steps. */
export function tiledGeometry(geometry: WindowGeometry, outputs: number): WinogradGeometry | undefined {
  const { batch, channels, input, positions, low, window, strides, dilation } = geometry;
  const isPlane = input[0] === 1 && positions[0] === 1 && low[0] === 0;
  if (!isPlane || window.join() !== '1,3,3' || product(strides) * product(dilation) !== 1) return undefined;
  return {
    batch,
    input: [input[1], input[2]],
    output: [positions[1], positions[2]],
    low: [low[1], low[2]],
    inputs: channels,
    outputs,
    isGradient: false,
  };
}

/** The tiles of the input gradient of a convolution to so many channels. */
export function tiledGradient(geometry: WindowGeometry, outputs: number): WinogradGeometry | undefined {
  const forward = tiledGeometry(geometry, outputs);
  if (forward === undefined) return undefined;
  const { batch, input, output, low, inputs } = forward;
  // The last tap sees dy as far before an element as the first tap sees x before a position.
  const turned: Extents = [2 - low[0], 2 - low[1]];
  return { batch, input: output, output: input, low: turned, inputs: outputs, outputs: inputs, isGradient: true };
}

/** Whether the algorithm is the faster one. */
export function prefersWinograd({ batch, output, inputs, outputs }: WinogradGeometry): boolean {
  const [tilesY, tilesX] = [Math.ceil(output[0] / TILE_OUTPUTS), Math.ceil(output[1] / TILE_OUTPUTS)];
  const covered = tilesY * tilesX * TILE_OUTPUTS ** 2;
  return (
    inputs % 4 === 0 &&
    outputs % 4 === 0 &&
    Math.min(inputs, outputs) >= LEAST_CHANNELS &&
    inputs * outputs <= MOST_WEIGHTS &&
    batch * tilesY * tilesX >= LEAST_TILES &&
    covered <= output[0] * output[1] * MOST_WASTE
  );
}

/** Whether the kernel of a node is one that the algorithm computes. */
export function needsWinograd(node: AnyNode): boolean {
  if (node.primitive !== 'convolve' && node.primitive !== 'convolveInputGradient') return false;
  if (node.attributes.groups !== 1) return false;
  const [left, right] = node.inputs as readonly [SymbolicTensor, SymbolicTensor];
  const inputShape = node.primitive === 'convolve' ? left.shape : node.attributes.inputShape;
  const window = windowGeometry(inputShape, right.shape.slice(0, -2), node.attributes);
  const outputs = right.shape.at(-1) as number;
  const tiled = node.primitive === 'convolve' ? tiledGeometry(window, outputs) : tiledGradient(window, outputs);
  return tiled !== undefined && prefersWinograd(tiled);
}
