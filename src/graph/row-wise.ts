/**
 * Whether each row of a graph's outputs depends on the same row of its inputs alone. Then rows may be added to a batch
 * without changing what comes of the others, and one program serves batches of several sizes.
 *
 * What cannot be told is answered with no.
 */
import { sizeOf } from '../array/shape.ts';
import { type AnyNode, type Graph, type SymbolicTensor, topologicalOrder } from './node.ts';

/**
 * How a value varies with the rows of the batch. With an `axis` its elements along that axis belong to rows: as many
 * neighbours to each, in the order of the rows, and that so many times as `repeats` says. Without one it is the same in
 * all batches, and along the axes of `uniform` it has the same elements everywhere.
 */
type Variation =
  | { readonly axis: number; readonly repeats: number; readonly uniform?: undefined }
  | { readonly axis?: undefined; readonly repeats?: undefined; readonly uniform: readonly number[] };

const FIXED: Variation = { uniform: [] };
const ROWS: Variation = { axis: 0, repeats: 1 };

/** Whether rows, two at least, lie along the first axis of every input and output, and do not meet on the way. */
export function isRowWise(graph: Graph): boolean {
  const rows = graph.inputs[0]?.shape[0];
  if (rows === undefined || rows < 2 || graph.inputs.some(({ shape }) => shape[0] !== rows)) return false;
  const found = variationsOf(
    graph,
    graph.inputs.map(() => ROWS),
    rows,
  );
  return graph.outputs.every(
    (output, index) => found !== undefined && isSame(found[index] as Variation, ROWS) && output.shape[0] === rows,
  );
}

/** How the outputs vary; nothing when rows meet, or when that cannot be told. */
function variationsOf(graph: Graph, inputs: readonly Variation[], rows: number): Variation[] | undefined {
  const known = new Map<SymbolicTensor, Variation>(
    graph.inputs.map((input, index) => [input, inputs[index] as Variation]),
  );
  for (const node of topologicalOrder(graph.outputs)) {
    if (node.primitive === 'input') continue;
    const operands = node.inputs.map((input) => known.get(input) as Variation);
    if (node.primitive === 'scan') {
      const found = scanVariations(node, operands, rows);
      if (found === undefined) return undefined;
      for (const output of node.outputs) known.set(output, found[output.index] as Variation);
      continue;
    }
    const found = variationOf(node, operands, rows);
    if (found === undefined) return undefined;
    for (const output of node.outputs) known.set(output, found);
  }
  return graph.outputs.map((output) => known.get(output) as Variation);
}

function variationOf(node: AnyNode, operands: readonly Variation[], rows: number): Variation | undefined {
  const [first = FIXED, second = FIXED] = operands;
  const [input] = node.inputs;
  switch (node.primitive) {
    case 'input':
    case 'scan':
    case 'host':
    case 'randomBits':
    case 'scatterAdd':
    case 'convolveFilterGradient':
      return undefined;
    case 'parameter':
    case 'constant':
      return FIXED;
    case 'iota': {
      const { shape, axis } = node.attributes;
      return { uniform: [...shape.keys()].filter((other) => other !== axis) };
    }
    case 'sum':
    case 'product':
    case 'max':
    case 'min':
      return withoutAxes(first, node.attributes.axes);
    case 'argMax':
    case 'argMin':
      return withoutAxes(first, [node.attributes.axis]);
    case 'cumulativeSum':
    case 'cumulativeProduct':
    case 'cumulativeMax':
    case 'cumulativeMin':
    case 'argSort':
      return untouched(first, [node.attributes.axis]);
    case 'reverse':
      return untouched(first, node.attributes.axes);
    case 'dot':
      return dotVariation(node, first, second);
    case 'convolve':
    case 'convolveInputGradient':
      if (second.axis !== undefined) return undefined;
      if (first.axis === undefined) return { uniform: first.uniform.filter((axis) => axis === 0) };
      return first.axis === 0 ? first : undefined;
    case 'maxPool':
    case 'averagePool':
    case 'maxPoolGradient':
    case 'averagePoolGradient':
      return operands.every(({ axis }) => axis === 0) ? joined(operands) : undefined;
    case 'gather':
      return gatherVariation(node, first, second);
    case 'takeAlongAxis': {
      const all = joined(operands);
      return all && untouched(all, [node.attributes.axis]);
    }
    case 'reshape':
      return reshaped(first, (input as SymbolicTensor).shape, node.attributes.shape, rows);
    case 'transpose':
      return moved(first, (axis) => node.attributes.permutation.indexOf(axis));
    case 'broadcast': {
      if (first.uniform === undefined) return first;
      const { shape } = input as SymbolicTensor;
      const stretched = [...shape.keys()].filter((axis) => shape[axis] !== node.attributes.shape[axis]);
      return { uniform: [...new Set([...first.uniform, ...stretched])] };
    }
    case 'slice': {
      const { starts, stops, strides } = node.attributes;
      const { shape } = input as SymbolicTensor;
      const isWhole = (axis: number): boolean =>
        starts[axis] === 0 && stops[axis] === shape[axis] && strides[axis] === 1;
      return untouched(
        first,
        [...shape.keys()].filter((axis) => !isWhole(axis)),
      );
    }
    case 'pad': {
      const { padding } = node.attributes;
      return untouched(
        first,
        [...padding.keys()].filter((axis) => padding[axis]?.some((count) => count > 0)),
      );
    }
    case 'concatenate': {
      const all = joined(operands);
      return all && untouched(all, [node.attributes.axis]);
    }
    default:
      // Element by element.
      return joined(operands);
  }
}

