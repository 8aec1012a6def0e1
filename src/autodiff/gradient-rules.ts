import type { OtherAttributes, PrimitiveName } from '../graph/primitives.ts';
import { contractRules, poolRules } from './contract-rules.ts';
import { binaryRules, choiceRules, compareRules, logicalRules, unaryRules } from './elementwise-rules.ts';
import type { GradientRules } from './gradient-rule.ts';
import { indexRules, moveRules } from './move-rules.ts';
import { cumulativeRules, reduceRules } from './reduce-rules.ts';
import { scanRule } from './scan-rule.ts';

const otherRules: GradientRules<Exclude<keyof OtherAttributes, 'select' | 'cast'>> = {
  input: 'zero',
  parameter: 'zero',
  constant: 'zero',
  iota: 'zero',
  randomBits: 'not differentiable',
  scan: scanRule,
  host: 'not differentiable',
};

/** How each primitive is differentiated. */
export const gradientRules: GradientRules<PrimitiveName> = {
  ...unaryRules,
  ...binaryRules,
  ...compareRules,
  ...logicalRules,
  ...choiceRules,
  ...reduceRules,
  ...cumulativeRules,
  ...contractRules,
  ...poolRules,
  ...indexRules,
  ...moveRules,
  ...otherRules,
};
