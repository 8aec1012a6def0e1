import { type Expression, visitExpression } from '../../compiler/schedule.ts';

/** A part that says where something is: a load, or a count of places. */
export type PlacePart = Extract<Expression, { kind: 'load' | 'affine' }>;

/**
 * Writes an expression down, to tell whether the code of two is the same: each part once, after its operands.
 *
 * @param place what is written of where a part is from; nothing where no code can be shared
 */
export function describeExpression(
  root: Expression,
  place: (part: PlacePart) => string | undefined,
): string | undefined {
  const numbers = new Map<Expression, number>();
  const texts: (string | undefined)[] = [];
  const describePart = (part: Expression): string | undefined => {
    switch (part.kind) {
      case 'immediate':
        return `${part.dtype} ${Object.is(part.value, -0) ? '-0' : part.value}`;
      case 'apply':
        return `${part.dtype} ${part.primitive} ${part.operands.map((operand) => numbers.get(operand))}`;
      default: {
        const text = place(part);
        return text && `${part.dtype} ${part.kind} ${text}`;
      }
    }
  };
  visitExpression(root, (part) => {
    numbers.set(part, numbers.size);
    texts.push(describePart(part));
  });
  return texts.includes(undefined) ? undefined : texts.join('; ');
}
