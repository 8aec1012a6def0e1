import { SymbolicTensor } from '../graph/node.ts';
import type { CallContext } from './layer.ts';

/** The mask that a call acts on: the argument `mask` when it is given, else the mask of the first input. */
export function callMask(context: CallContext): SymbolicTensor | undefined {
  const given = context.kwargs.mask;
  return given instanceof SymbolicTensor ? given : context.masks[0];
}
