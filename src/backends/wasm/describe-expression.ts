import type { Access, Expression } from '../../compiler/schedule.ts';

/** Longer expressions are no small ones; written down as trees they may have no end. */
const MAX_TEXT = 1000;

/**
 * Writes an expression down, to tell whether the code of two is the same.
 *
 * @param name what is written of where a load is from
 * @returns nothing where it is long, or counts places
 */
export function describeExpression(part: Expression, name: (access: Access) => string): string | undefined {
  switch (part.kind) {
    case 'immediate':
      return `${part.dtype}${Object.is(part.value, -0) ? '-0' : part.value}`;
    case 'load':
      return `${part.dtype}[${name(part.access)}]`;
    case 'affine':
      return undefined;
    case 'apply': {
      const operands = part.operands.map((operand) => describeExpression(operand, name));
      const text = operands.includes(undefined) ? undefined : `${part.dtype} ${part.primitive}(${operands})`;
      return (text?.length ?? 0) > MAX_TEXT ? undefined : text;
    }
  }
}
