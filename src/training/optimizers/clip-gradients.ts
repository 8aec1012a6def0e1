import type { SymbolicTensor } from '../../graph/node.ts';
import { add, clip, divide, maximum, minimum, multiply, sqrt, square, subtract } from '../../ops/elementwise.ts';
import { sum } from '../../ops/reduce.ts';
import { stack } from '../../ops/shape.ts';
import type { Gradients } from './optimizer.ts';

/** How large gradients may be; at most one of these is not `null`. */
export interface GradientLimits {
  readonly clipnorm: number | null;
  readonly globalClipnorm: number | null;
  readonly clipvalue: number | null;
}

/** Gradients that are not too large. A limit of 0 or less is none. */
export function clipGradients(gradients: Gradients, limits: GradientLimits): Gradients {
  const { clipnorm, globalClipnorm, clipvalue } = limits;
  const map = (change: (gradient: SymbolicTensor) => SymbolicTensor): Gradients =>
    new Map([...gradients].map(([variable, gradient]) => [variable, change(gradient)]));
  if (clipnorm !== null && clipnorm > 0) {
    return map((gradient) => {
      const norm = sqrt(sum(square(gradient), null, true));
      return divide(multiply(gradient, clipnorm), maximum(norm, clipnorm));
    });
  }
  if (globalClipnorm !== null && globalClipnorm > 0) {
    const norm = sqrt(sum(stack([...gradients.values()].map((gradient) => sum(square(gradient))))));
    const scale = multiply(minimum(divide(1, norm), 1 / globalClipnorm), globalClipnorm);
    // The difference is 0 for a finite norm and NaN for others, so that these do not go unnoticed.
    const checked = add(scale, subtract(norm, norm));
    return map((gradient) => multiply(gradient, checked));
  }
  if (clipvalue !== null && clipvalue > 0) return map((gradient) => clip(gradient, -clipvalue, clipvalue));
  return gradients;
}
