/**
 * Rewrites a graph into a smaller one that computes the same: common parts are shared, constants folded, moves that
 * cancel dropped, padding and transposition taken over by the operations that can do them. All of it is exact, bit for
 * bit, but for the sign of zeros that padding multiplies.
 */
import { type Shape, shapesEqual, sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import { apply } from '../graph/apply.ts';
import { type AnyNode, type Graph, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type {
  ConvolveAttributes,
  PaddingPair,
  PoolAttributes,
  PrimitiveAttributes,
  PrimitiveName,
} from '../graph/primitives.ts';
import { isElementwise } from './cluster.ts';
import { type Build, GraphRewriter, type ProposedNode } from './rewrite.ts';

/** Computes a graph on the host. */
export type Evaluate = (graph: Graph, inputs: readonly Tensor[]) => readonly Tensor[];

/** Constants up to this size are computed while compiling; larger ones would make compiling slow. */
const FOLDED_ELEMENTS = 1024;

type Simplifier<K extends PrimitiveName> = (
  inputs: readonly SymbolicTensor[],
  attributes: PrimitiveAttributes[K],
  build: Build,
) => SymbolicTensor | undefined;

/** Whether anything is computed from constants alone, so that `simplify` can use an evaluator. */
export function hasConstantParts({ outputs }: Graph): boolean {
  const constants = new Set<AnyNode>();
  for (const node of topologicalOrder(outputs)) {
    if (node.primitive === 'scan' && hasConstantParts(node.attributes.body)) return true;
    const isConstant = node.inputs.length > 0 && node.inputs.every((input) => constants.has(input.node));
    if (isConstant && node.primitive !== 'reshape' && node.primitive !== 'broadcast') return true;
    if (isConstant || node.primitive === 'constant') constants.add(node);
  }
  return false;
}

/**
 * Rewrites the graph in steps.
 *
 * @param evaluate computes what depends on constants only; without it, the prologue of the program does
 */
export function* simplify(graph: Graph, evaluate?: Evaluate): Generator<void, Graph> {
  const rule = (node: ProposedNode, build: Build): SymbolicTensor | undefined => {
    const { primitive, inputs, attributes } = node;
    const simplifier = SIMPLIFIERS[primitive] as Simplifier<PrimitiveName> | undefined;
    return (
      simplifier?.(inputs, attributes, build) ??
      liftBroadcast(node, build) ??
      lowerTranspose(node, build) ??
      foldConstants(node, build, evaluate)
    );
  };
  return yield* new GraphRewriter(rule).rewrite(graph);
}

function foldConstants(
  { primitive, inputs, attributes }: ProposedNode,
  build: Build,
  evaluate: Evaluate | undefined,
): SymbolicTensor | undefined {
  if (evaluate === undefined || inputs.length === 0 || primitive === 'broadcast') return undefined;
  const areSmall = inputs.every(({ node, shape }) => node.primitive === 'constant' && sizeOf(shape) <= FOLDED_ELEMENTS);
  if (!areSmall) return undefined;
  const output = apply(primitive, inputs, attributes);
  if (sizeOf(output.shape) > FOLDED_ELEMENTS) return undefined;
  const [value] = evaluate({ inputs: [], outputs: [output] }, []);
  return value === undefined ? undefined : build('constant', [], { value });
}

/** `f(broadcast(a), broadcast(b))` is `broadcast(f(a, b))`: fewer elements to compute. */
function liftBroadcast({ primitive, inputs, attributes }: ProposedNode, build: Build): SymbolicTensor | undefined {
  if (!isElementwise(primitive)) return undefined;
  const wide = inputs.find((input) => input.node.primitive === 'broadcast' && uniformValue(input) === undefined);
  const narrow = (wide ?? inputs.find((input) => input.node.primitive === 'broadcast'))?.node.inputs[0]?.shape;
  const shape = inputs[0]?.shape;
  if (narrow === undefined || shape === undefined || sizeOf(narrow) >= sizeOf(shape)) return undefined;
  const operands: SymbolicTensor[] = [];
  for (const input of inputs) {
    const value = uniformValue(input);
    if (value !== undefined) operands.push(uniform(value, narrow, input.dtype, build));
    else if (input.node.primitive === 'broadcast' && shapesEqual(sourceOf(input).shape, narrow)) {
      operands.push(sourceOf(input));
    } else return undefined;
  }
  return build('broadcast', [build(primitive, operands, attributes)], { shape });
}

/**
 * `f(transpose(a), transpose(b))` is `transpose(f(a, b))`: layers whose channels come first transpose to and fro, and what is
 * between them is computed with the channels last, so that transpositions meet and cancel.
 */
function lowerTranspose({ primitive, inputs, attributes }: ProposedNode, build: Build): SymbolicTensor | undefined {
  const turned = inputs.find((input) => permutationToFirst(input) !== undefined);
  const permutation = turned && permutationToFirst(turned);
  if (permutation === undefined) return undefined;
  const sources = inputs.map((input) => channelsLast(input, permutation, build));
  if (!sources.every((source) => source !== undefined)) return undefined;
  const transposed = (value: SymbolicTensor): SymbolicTensor => build('transpose', [value], { permutation });
  if (isElementwise(primitive)) return transposed(build(primitive, sources, attributes));
  if (primitive === 'concatenate') {
    const { axis } = attributes as PrimitiveAttributes['concatenate'];
    return transposed(build(primitive, sources, { axis: permutation[axis] as number }));
  }
  if (primitive === 'pad') {
    const { padding, value } = attributes as PrimitiveAttributes['pad'];
    const moved = inverseOf(permutation).map((axis) => padding[axis] as PaddingPair);
    return transposed(build(primitive, sources, { padding: moved, value }));
  }
  return undefined;
}

/** How a value is transposed whose last axis was brought to the second place. */
function permutationToFirst({ node }: SymbolicTensor): readonly number[] | undefined {
  if (node.primitive !== 'transpose') return undefined;
  const { permutation } = node.attributes;
  return isToFirst(permutation) ? permutation : undefined;
}

function isToFirst(permutation: readonly number[]): boolean {
  const last = permutation.length - 1;
  return last > 2 && permutation.every((axis, place) => axis === (place === 1 ? last : Math.max(0, place - 1)));
}

function inverseOf(permutation: readonly number[]): readonly number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}

/** The value before a transposition, where that costs nothing. */
function channelsLast(value: SymbolicTensor, permutation: readonly number[], build: Build): SymbolicTensor | undefined {
  const { node, shape } = value;
  const [source] = node.inputs;
  if (source === undefined || shape.length !== permutation.length) return undefined;
  if (permutationToFirst(value) !== undefined) return source;
  if (node.primitive !== 'broadcast' || source.shape.length !== shape.length) return undefined;
  const back = inverseOf(permutation);
  const moved = build('transpose', [source], { permutation: back });
  return build('broadcast', [moved], { shape: back.map((axis) => shape[axis] as number) });
}

function sourceOf({ node }: SymbolicTensor): SymbolicTensor {
  return node.inputs[0] as SymbolicTensor;
}

/** The value that all elements have, if that is known. */
export function uniformValue(symbol: SymbolicTensor): number | undefined {
  const { node } = symbol;
  if (node.primitive === 'broadcast' || node.primitive === 'reshape') return uniformValue(sourceOf(symbol));
  if (node.primitive !== 'constant' || symbol.dtype === 'string') return undefined;
  const data = node.attributes.value.data as Float32Array;
  if (data.length === 0 || data.length > FOLDED_ELEMENTS) return undefined;
  return data.every((element) => Object.is(element, data[0])) ? data[0] : undefined;
}

/** A constant of one value in any shape. */
export function uniform(value: number, shape: Shape, dtype: SymbolicTensor['dtype'], build: Build): SymbolicTensor {
  const data =
    dtype === 'float32' ? Float32Array.of(value) : dtype === 'int32' ? Int32Array.of(value) : Uint8Array.of(value);
  const point = new Tensor(
    shape.map(() => 1),
    dtype as 'float32',
    data as Float32Array,
  );
  return build('broadcast', [build('constant', [], { value: point })], { shape });
}

/** Drops an operand that changes nothing: `neutral` on the right, and on the left where the operation commutes. */
function withoutNeutral<K extends PrimitiveName>(
  isNeutral: (value: number, dtype: SymbolicTensor['dtype']) => boolean,
  commutes: boolean,
): Simplifier<K> {
  return (inputs) => {
    const [left, right] = inputs as readonly [SymbolicTensor, SymbolicTensor];
    const [a, b] = [uniformValue(left), uniformValue(right)];
    if (b !== undefined && isNeutral(b, right.dtype)) return left;
    return commutes && a !== undefined && isNeutral(a, left.dtype) ? right : undefined;
  };
}

/** Two bounds on one side are one: `maximum(maximum(x, a), b)`. */
function joinBounds<K extends 'maximum' | 'minimum'>(primitive: K, neutral: number): Simplifier<K> {
  const dropNeutral = withoutNeutral<K>((value) => value === neutral, true);
  const split = (x: SymbolicTensor): { bound: number; of: SymbolicTensor } | undefined => {
    const [left, right] = x.node.inputs as readonly [SymbolicTensor, SymbolicTensor];
    if (x.node.primitive !== primitive) return undefined;
    const [a, b] = [uniformValue(left), uniformValue(right)];
    if (b !== undefined) return { bound: b, of: left };
    return a === undefined ? undefined : { bound: a, of: right };
  };
  return (inputs, attributes, build) => {
    const [left, right] = inputs as readonly [SymbolicTensor, SymbolicTensor];
    const outer = uniformValue(right) ?? uniformValue(left);
    const inner = split(uniformValue(right) === undefined ? right : left);
    if (outer === undefined || inner === undefined) return dropNeutral(inputs, attributes, build);
    const joined = primitive === 'maximum' ? Math.max(outer, inner.bound) : Math.min(outer, inner.bound);
    return build(primitive, [inner.of, uniform(joined, left.shape, left.dtype, build)], attributes);
  };
}

/** Undoes itself: `negate`, `logicalNot`. */
function involution<K extends PrimitiveName>(primitive: K): Simplifier<K> {
  return ([x]) => (x?.node.primitive === primitive ? x.node.inputs[0] : undefined);
}

/** A reduction over nothing, or over axes of extent 1, is a reshape. */
const reduceNothing: Simplifier<'sum' | 'product' | 'max' | 'min'> = ([x], { axes }, build) => {
  if (x === undefined || axes.some((axis) => x.shape[axis] !== 1)) return undefined;
  return build('reshape', [x], { shape: x.shape.filter((_, axis) => !axes.includes(axis)) });
};

/** Takes over a padding with zeros of the spatial axes. */
const absorbPadding: Simplifier<'convolve'> = ([x, kernel], attributes, build) => {
  const absorbed = spatialPadding(x as SymbolicTensor, attributes, 0);
  if (absorbed === undefined) return undefined;
  const padded: ConvolveAttributes = { ...attributes, padding: absorbed.padding };
  return build('convolve', [absorbed.source, kernel as SymbolicTensor], padded);
};

const absorbPoolPadding: Simplifier<'maxPool'> = ([x], attributes, build) => {
  const absorbed = spatialPadding(x as SymbolicTensor, attributes, Number.NEGATIVE_INFINITY);
  if (absorbed === undefined) return undefined;
  const padded: PoolAttributes = { ...attributes, padding: absorbed.padding };
  return build('maxPool', [absorbed.source], padded);
};

function spatialPadding(
  x: SymbolicTensor,
  { padding }: Pick<PoolAttributes, 'padding'>,
  value: number,
): { source: SymbolicTensor; padding: PaddingPair[] } | undefined {
  const { node } = x;
  if (node.primitive !== 'pad' || node.attributes.value !== value) return undefined;
  const all = node.attributes.padding;
  const isSpatial = [all[0], all.at(-1)].every((pair) => pair?.[0] === 0 && pair[1] === 0);
  if (!isSpatial) return undefined;
  const sum = padding.map(([low, high], axis): PaddingPair => {
    const [more, evenMore] = all[axis + 1] as PaddingPair;
    return [low + more, high + evenMore];
  });
  return { source: sourceOf(x), padding: sum };
}

/** A transposition of the last two axes becomes a flag. */
const absorbTranspose: Simplifier<'dot'> = (inputs, { transposeLeft, transposeRight }, build) => {
  const [left, right] = inputs as readonly [SymbolicTensor, SymbolicTensor];
  if (swapsLastAxes(left)) {
    return build('dot', [sourceOf(left), right], { transposeLeft: !transposeLeft, transposeRight });
  }
  if (swapsLastAxes(right)) {
    return build('dot', [left, sourceOf(right)], { transposeLeft, transposeRight: !transposeRight });
  }
  return undefined;
};

function swapsLastAxes({ node }: SymbolicTensor): boolean {
  if (node.primitive !== 'transpose') return false;
  const { permutation } = node.attributes;
  const ndim = permutation.length;
  const swapped = permutation.map((_, axis) => (axis < ndim - 2 ? axis : 2 * ndim - 3 - axis));
  return ndim >= 2 && shapesEqual(permutation, swapped);
}

const SIMPLIFIERS: { readonly [K in PrimitiveName]?: Simplifier<K> } = {
  reshape: ([x], { shape }, build) => {
    if (x === undefined || shapesEqual(x.shape, shape)) return x;
    if (x.node.primitive === 'reshape') return build('reshape', x.node.inputs, { shape });
    if (x.node.primitive !== 'constant' || x.dtype === 'string') return undefined;
    const { dtype, data } = x.node.attributes.value;
    return build('constant', [], { value: new Tensor(shape, dtype, data) });
  },
  transpose: ([x], { permutation }, build) => {
    if (x === undefined) return undefined;
    const long = permutation.filter((axis) => x.shape[axis] !== 1);
    // Axes of extent 1 may go anywhere without moving an element.
    if (long.every((axis, index) => index === 0 || (long[index - 1] as number) < axis)) {
      return build('reshape', [x], { shape: permutation.map((axis) => x.shape[axis] as number) });
    }
    if (x.node.primitive === 'pad' && isToFirst(inverseOf(permutation))) {
      // A convolution takes it over then.
      const { padding, value } = x.node.attributes;
      const moved = permutation.map((axis) => padding[axis] as PaddingPair);
      return build('pad', [build('transpose', x.node.inputs, { permutation })], { padding: moved, value });
    }
    if (x.node.primitive !== 'transpose') return undefined;
    const first = x.node.attributes.permutation;
    return build('transpose', x.node.inputs, { permutation: permutation.map((axis) => first[axis] as number) });
  },
  broadcast: ([x], { shape }, build) => {
    if (x === undefined || shapesEqual(x.shape, shape)) return x;
    return x.node.primitive === 'broadcast' ? build('broadcast', x.node.inputs, { shape }) : undefined;
  },
  slice: ([x], { starts, stops, strides }) => {
    const isWhole = x?.shape.every((extent, axis) => {
      return starts[axis] === 0 && stops[axis] === extent && (strides[axis] === 1 || extent === 1);
    });
    return isWhole ? x : undefined;
  },
  pad: ([x], { padding }) => (padding.every(([low, high]) => low === 0 && high === 0) ? x : undefined),
  concatenate: (inputs, { axis }, build) => {
    const filled = inputs.filter((input) => input.shape[axis] !== 0);
    if (filled.length <= 1) return filled[0] ?? inputs[0];
    return filled.length < inputs.length ? build('concatenate', filled, { axis }) : undefined;
  },
  reverse: ([x], { axes }) => (axes.every((axis) => (x?.shape[axis] ?? 0) <= 1) ? x : undefined),
  cast: ([x], { dtype }, build) => {
    if (x === undefined || x.dtype === dtype) return x;
    // A bool is 0 or 1 by any way.
    const isDetour = x.node.primitive === 'cast' && sourceOf(x).dtype === 'bool';
    return isDetour ? build('cast', x.node.inputs, { dtype }) : undefined;
  },
  // Gradients are taken before a graph is compiled: only values matter now.
  stopGradient: ([x]) => x,
  relu: ([x], _, build) => x && build('maximum', [x, uniform(0, x.shape, 'float32', build)], {}),
  negate: involution('negate'),
  logicalNot: involution('logicalNot'),
  add: withoutNeutral((value, dtype) => Object.is(value, -0) || (dtype === 'int32' && value === 0), true),
  subtract: withoutNeutral((value) => Object.is(value, 0), false),
  multiply: withoutNeutral((value) => value === 1, true),
  divide: (inputs, attributes, build) => {
    const [left, right] = inputs as readonly [SymbolicTensor, SymbolicTensor];
    const value = uniformValue(right);
    if (value === 1) return left;
    // The reciprocal of a power of two is exact, if it is not subnormal; multiplying is faster.
    if (value === undefined || !isPowerOfTwo(value)) return undefined;
    return build('multiply', [left, uniform(1 / value, right.shape, 'float32', build)], attributes);
  },
  power: (inputs, attributes, build) => {
    const [base, exponent] = inputs as readonly [SymbolicTensor, SymbolicTensor];
    const value = uniformValue(exponent);
    if (value === 1) return base;
    return value === 2 ? build('multiply', [base, base], attributes) : undefined;
  },
  maximum: joinBounds('maximum', Number.NEGATIVE_INFINITY),
  minimum: joinBounds('minimum', Number.POSITIVE_INFINITY),
  select: ([condition, then, otherwise]) => {
    if (then === otherwise) return then;
    const value = condition === undefined ? undefined : uniformValue(condition);
    return value === undefined ? undefined : value === 0 ? otherwise : then;
  },
  sum: reduceNothing,
  product: reduceNothing,
  max: reduceNothing,
  min: reduceNothing,
  dot: absorbTranspose,
  convolve: absorbPadding,
  maxPool: absorbPoolPadding,
};

function isPowerOfTwo(value: number): boolean {
  const exponent = Math.log2(Math.abs(value));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 126;
}
