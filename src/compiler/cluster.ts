/**
 * Decides which values of a graph become buffers, and which are computed inside the kernel that reads them.
 *
 * Nodes are visited from the outputs to the inputs. Each kernel to be is a *root*; whoever reads a value sends a
 * request for it to its node: "as a buffer", or "inside this root, indexed by this map". A value that all its readers
 * want inside one root and by one map needs no buffer. Moves pass requests on with another map.
 */
import { type Shape, shapesEqual, sizeOf } from '../array/shape.ts';
import type { AnyNode, SymbolicTensor } from '../graph/node.ts';
import type { PrimitiveName } from '../graph/primitives.ts';
import {
  type IndexMap,
  identityMap,
  isFlat,
  isIndexMove,
  isUnitReshape,
  linearize,
  mapKey,
  mapThrough,
} from './index-map.ts';
import type { ElementwiseName } from './schedule.ts';

/** A kernel to be: a domain, and what may still be pulled into it. */
export interface Root {
  readonly domain: Shape;
  readonly isStatic: boolean;
  /** Whether it stores contiguously, so that the kernel of an operand can leave its result in the same place. */
  readonly canAnchor: boolean;
  /** The contraction, pool or reduction on whose result the root works in place. */
  anchor: SymbolicTensor | undefined;
  /** Element-wise nodes within; bounded, because code is generated recursively and engines dislike giant functions. */
  nodeCount: number;
}

interface InsideRequest {
  readonly root: Root;
  readonly map: IndexMap;
}

type Request = InsideRequest | 'buffer';

/** What was decided for a graph. Roots of `concatenate` are one for each input, of `pad` one. */
export interface Clustering {
  /** Values that get a buffer, with the roots that compute them: none for primitives with algorithms of their own. */
  readonly roots: ReadonlyMap<SymbolicTensor, readonly Root[]>;
  /** Reshapes that share the buffer of their input. */
  readonly aliases: ReadonlySet<SymbolicTensor>;
  /** Nodes whose kernel runs as part of a root. */
  readonly anchored: ReadonlySet<AnyNode>;
}

const MAX_NODES_PER_ROOT = 48;

const ANCHORS: ReadonlySet<PrimitiveName> = new Set([
  'dot',
  'convolve',
  'convolveInputGradient',
  'convolveFilterGradient',
  'maxPool',
  'averagePool',
  'maxPoolGradient',
  'averagePoolGradient',
  'sum',
  'product',
  'max',
  'min',
]);

const FOLDS: ReadonlySet<PrimitiveName> = new Set(['sum', 'product', 'max', 'min']);

const NOT_ELEMENTWISE: ReadonlySet<PrimitiveName> = new Set<Exclude<PrimitiveName, ElementwiseName>>([
  ...['sum', 'product', 'max', 'min', 'argMax', 'argMin'],
  ...['cumulativeSum', 'cumulativeProduct', 'cumulativeMax', 'cumulativeMin'],
  ...['dot', 'convolve', 'convolveInputGradient', 'convolveFilterGradient'],
  ...['maxPool', 'averagePool', 'maxPoolGradient', 'averagePoolGradient'],
  ...['gather', 'takeAlongAxis', 'scatterAdd', 'argSort'],
  ...['reshape', 'transpose', 'broadcast', 'slice', 'pad', 'concatenate', 'reverse'],
  ...['input', 'parameter', 'constant', 'iota', 'randomBits', 'scan', 'host'],
] as Exclude<PrimitiveName, ElementwiseName>[]);

export function isElementwise(primitive: PrimitiveName): primitive is ElementwiseName {
  return !NOT_ELEMENTWISE.has(primitive);
}

/** Whether a node is a reduction that folds an expression, and not one with an algorithm of its own. */
export function isFold(primitive: PrimitiveName): boolean {
  return FOLDS.has(primitive);
}

/**
 * Decides for all nodes, one a step.
 *
 * @param order all nodes, each after its inputs
 * @param isBound whether a value is there before the kernels run
 * @param isStatic whether a node depends on variables and constants only
 * @param isRepeatable whether several kernels better compute a node's value again than share it
 */
