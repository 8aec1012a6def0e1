/** Comparisons, logic, and choice. The results of comparisons and of logic are bool. */
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import type { CompareName } from '../graph/primitives.ts';
import { align, broadcastShapes, broadcastTo, cast, type Operand, shapeOf, toFloat, toSymbol } from './operand.ts';

function compare(primitive: CompareName, x: Operand, y: Operand): SymbolicTensor {
  return apply(primitive, align([x, y]), {});
}

/** x = y. */
export function equal(x: Operand, y: Operand): SymbolicTensor {
  return compare('equal', x, y);
}

/** x ≠ y; NaN differs from itself. */
export function notEqual(x: Operand, y: Operand): SymbolicTensor {
  return compare('notEqual', x, y);
}

/** x < y. */
export function less(x: Operand, y: Operand): SymbolicTensor {
  return compare('less', x, y);
}

/** x ≤ y. */
export function lessEqual(x: Operand, y: Operand): SymbolicTensor {
  return compare('lessEqual', x, y);
}

/** x > y. */
export function greater(x: Operand, y: Operand): SymbolicTensor {
  return compare('greater', x, y);
}

/** x ≥ y. */
export function greaterEqual(x: Operand, y: Operand): SymbolicTensor {
  return compare('greaterEqual', x, y);
}

/** Both are true; a number is true when it is not 0. */
export function logicalAnd(x: Operand, y: Operand): SymbolicTensor {
  return apply('logicalAnd', align([x, y], 'bool'), {});
}

/** At least one is true. */
export function logicalOr(x: Operand, y: Operand): SymbolicTensor {
  return apply('logicalOr', align([x, y], 'bool'), {});
}

/** Exactly one is true. */
export function logicalXor(x: Operand, y: Operand): SymbolicTensor {
  return apply('logicalXor', align([x, y], 'bool'), {});
}

/** True becomes false. */
export function logicalNot(x: Operand): SymbolicTensor {
  return apply('logicalNot', [cast(x, 'bool')], {});
}

/** Elements of `then` where the condition is true, of `otherwise` elsewhere; all three are broadcast. */
export function where(condition: Operand, then: Operand, otherwise: Operand): SymbolicTensor {
  const shape = broadcastShapes(shapeOf(condition), shapeOf(then), shapeOf(otherwise));
  const branches = align([then, otherwise]).map((branch) => broadcastTo(branch, shape));
  return apply('select', [broadcastTo(cast(condition, 'bool'), shape), ...branches], {});
}

/** The choice of the first condition that is true, else the default. */
export function select(
  conditions: readonly Operand[],
  choices: readonly Operand[],
  otherwise: Operand = 0,
): SymbolicTensor {
  if (conditions.length !== choices.length) {
    throw new RangeError(
      `Cannot select: found ${conditions.length} conditions and ${choices.length} choices, expected as many of each`,
    );
  }
  return conditions.reduceRight<SymbolicTensor>(
    (rest, condition, index) => where(condition, choices[index] as Operand, rest),
    toSymbol(otherwise),
  );
}

/** Whether an element is NaN. */
export function isnan(x: Operand): SymbolicTensor {
  return notEqual(x, x);
}

/** Whether an element is ∞ or −∞. */
export function isinf(x: Operand): SymbolicTensor {
  return equal(apply('absolute', [toFloat(x)], {}), Number.POSITIVE_INFINITY);
}

/** Whether an element is neither infinite nor NaN. */
export function isfinite(x: Operand): SymbolicTensor {
  return less(apply('absolute', [toFloat(x)], {}), Number.POSITIVE_INFINITY);
}

/** Whether an element is ∞. */
export function isposinf(x: Operand): SymbolicTensor {
  return equal(x, Number.POSITIVE_INFINITY);
}

/** Whether an element is −∞. */
export function isneginf(x: Operand): SymbolicTensor {
  return equal(x, Number.NEGATIVE_INFINITY);
}

/** Whether an element has no imaginary part: true everywhere, as there are no complex tensors. */
export function isreal(x: Operand): SymbolicTensor {
  return broadcastTo(true, shapeOf(x));
}

/** |x − y| ≤ atol + rtol · |y|; equal infinities are close, and NaN is only when `equalNan`. */
export function isclose(x: Operand, y: Operand, rtol = 1e-5, atol = 1e-8, equalNan = false): SymbolicTensor {
  const [left, right] = align([x, y], 'float32') as [SymbolicTensor, SymbolicTensor];
  const difference = apply('absolute', [apply('subtract', [left, right], {})], {});
  const [scale, offset] = align([rtol, atol, right], 'float32') as [SymbolicTensor, SymbolicTensor];
  const bound = apply('add', [offset, apply('multiply', [scale, apply('absolute', [right], {})], {})], {});
  const near = logicalAnd(lessEqual(difference, bound), isfinite(right));
  const close = logicalOr(near, equal(left, right));
  return equalNan ? logicalOr(close, logicalAnd(isnan(left), isnan(right))) : close;
}

/** Whether all elements are close; a scalar. */
export function allclose(x: Operand, y: Operand, rtol = 1e-5, atol = 1e-8, equalNan = false): SymbolicTensor {
  const close = isclose(x, y, rtol, atol, equalNan);
  return apply('min', [close], { axes: close.shape.map((_, axis) => axis) });
}

/** Whether both have one shape and equal elements; a scalar. */
export function arrayEqual(x: Operand, y: Operand): SymbolicTensor {
  const [left, right] = [shapeOf(x), shapeOf(y)];
  if (left.length !== right.length || left.some((extent, axis) => extent !== right[axis])) return toSymbol(false);
  const same = equal(x, y);
  return apply('min', [same], { axes: same.shape.map((_, axis) => axis) });
}
