/** Reverse-mode differentiation: from a graph, the graph of its gradients. */
import { formatShape, shapesEqual } from '../array/shape.ts';
import { ShapeError, UnsupportedError } from '../errors.ts';
import { type AnyNode, origin, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type { PrimitiveName } from '../graph/primitives.ts';
import { onesLike, zerosLike } from '../ops/creation.ts';
import type { Cotangent, GradientCall, GradientRule } from './gradient-rule.ts';
import { gradientRules } from './gradient-rules.ts';
import { sumTerms } from './sum-terms.ts';

/**
 * The gradients of a loss with respect to values that it was computed from: weights, inputs, or anything in between.
 *
 * One symbolic tensor for each of `wrt`, of its shape; zeros where the loss does not depend on it. Nothing is computed
 * for what is not on the way from one of `wrt` to the loss: a frozen weight costs nothing.
 *
 * @param loss any shape; what is differentiated is the sum of its elements, weighted by `dLoss`
 * @param dLoss the gradient of what comes after the loss, of its shape; by default ones
 * @throws {UnsupportedError} when the way leads through something that is not differentiable.
 * @throws {ShapeError} when `dLoss` has not the shape of the loss.
 */
export function gradients(
  loss: SymbolicTensor,
  wrt: readonly SymbolicTensor[],
  dLoss: SymbolicTensor = onesLike(loss),
): SymbolicTensor[] {
  if (!shapesEqual(loss.shape, dLoss.shape) || loss.dtype !== 'float32' || dLoss.dtype !== 'float32') {
    throw new ShapeError(
      `Cannot differentiate: found ${loss.dtype}${formatShape(loss.shape)} and its gradient ` +
        `${dLoss.dtype}${formatShape(dLoss.shape)}, expected float32 of one shape`,
    );
  }
  const terms = pullback([{ symbol: loss, gradient: dLoss }], wrt);
  return wrt.map((symbol, index) => sumTerms(terms[index] ?? []) ?? zerosLike(symbol, 'float32'));
}

function dependents(outputs: readonly SymbolicTensor[], wrt: readonly SymbolicTensor[]): ReadonlySet<SymbolicTensor> {
  return dependentsIn(topologicalOrder(outputs), wrt);
}

function dependentsIn(order: readonly AnyNode[], wrt: readonly SymbolicTensor[]): ReadonlySet<SymbolicTensor> {
  const found = new Set(wrt.filter((symbol) => symbol.dtype === 'float32'));
  for (const node of order) {
    if (gradientRules[node.primitive] === 'zero' || !node.inputs.some((input) => found.has(input))) continue;
    // Integers, bools and strings change in steps.
    for (const output of node.outputs) if (output.dtype === 'float32') found.add(output);
  }
  return found;
}

function pullback(cotangents: readonly Cotangent[], wrt: readonly SymbolicTensor[]): readonly SymbolicTensor[][] {
  const order = topologicalOrder(cotangents.map(({ symbol }) => symbol));
  const active = dependentsIn(order, wrt);
  const terms = new Map<SymbolicTensor, SymbolicTensor[]>();
  const contribute = (symbol: SymbolicTensor, gradient: SymbolicTensor): void => {
    if (!active.has(symbol)) return;
    const list = terms.get(symbol);
    if (list === undefined) terms.set(symbol, [gradient]);
    else list.push(gradient);
  };
  for (const { symbol, gradient } of cotangents) contribute(symbol, gradient);
  const before = origin.current;
  for (let index = order.length - 1; index >= 0; index--) {
    const node = order[index] as AnyNode;
    const wanted = node.inputs.map((input) => active.has(input));
    const reached = node.outputs.some((output) => terms.has(output));
    if (!reached || !wanted.includes(true)) continue;
    origin.current = node.origin && `${node.origin} (gradient)`;
    const dys = node.outputs.map((output) => sumTerms(terms.get(output) ?? []) ?? null);
    // Later readers of the sum find it computed once.
    for (const [position, dy] of dys.entries()) {
      if (dy !== null) terms.set(node.outputs[position] as SymbolicTensor, [dy]);
    }
    const found = differentiate(node, dys, wanted);
    for (const [position, gradient] of found.entries()) {
      if (gradient !== null) contribute(node.inputs[position] as SymbolicTensor, gradient);
    }
  }
  origin.current = before;
  return wrt.map((symbol) => terms.get(symbol) ?? []);
}

function differentiate(
  node: AnyNode,
  dys: readonly (SymbolicTensor | null)[],
  wanted: readonly boolean[],
): readonly (SymbolicTensor | null)[] {
  const rule = gradientRules[node.primitive];
  if (rule === 'zero') return [];
  if (rule === 'not differentiable') {
    const name = node.primitive === 'host' ? `host function "${node.attributes.name}"` : node.primitive;
    throw new UnsupportedError(
      `Cannot differentiate: the loss depends on a weight or input through ${name}, which has no gradient; ` +
        'use stopGradient where none is wanted',
      name,
    );
  }
  const dy = node.primitive === 'scan' ? dys : dys[0];
  // The primitive of a node and its attributes belong together, which a union of all nodes cannot express in a call.
  const call = { ...node, wanted, pullback, dependents } as unknown as GradientCall<PrimitiveName>;
  return (rule as unknown as (dy: unknown, call: GradientCall<PrimitiveName>) => ReturnType<GradientRule<'add'>>)(
    dy,
    call,
  );
}
