/** Random numbers of some distributions, from functions that draw random bits. */
import type { Shape } from '../array/shape.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { greaterEqual } from './compare.ts';
import { add, cos, floorDivide, log, multiply, negative, sqrt, subtract } from './elementwise.ts';
import { toFloat } from './operand.ts';
import { unstack } from './shape.ts';

/** Gives int32 random bits of a shape, other ones at each call. */
export type DrawBits = (shape: Shape) => SymbolicTensor;

/** bool, false for a share of the elements. */
export function isKept(share: number, shape: Shape, draw: DrawBits): SymbolicTensor {
  // Bits are whole numbers from −2³¹ on: below the threshold lies the share of them.
  return greaterEqual(draw(shape), Math.min(Math.round((share - 0.5) * 2 ** 32), 2 ** 31 - 1));
}

/** Uniform in [0, 1), multiples of 2⁻²⁴. */
export function uniform(shape: Shape, draw: DrawBits): SymbolicTensor {
  return uniformOf(draw(shape));
}

function uniformOf(bits: SymbolicTensor): SymbolicTensor {
  return add(multiply(toFloat(floorDivide(bits, 256)), 2 ** -24), 0.5);
}

/** From the standard normal distribution, by Box and Muller's formula. */
export function normal(shape: Shape, draw: DrawBits): SymbolicTensor {
  const [first, second] = unstack(draw([2, ...shape])).map(uniformOf) as [SymbolicTensor, SymbolicTensor];
  // 1 − u lies in (0, 1], so that the logarithm is finite.
  const radius = sqrt(multiply(negative(log(subtract(1, first))), 2));
  return multiply(radius, cos(multiply(second, 2 * Math.PI)));
}