export function* cluster(
  order: readonly AnyNode[],
  outputs: readonly SymbolicTensor[],
  isBound: (symbol: SymbolicTensor) => boolean,
  isStatic: (node: AnyNode) => boolean,
  isRepeatable: (node: AnyNode) => boolean = () => false,
): Generator<void, Clustering> {
  const requests = new Map<SymbolicTensor, Request[]>();
  const roots = new Map<SymbolicTensor, readonly Root[]>();
  const aliases = new Set<SymbolicTensor>();
  const anchored = new Set<AnyNode>();

  const request = (symbol: SymbolicTensor, entry: Request): void => {
    const list = requests.get(symbol);
    if (list === undefined) requests.set(symbol, [entry]);
    else list.push(entry);
  };
  const rootOf = (domain: Shape, node: AnyNode, canAnchor: boolean): Root => {
    return { domain, isStatic: isStatic(node), canAnchor, anchor: undefined, nodeCount: 0 };
  };
  const requestInside = (symbol: SymbolicTensor, root: Root): void => {
    request(symbol, { root, map: identityMap(root.domain) });
  };

  /** Makes a loop of its own compute the node. */
  const computeInLoop = (node: AnyNode, symbol: SymbolicTensor, canAnchor: boolean): void => {
    const root = rootOf(symbol.shape, node, canAnchor);
    roots.set(symbol, [root]);
    forward(node, { root, map: identityMap(symbol.shape) });
  };
  const forward = (node: AnyNode, { root, map }: InsideRequest): void => {
    const inner = isElementwise(node.primitive) ? map : mapThrough(node, map);
    if (isElementwise(node.primitive)) root.nodeCount++;
    for (const input of node.inputs) request(input, { root, map: inner });
  };

  const decide = (node: AnyNode): void => {
    if (node.primitive === 'input' || node.primitive === 'parameter' || node.primitive === 'constant') return;
    const symbol = node.outputs[0];
    if (symbol === undefined || node.outputs.every(isBound)) return;
    // Nobody wants what only the host computes with.
    if (!node.outputs.some((output) => requests.has(output))) return;
    const wanted = requests.get(symbol) ?? [];
    if (node.primitive === 'iota') {
      if (wanted.includes('buffer')) roots.set(symbol, [rootOf(symbol.shape, node, false)]);
      return;
    }
    if (isElementwise(node.primitive)) {
      const only = singleRequest(wanted);
      const places = only === undefined && isRepeatable(node) ? separateRequests(wanted) : only && [only];
      if (places?.every((place) => canInline(symbol, place, isStatic(node)))) {
        for (const place of places) forward(node, place);
      } else computeInLoop(node, symbol, true);
      return;
    }
    if (node.primitive === 'reshape') {
      const source = node.inputs[0] as SymbolicTensor;
      if (wanted.includes('buffer') || !isUnitReshape(source.shape, symbol.shape)) {
        aliases.add(symbol);
        request(source, 'buffer');
        return;
      }
    }
    if (isIndexMove(node)) {
      if (wanted.includes('buffer')) computeInLoop(node, symbol, false);
      else for (const entry of wanted) forward(node, entry as InsideRequest);
      return;
    }
    if (node.primitive === 'concatenate' || node.primitive === 'pad') {
      const parts = node.inputs.map((input) => rootOf(input.shape, node, false));
      roots.set(symbol, parts);
      for (const [index, part] of parts.entries()) requestInside(node.inputs[index] as SymbolicTensor, part);
      return;
    }
    if (ANCHORS.has(node.primitive)) {
      const only = singleRequest(wanted);
      if (only !== undefined && canAnchorTo(symbol, only, isStatic(node))) {
        only.root.anchor = symbol;
        anchored.add(node);
      }
    }
    if (isFold(node.primitive)) {
      const [input] = node.inputs as readonly [SymbolicTensor];
      const root = rootOf(input.shape, node, false);
      roots.set(symbol, [root]);
      requestInside(input, root);
      return;
    }
    for (const output of node.outputs) roots.set(output, []);
    for (const input of node.inputs) request(input, 'buffer');
  };

  for (const output of outputs) request(output, 'buffer');
  for (let index = order.length - 1; index >= 0; index--) {
    decide(order[index] as AnyNode);
    yield;
  }
  return { roots, aliases, anchored };
}

/** The one request that all are equal to, if it is not for a buffer. */
function singleRequest(wanted: readonly Request[]): InsideRequest | undefined {
  const [first, ...others] = wanted;
  if (first === undefined || first === 'buffer') return undefined;
  const key = mapKey(first.map);
  const same = others.every((other) => other !== 'buffer' && other.root === first.root && mapKey(other.map) === key);
  return same ? first : undefined;
}

/** Different requests, if none is for a buffer. */
function separateRequests(wanted: readonly Request[]): InsideRequest[] | undefined {
  const found: InsideRequest[] = [];
  for (const entry of wanted) {
    if (entry === 'buffer') return undefined;
    const isKnown = found.some(({ root, map }) => root === entry.root && mapKey(map) === mapKey(entry.map));
    if (!isKnown) found.push(entry);
  }
  return found;
}

/** What the prologue can compute stays out of the run; a broadcast would compute each element many times. */
function canInline(symbol: SymbolicTensor, { root, map }: InsideRequest, nodeIsStatic: boolean): boolean {
  const reads = map.reduce((product, { axis }) => product * (axis < 0 ? 1 : (root.domain[axis] as number)), 1);
  return (
    nodeIsStatic === root.isStatic &&
    root.nodeCount < MAX_NODES_PER_ROOT &&
    sizeOf(root.domain) <= Math.max(sizeOf(symbol.shape), reads)
  );
}

function canAnchorTo(symbol: SymbolicTensor, { root, map }: InsideRequest, nodeIsStatic: boolean): boolean {
  if (!root.canAnchor || root.anchor !== undefined || nodeIsStatic !== root.isStatic) return false;
  if (sizeOf(root.domain) !== sizeOf(symbol.shape) || symbol.dtype === 'bool') return false;
  const weights = symbol.shape.map((_, axis) => sizeOf(symbol.shape.slice(axis + 1)));
  return isFlat(linearize(weights, map, root.domain), root.domain) && !shapesEqual(symbol.shape, [0]);
}
