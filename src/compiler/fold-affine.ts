/**
 * Takes the scaling that follows a contraction into its weights: `(x · W) · s + t` becomes `x · (W · s) + t`, where s
 * and t hold one number for each channel and depend on variables and constants only. A batch normalisation that infers
 * so vanishes from the run: the prologue scales the weights, again whenever a variable has changed.
 *
 * Weights that are kept in a narrow form stay as they are: what follows them becomes one scaling of the sums,
 * `(x · W) · s + t`, which a kernel may do to the weights while it widens them.
 *
 * Sums are rounded otherwise than before; the results agree to a few units in the last place of the terms.
 */
import { type Shape, shapesEqual } from '../array/shape.ts';
import { type AnyNode, type Graph, origin, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type { ConvolveAttributes } from '../graph/primitives.ts';
import type { Variable } from '../graph/variable.ts';
import { type Build, GraphRewriter, type Substitute } from './rewrite.ts';
import { uniform, uniformValue } from './simplify.ts';

/** `value · scale + shift`, each a vector over the channels; undefined where there is none. */
interface Affine {
  readonly contraction: SymbolicTensor;
  readonly scale: SymbolicTensor | undefined;
  readonly shift: SymbolicTensor | undefined;
}

/**
 * Gives the graph with all such scalings folded, in steps.
 *
 * @param updated variables that change in each run: what depends on them is not folded
 */
export function* foldAffine(graph: Graph, updated: ReadonlySet<Variable> = new Set()): Generator<void, Graph> {
  const order = topologicalOrder(graph.outputs);
  const useCounts = countUses(graph, order);
  const staticNodes = new Set<AnyNode>();
  const isStatic = ({ node }: SymbolicTensor): boolean => staticNodes.has(node);
  for (const node of order) {
    if (node.primitive === 'input' || node.primitive === 'host') continue;
    if (node.primitive === 'parameter' && updated.has(node.attributes.variable)) continue;
    if (node.inputs.every(isStatic)) staticNodes.add(node);
  }
  /** Values of the old graph that are a contraction with something after it, by their last node. */
  const chains = new Map<SymbolicTensor, Affine>();
  const scaled = new Map<SymbolicTensor, Affine>();
  const rewriter = new GraphRewriter(undefined);
  for (const node of order) {
    yield;
    const [symbol] = node.outputs;
    if (symbol === undefined || symbol.dtype !== 'float32') continue;
    if ((node.primitive === 'convolve' || node.primitive === 'dot') && canScale(node, isStatic)) {
      chains.set(symbol, { contraction: symbol, scale: undefined, shift: undefined });
      continue;
    }
    const extended = extend(node, symbol, chains, isStatic, rewriter.build);
    if (extended === undefined) continue;
    const { chain, source } = extended;
    if (useCounts.get(source) !== 1) continue;
    chains.set(symbol, chain);
    scaled.delete(source);
    if (chain.scale !== undefined) scaled.set(symbol, chain);
  }
  if (scaled.size === 0) return graph;
  const substitute: Substitute = (node, newValueOf, build) => {
    const chain = scaled.get(node.outputs[0] as SymbolicTensor);
    return chain === undefined ? undefined : scaledContraction(chain, newValueOf, build);
  };
  return yield* new GraphRewriter(undefined, substitute).rewrite(graph);
}

function canScale(node: AnyNode, isStatic: (symbol: SymbolicTensor) => boolean): boolean {
  const [x, weights] = node.inputs as readonly [SymbolicTensor, SymbolicTensor];
  return isStatic(weights) && !isStatic(x);
}

function countUses({ outputs }: Graph, order: readonly AnyNode[]): Map<SymbolicTensor, number> {
  const counts = new Map<SymbolicTensor, number>();
  const count = (symbol: SymbolicTensor): void => {
    counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  };
  for (const node of order) node.inputs.forEach(count);
  outputs.forEach(count);
  return counts;
}

function extend(
  node: AnyNode,
  symbol: SymbolicTensor,
  chains: ReadonlyMap<SymbolicTensor, Affine>,
  isStatic: (symbol: SymbolicTensor) => boolean,
  build: Build,
): { chain: Affine; source: SymbolicTensor } | undefined {
  const { primitive } = node;
  if (primitive !== 'add' && primitive !== 'subtract' && primitive !== 'multiply' && primitive !== 'divide') {
    return undefined;
  }
  const [left, right] = node.inputs as readonly [SymbolicTensor, SymbolicTensor];
  const isLeft = chains.has(left);
  const [source, other] = isLeft ? [left, right] : [right, left];
  const chain = chains.get(source);
  if (chain === undefined || !isStatic(other) || (primitive === 'divide' && !isLeft)) return undefined;
  const vector = channelVector(other, build);
  if (vector === undefined) return undefined;
  const combine = (operation: 'add' | 'subtract' | 'multiply' | 'divide', a: SymbolicTensor, b: SymbolicTensor) =>
    build(operation, [a, b], {});
  const one = (): SymbolicTensor => uniform(1, vector.shape, 'float32', build);
  const { contraction, scale, shift } = chain;
  const extended = ((): Affine => {
    switch (primitive) {
      case 'add':
        return { contraction, scale, shift: shift === undefined ? vector : combine('add', shift, vector) };
      case 'subtract': {
        if (!isLeft) {
          const negated = build('negate', [scale ?? one()], {});
          return {
            contraction,
            scale: negated,
            shift: shift === undefined ? vector : combine('subtract', vector, shift),
          };
        }
        const negative = build('negate', [vector], {});
        return { contraction, scale, shift: shift === undefined ? negative : combine('subtract', shift, vector) };
      }
      case 'multiply':
      case 'divide':
        return {
          contraction,
          scale: scale === undefined && primitive === 'multiply' ? vector : combine(primitive, scale ?? one(), vector),
          shift: shift === undefined ? undefined : combine(primitive, shift, vector),
        };
    }
  })();
  return shapesEqual(symbol.shape, source.shape) ? { chain: extended, source } : undefined;
}

/** The channels' numbers as a vector, if the value is the same along all other axes. */
function channelVector(symbol: SymbolicTensor, build: Build): SymbolicTensor | undefined {
  const channels = symbol.shape.at(-1);
  if (channels === undefined) return undefined;
  const value = uniformValue(symbol);
  if (value !== undefined) return uniform(value, [channels], 'float32', build);
  const { node } = symbol;
  const source = node.primitive === 'broadcast' ? (node.inputs[0] as SymbolicTensor) : symbol;
  const isVector = source.shape.at(-1) === channels && source.shape.slice(0, -1).every((extent) => extent === 1);
  if (!isVector) return undefined;
  const whole = source.node.primitive === 'reshape' ? (source.node.inputs[0] as SymbolicTensor) : source;
  return whole.shape.length === 1 ? whole : build('reshape', [whole], { shape: [channels] });
}

/** What stands for a chain: its contraction with scaled weights, and the shift. */
function scaledContraction(
  { contraction, scale, shift }: Affine,
  newValueOf: (symbol: SymbolicTensor) => SymbolicTensor,
  build: Build,
): SymbolicTensor {
  const { node, shape } = contraction;
  const [x, weights] = node.inputs as readonly [SymbolicTensor, SymbolicTensor];
  if (isNarrow(weights)) {
    const whole = build(
      'multiply',
      [newValueOf(contraction), spread(scale as SymbolicTensor, shape, shape.length - 1, build)],
      {},
    );
    return shift === undefined ? whole : build('add', [whole, spread(shift, shape, shape.length - 1, build)], {});
  }
  const isTransposed = node.primitive === 'dot' && node.attributes.transposeRight;
  const wide = spread(scale as SymbolicTensor, weights.shape, weights.shape.length - (isTransposed ? 2 : 1), build);
  const inputs = [newValueOf(x), build('multiply', [newValueOf(weights), wide], {})];
  const last = origin.current;
  origin.current = node.origin;
  const product =
    node.primitive === 'dot'
      ? build('dot', inputs, node.attributes)
      : build('convolve', inputs, node.attributes as ConvolveAttributes);
  origin.current = last;
  return shift === undefined ? product : build('add', [product, spread(shift, shape, shape.length - 1, build)], {});
}

function isNarrow({ node }: SymbolicTensor): boolean {
  if (node.primitive === 'reshape') return isNarrow(node.inputs[0] as SymbolicTensor);
  return node.primitive === 'parameter' && node.attributes.variable.narrow !== undefined;
}

/** The vector along one axis of a shape, repeated along the others. */
function spread(vector: SymbolicTensor, shape: Shape, axis: number, build: Build): SymbolicTensor {
  const own = shape.map((extent, other) => (other === axis ? extent : 1));
  return build('broadcast', [build('reshape', [vector], { shape: own })], { shape });
}
