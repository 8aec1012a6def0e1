/**
 * Joins loops over the same body that differ only in what they stack. The gradient of a loop adds such a loop, which
 * keeps what the loop backwards needs; without this the steps would be computed twice.
 */
import { applyAll } from '../graph/apply.ts';
import { type AnyNode, type Graph, type Node, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type { PrimitiveAttributes, PrimitiveName } from '../graph/primitives.ts';

type Loop = Node<'scan'>;

/** Loops that compute the same carries. */
interface Group {
  readonly loops: Loop[];
  /** What any of them stacks, each value once. */
  readonly stacked: SymbolicTensor[];
}

export function mergeLoops(graph: Graph): Graph {
  const order = topologicalOrder(graph.outputs);
  const groups = groupLoops(order);
  const joined = new Map([...groups].filter(([, { loops }]) => loops.length > 1));
  if (joined.size === 0) return graph;
  const values = new Map<SymbolicTensor, SymbolicTensor>();
  const valueFor = (symbol: SymbolicTensor): SymbolicTensor => values.get(symbol) ?? symbol;
  const done = new Map<Group, readonly SymbolicTensor[]>();
  for (const node of order) {
    const inputs = node.inputs.map(valueFor);
    const group = node.primitive === 'scan' ? joined.get(node) : undefined;
    if (group !== undefined) {
      const loop = node as Loop;
      const outputs = done.get(group) ?? runAll(loop, inputs, group);
      done.set(group, outputs);
      for (const [index, output] of loop.outputs.entries()) {
        values.set(output, outputs[placeOf(loop, index, group)] as SymbolicTensor);
      }
    } else if (inputs.some((input, index) => input !== node.inputs[index])) {
      const attributes = node.attributes as PrimitiveAttributes[PrimitiveName];
      const rebuilt = applyAll(node.primitive as PrimitiveName, inputs, attributes);
      for (const [index, output] of node.outputs.entries()) values.set(output, rebuilt[index] as SymbolicTensor);
    }
  }
  return { inputs: graph.inputs, outputs: graph.outputs.map(valueFor) };
}

function groupLoops(order: readonly AnyNode[]): Map<AnyNode, Group> {
  const groups = new Map<AnyNode, Group>();
  const byCarry = new Map<SymbolicTensor, Group[]>();
  for (const node of order) {
    // What loops have in common is an input of the body, by which the others are found.
    if (node.primitive !== 'scan' || node.attributes.body.inputs[0] === undefined) continue;
    const loop = node as Loop;
    const key = node.attributes.body.inputs[0];
    const candidates = byCarry.get(key) ?? [];
    byCarry.set(key, candidates);
    let group = candidates.find(({ loops }) => haveSameSteps(loops[0] as Loop, loop));
    if (group === undefined) {
      group = { loops: [], stacked: [] };
      candidates.push(group);
    }
    group.loops.push(loop);
    for (const symbol of stackedBy(loop)) if (!group.stacked.includes(symbol)) group.stacked.push(symbol);
    groups.set(node, group);
  }
  return groups;
}

function stackedBy({ attributes: { body, carryCount } }: Loop): readonly SymbolicTensor[] {
  return body.outputs.slice(carryCount);
}

function haveSameSteps(left: Loop, right: Loop): boolean {
  const [a, b] = [left.attributes, right.attributes];
  const areEqual = (x: readonly SymbolicTensor[], y: readonly SymbolicTensor[]): boolean =>
    x.length === y.length && x.every((symbol, index) => symbol === y[index]);
  return (
    a.length === b.length &&
    a.carryCount === b.carryCount &&
    a.sequenceCount === b.sequenceCount &&
    a.reverse === b.reverse &&
    areEqual(left.inputs, right.inputs) &&
    areEqual(a.body.inputs, b.body.inputs) &&
    areEqual(a.body.outputs.slice(0, a.carryCount), b.body.outputs.slice(0, b.carryCount))
  );
}

function runAll(loop: Loop, inputs: readonly SymbolicTensor[], { stacked }: Group): readonly SymbolicTensor[] {
  const { body, carryCount } = loop.attributes;
  const outputs = [...body.outputs.slice(0, carryCount), ...stacked];
  return applyAll('scan', inputs, { ...loop.attributes, body: { inputs: body.inputs, outputs } });
}

/** Where the joined loop has an output of one of its loops. */
function placeOf(loop: Loop, index: number, { stacked }: Group): number {
  const { body, carryCount } = loop.attributes;
  return index < carryCount ? index : carryCount + stacked.indexOf(body.outputs[index] as SymbolicTensor);
}
