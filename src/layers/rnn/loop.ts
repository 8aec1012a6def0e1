/**
 * Loops over sequences. A body is written as a plain function: what it uses from outside, such as weights, is found
 * afterwards and handed in, and whatever does not change from step to step is computed once, before the loop.
 */
import { ShapeError } from '../../errors.ts';
import { applyAll, input } from '../../graph/apply.ts';
import { type AnyNode, type SymbolicTensor, topologicalOrder } from '../../graph/node.ts';
import type { PrimitiveAttributes, PrimitiveName } from '../../graph/primitives.ts';

export interface LoopStep {
  /** The next carries, as many and of the same shapes as the carries that the body was given. */
  readonly carries: readonly SymbolicTensor[];
  /** What is kept of every step. */
  readonly outputs: readonly SymbolicTensor[];
}

export interface LoopResult {
  /** The carries after the last step. */
  readonly carries: readonly SymbolicTensor[];
  /** The outputs of all steps, stacked along a new first axis in the order of the sequences. */
  readonly outputs: readonly SymbolicTensor[];
}

/**
 * Runs a body once for each step of sequences `[steps, …]`, from the first to the last, or from the last to the first
 * when `reverse`.
 *
 * @throws {ShapeError} when a carry changes its shape or dtype.
 */
export function loop(
  initial: readonly SymbolicTensor[],
  sequences: readonly SymbolicTensor[],
  body: (carries: readonly SymbolicTensor[], steps: readonly SymbolicTensor[]) => LoopStep,
  reverse = false,
): LoopResult {
  const length = sequences[0]?.shape[0];
  if (length === undefined) throw new ShapeError('Cannot loop: found no sequence, expected at least one with an axis');
  const carries = initial.map(({ shape, dtype }, index) => input(`carry ${index}`, { shape, dtype }));
  const steps = sequences.map(({ shape, dtype }, index) => input(`step ${index}`, { shape: shape.slice(1), dtype }));
  const next = body(carries, steps);
  const closed = close([...carries, ...steps], [...next.carries, ...next.outputs]);
  const graph = { inputs: [...carries, ...steps, ...closed.parameters], outputs: closed.outputs };
  const results = applyAll('scan', [...initial, ...sequences, ...closed.captured], {
    body: graph,
    length,
    carryCount: carries.length,
    sequenceCount: steps.length,
    reverse,
  });
  return { carries: results.slice(0, carries.length), outputs: results.slice(carries.length) };
}

/** Primitives that only spell out what they are given: they stay in the body, so that nothing large is captured. */
const VIEWS: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>(['broadcast', 'reshape']);

/** Rewrites a body so that it depends on its inputs and on constants only. */
function close(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]) {
  const order = topologicalOrder(outputs);
  const dependent = new Set<AnyNode>(inputs.map(({ node }) => node));
  const literal = new Set<AnyNode>();
  for (const node of order) {
    if (node.inputs.some((symbol) => dependent.has(symbol.node))) dependent.add(node);
    else if (isLiteral(node) || (node.inputs.length > 0 && node.inputs.every((symbol) => literal.has(symbol.node)))) {
      literal.add(node);
    }
  }
  const rewritten = new Map<AnyNode, readonly SymbolicTensor[]>();
  const captured: SymbolicTensor[] = [];
  const parameters: SymbolicTensor[] = [];
  const replace = (symbol: SymbolicTensor): SymbolicTensor => {
    const { node } = symbol;
    const known = rewritten.get(node)?.[symbol.index];
    if (known !== undefined) return known;
    if (literal.has(node) || (dependent.has(node) && node.inputs.length === 0)) return symbol;
    if (VIEWS.has(node.primitive)) return rebuild(node, node.inputs.map(replace))[symbol.index] as SymbolicTensor;
    const index = captured.indexOf(symbol);
    if (index >= 0) return parameters[index] as SymbolicTensor;
    const { shape, dtype } = symbol;
    const parameter = input(`captured ${captured.length}`, { shape, dtype });
    captured.push(symbol);
    parameters.push(parameter);
    return parameter;
  };
  // In this order the inputs of a dependent node are rewritten before it, so `replace` never recurses along the body.
  for (const node of order) {
    if (!dependent.has(node) || node.inputs.length === 0) continue;
    const replaced = node.inputs.map(replace);
    const isSame = replaced.every((symbol, index) => symbol === node.inputs[index]);
    rewritten.set(node, isSame ? node.outputs : rebuild(node, replaced));
  }
  return { outputs: outputs.map(replace), captured, parameters };
}

function isLiteral(node: AnyNode): boolean {
  return node.primitive === 'constant' || node.primitive === 'iota';
}

function rebuild(node: AnyNode, inputs: readonly SymbolicTensor[]): readonly SymbolicTensor[] {
  // The primitive of a node and its attributes belong together, which a union of all nodes cannot express in a call.
  const attributes = node.attributes as PrimitiveAttributes[PrimitiveName];
  return applyAll(node.primitive as PrimitiveName, inputs, attributes);
}
