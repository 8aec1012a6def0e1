import type { Shape } from '../../array/shape.ts';
import { UnsupportedError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { where } from '../../ops/compare.ts';
import { zerosLike } from '../../ops/creation.ts';
import { multiply } from '../../ops/elementwise.ts';
import { broadcastTo } from '../../ops/operand.ts';
import { type DrawBits, isKept } from '../../ops/random.ts';
import type { CallContext, Layer, LayerConfig } from '../layer.ts';

/**
 * What a layer draws its random bits from in training: a stream of the seed, or that of the training.
 *
 * @throws {UnsupportedError} when the call has no random numbers.
 */
export function drawFor<C extends LayerConfig>(
  layer: Layer<C>,
  { random }: CallContext,
  seed: number | null,
): DrawBits {
  if (random !== undefined) return (shape) => random(shape, seed);
  throw new UnsupportedError(
    `Cannot train layer "${layer.name}": ${layer.className} needs random numbers, found none in this call; ` +
      `train with fit, or have it drop nothing`,
    `${layer.className} in training`,
  );
}

/** Drops a share of the elements by a pattern whose shape broadcasts, and scales up the others. */
export function drop(x: SymbolicTensor, share: number, shape: Shape, draw: DrawBits): SymbolicTensor {
  if (share >= 1) return zerosLike(x);
  return where(broadcastTo(isKept(share, shape, draw), x.shape), multiply(x, 1 / (1 - share)), 0);
}