/** Of values of one shape that are put together element by element. */
function joined(operands: readonly Variation[]): Variation | undefined {
  const varying = operands.find((operand) => operand.axis !== undefined);
  if (varying?.axis === undefined) {
    const [head, ...others] = operands.map(({ uniform = [] }) => uniform) as [
      readonly number[],
      ...(readonly number[])[],
    ];
    return { uniform: head.filter((candidate) => others.every((uniform) => uniform.includes(candidate))) };
  }
  const { axis } = varying;
  return operands.every((operand) => operand.uniform?.includes(axis) ?? isSame(operand, varying)) ? varying : undefined;
}

/** Nothing when the rows lie along one of the axes, whose elements meet; else as before. */
function untouched(operand: Variation, axes: readonly number[]): Variation | undefined {
  if (operand.axis !== undefined) return axes.includes(operand.axis) ? undefined : operand;
  return { uniform: operand.uniform.filter((axis) => !axes.includes(axis)) };
}

function withoutAxes(operand: Variation, axes: readonly number[]): Variation | undefined {
  const left = untouched(operand, axes);
  return left && moved(left, (axis) => axis - axes.filter((gone) => gone < axis).length);
}

function moved(operand: Variation, place: (axis: number) => number): Variation {
  return operand.axis === undefined
    ? { uniform: operand.uniform.map(place) }
    : { ...operand, axis: place(operand.axis) };
}

/** A product of the rows with what is fixed, or of each row with its own. */
function dotVariation(
  node: AnyNode & { readonly primitive: 'dot' },
  left: Variation,
  right: Variation,
): Variation | undefined {
  const output = node.outputs[0] as SymbolicTensor;
  const rank = output.shape.length;
  const rowAxis = node.attributes.transposeLeft ? rank - 1 : rank - 2;
  if (left.axis === undefined) {
    if (right.axis !== undefined) return undefined;
    const isUniform = (axis: number): boolean =>
      left.uniform.includes(axis === rank - 2 ? rowAxis : axis) && (axis === rank - 2 || right.uniform.includes(axis));
    return { uniform: [...Array(rank - 1).keys()].filter(isUniform) };
  }
  if (left.axis < rank - 2) return joined([left, right]);
  return left.axis === rowAxis && right.axis === undefined ? { ...left, axis: rank - 2 } : undefined;
}

function gatherVariation(
  node: AnyNode & { readonly primitive: 'gather' },
  x: Variation,
  indices: Variation,
): Variation | undefined {
  const { axis } = node.attributes;
  if (x.axis === undefined) return indices.axis === undefined ? FIXED : { ...indices, axis: axis + indices.axis };
  if (indices.axis !== undefined || x.axis === axis) return undefined;
  const added = (node.inputs[1] as SymbolicTensor).shape.length - 1;
  return { ...x, axis: x.axis < axis ? x.axis : x.axis + added };
}

/** Rows stay rows when one axis holds as many rounds of them as lay one after the other before. */
function reshaped(
  operand: Variation,
  from: readonly number[],
  to: readonly number[],
  rows: number,
): Variation | undefined {
  if (operand.axis === undefined) {
    const uniform = operand.uniform.flatMap((axis) => {
      const place = to.findIndex(
        (extent, at) => extent === from[axis] && sizeOf(to.slice(0, at)) === sizeOf(from.slice(0, axis)),
      );
      return place === -1 ? [] : [place];
    });
    return { uniform };
  }
  const before = sizeOf(from.slice(0, operand.axis)) * operand.repeats;
  for (const [axis, extent] of to.entries()) {
    const repeats = before / sizeOf(to.slice(0, axis));
    if (Number.isInteger(repeats) && extent > 0 && extent % (repeats * rows) === 0) return { axis, repeats };
  }
  return undefined;
}

/** The carries of a loop vary as the first ones do; where those are fixed, as what the first turn makes of them. */
function scanVariations(
  node: AnyNode & { readonly primitive: 'scan' },
  operands: readonly Variation[],
  rows: number,
): Variation[] | undefined {
  const { body, carryCount, sequenceCount } = node.attributes;
  const sequences = operands.slice(carryCount, carryCount + sequenceCount);
  const steps = sequences.map((sequence) => withoutAxes(sequence, [0]));
  if (steps.includes(undefined)) return undefined;
  const rest = [...(steps as Variation[]), ...operands.slice(carryCount + sequenceCount)];
  let carries = operands.slice(0, carryCount);
  // A turn may spread rows to one more carry.
  for (let turn = 0; turn <= carryCount; turn++) {
    const after = variationsOf(body, [...carries, ...rest], rows);
    if (after === undefined) return undefined;
    const next = carries.map((carry, index) => joined([carry, after[index] as Variation]));
    if (next.includes(undefined)) return undefined;
    if (next.every((variation, index) => isSame(variation as Variation, carries[index] as Variation))) {
      const stacked = after.slice(carryCount).map((variation) => moved(variation, (axis) => axis + 1));
      return [...carries, ...stacked];
    }
    carries = next as Variation[];
  }
  return undefined;
}

function isSame(left: Variation, right: Variation): boolean {
  return left.axis === right.axis && String(left.repeats ?? left.uniform) === String(right.repeats ?? right.uniform);
}
