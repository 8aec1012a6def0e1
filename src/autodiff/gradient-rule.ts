/** What a gradient rule is: the types that the families of rules share. */
import type { SymbolicTensor } from '../graph/node.ts';
import type { PrimitiveAttributes, PrimitiveName } from '../graph/primitives.ts';

/** A value, and the gradient of the loss with respect to it. */
export interface Cotangent {
  readonly symbol: SymbolicTensor;
  readonly gradient: SymbolicTensor;
}

/**
 * Carries gradients of some values back to others: for each of `wrt` the terms whose sum is its gradient, none where
 * nothing depends on it.
 */
export type Pullback = (
  cotangents: readonly Cotangent[],
  wrt: readonly SymbolicTensor[],
) => readonly (readonly SymbolicTensor[])[];

/** The values that change with some of `wrt`, which they include, among those that the outputs need. */
export type Dependents = (
  outputs: readonly SymbolicTensor[],
  wrt: readonly SymbolicTensor[],
) => ReadonlySet<SymbolicTensor>;

/** The node whose gradient is wanted. */
export interface GradientCall<K extends PrimitiveName> {
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
  readonly attributes: PrimitiveAttributes[K];
  /** For each input, whether its gradient is of use; what is computed for others is dropped. */
  readonly wanted: readonly boolean[];
  /** Both differentiate a graph within the graph: the body of a loop. */
  readonly pullback: Pullback;
  readonly dependents: Dependents;
}

/** Primitives with several outputs have a gradient for each; `null` where the loss does not depend on it. */
type MultipleOutputs = 'scan' | 'host';

/** The gradients of the inputs of a node from that of its output; `null` for an input that has none. */
export type GradientRule<K extends PrimitiveName> = (
  dy: K extends MultipleOutputs ? readonly (SymbolicTensor | null)[] : SymbolicTensor,
  call: GradientCall<K>,
) => readonly (SymbolicTensor | null)[];

/**
 * How a primitive is differentiated: by a rule; `'zero'` for steps and leaves, whose derivative is 0 wherever there is
 * one; `'not differentiable'` for what has no numbers to differentiate, or is not known.
 */
export type Differentiation<K extends PrimitiveName> = GradientRule<K> | 'zero' | 'not differentiable';

/** A family of rules. */
export type GradientRules<K extends PrimitiveName> = { readonly [P in K]: Differentiation<P> };
