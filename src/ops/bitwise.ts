/** Bitwise functions of int32 and bool, composed from arithmetic: each bit is taken out, joined, and put back. */

import { Tensor } from '../array/tensor.ts';
import { apply, constant } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { equal, less, logicalAnd, logicalNot, logicalOr, logicalXor, where } from './compare.ts';
import { floorDivide, mod, multiply, negative, power, subtract } from './elementwise.ts';
import { align, cast, commonDtype, type Operand, toSymbol } from './operand.ts';
import { sum } from './reduce.ts';
import { expandDims } from './shape.ts';

const BITS = 31;

/** Values of the bits, the sign bit last; its weight wraps to the least int32. */
function weights(): SymbolicTensor {
  return constant(
    new Tensor(
      [BITS + 1],
      'int32',
      Int32Array.from({ length: BITS + 1 }, (_, bit) => (2 ** bit) | 0),
    ),
  );
}

/** Whether each bit is set, along a new last axis. Floor division is an arithmetic shift. */
function bitsOf(x: SymbolicTensor): SymbolicTensor {
  const value = expandDims(x, -1);
  const positions = constant(
    new Tensor(
      [BITS],
      'int32',
      Int32Array.from({ length: BITS }, (_, bit) => 2 ** bit),
    ),
  );
  const low = equal(mod(floorDivide(value, positions), 2), 1);
  return apply('concatenate', [low, less(value, 0)], { axis: low.shape.length - 1 });
}

type Join = (x: Operand, y: Operand) => SymbolicTensor;

function bitwise(join: Join, x: Operand, y: Operand): SymbolicTensor {
  if (commonDtype(x, y) === 'bool') return join(x, y);
  const [left, right] = align([x, y], 'int32') as [SymbolicTensor, SymbolicTensor];
  const bits = join(bitsOf(left), bitsOf(right));
  return sum(where(bits, weights(), 0), -1);
}

/** Bits that are set in both. */
export function bitwiseAnd(x: Operand, y: Operand): SymbolicTensor {
  return bitwise(logicalAnd, x, y);
}

/** Bits that are set in at least one. */
export function bitwiseOr(x: Operand, y: Operand): SymbolicTensor {
  return bitwise(logicalOr, x, y);
}

/** Bits that are set in exactly one. */
export function bitwiseXor(x: Operand, y: Operand): SymbolicTensor {
  return bitwise(logicalXor, x, y);
}

/** Every bit inverted: −1 − x. */
export function bitwiseNot(x: Operand): SymbolicTensor {
  const symbol = toSymbol(x);
  return symbol.dtype === 'bool' ? logicalNot(symbol) : subtract(-1, symbol);
}

/** x · 2ⁿ; bits that leave at the top are lost. */
export function leftShift(x: Operand, n: Operand): SymbolicTensor {
  const [value, count] = align([x, n], 'int32') as [SymbolicTensor, SymbolicTensor];
  return multiply(value, power(2, count));
}

/** ⌊x / 2ⁿ⌋. */
export function rightShift(x: Operand, n: Operand): SymbolicTensor {
  const [value, count] = align([x, n], 'int32') as [SymbolicTensor, SymbolicTensor];
  // 2³¹ is no int32: what is left after such a shift is the sign alone.
  const shifted = floorDivide(value, power(2, count));
  return where(less(count, BITS), shifted, negative(cast(less(value, 0), 'int32')));
}
