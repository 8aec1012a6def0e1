/** Graphs of random operations, for comparisons of backends. */
import { type Shape, sizeOf } from '../../src/array/shape.ts';
import { Tensor } from '../../src/array/tensor.ts';
import { apply, constant, input, parameter } from '../../src/graph/apply.ts';
import type { Graph, SymbolicTensor } from '../../src/graph/node.ts';
import type { PrimitiveName } from '../../src/graph/primitives.ts';
import { Variable } from '../../src/graph/variable.ts';

/** Random numbers that depend on a seed only. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 2654435761) >>> 0;
  }

  /** In [0, 1). */
  float(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }

  /** From 0 up to but not including `count`. */
  below(count: number): number {
    return Math.floor(this.float() * count);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  floats(shape: Shape): Tensor<'float32'> {
    return new Tensor(
      shape,
      'float32',
      Float32Array.from({ length: sizeOf(shape) }, () => this.float() * 2 - 1),
    );
  }
}

/** Functions that are bounded and smooth enough for errors not to grow. */
const UNARY: readonly PrimitiveName[] = ['tanh', 'sigmoid', 'sin', 'negate', 'absolute', 'erf'];
const BINARY: readonly PrimitiveName[] = ['add', 'subtract', 'multiply', 'maximum', 'minimum'];
const EXTENTS = [1, 2, 3, 4, 5, 8, 13, 20];

function randomShape(random: Random): number[] {
  return Array.from({ length: 1 + random.below(4) }, () => random.pick(EXTENTS));
}

function leaf(random: Random, shape: Shape, inputs: SymbolicTensor[]): SymbolicTensor {
  const known = inputs.filter((each) => each.shape.join() === shape.join());
  if (known.length > 0 && random.float() < 0.3) return random.pick(known);
  const value = random.floats(shape);
  switch (random.below(4)) {
    case 0:
      return constant(value);
    case 1:
      return parameter(new Variable({ name: 'weight', shape, initialize: () => value }));
    default: {
      const symbol = input(`x${inputs.length}`, { shape, dtype: 'float32' });
      inputs.push(symbol);
      return symbol;
    }
  }
}

/** The value in another shape, by way of a broadcast from fewer elements. */
function stretched(random: Random, shape: Shape, inputs: SymbolicTensor[]): SymbolicTensor {
  const narrow = shape.map((extent) => (random.float() < 0.5 ? 1 : extent));
  return apply('broadcast', [leaf(random, narrow, inputs)], { shape });
}

/** One more operation on some of the values. */
function grow(random: Random, values: readonly SymbolicTensor[], inputs: SymbolicTensor[]): SymbolicTensor {
  const x = random.pick(values);
  const { shape } = x;
  const ndim = shape.length;
  const axis = random.below(Math.max(ndim, 1));
  const partners = values.filter((each) => each.shape.join() === shape.join());
  const isSmall = sizeOf(shape) <= 2000;
  switch (ndim === 0 ? random.below(2) : random.below(14)) {
    case 0:
      return apply(random.pick(UNARY) as 'tanh', [x], {});
    case 1:
      return apply(random.pick(BINARY) as 'add', [x, random.pick(partners)], {});
    case 2:
    case 3:
      return apply(random.pick(BINARY) as 'add', [x, stretched(random, shape, inputs)], {});
    case 4: {
      const condition = apply('less', [x, random.pick(partners)], {});
      return apply('select', [condition, stretched(random, shape, inputs), x], {});
    }
    case 5: {
      const axes = shape.map((_, each) => each).filter(() => random.float() < 0.5);
      const mean = apply('tanh', [apply('sum', [x], { axes })], {});
      return random.float() < 0.5 ? mean : apply(random.pick(['max', 'min'] as const), [x], { axes });
    }
    case 6: {
      const permutation = shape.map((_, each) => each).sort(() => random.float() - 0.5);
      return apply('transpose', [x], { permutation });
    }
    case 7:
      return apply('reshape', [x], { shape: random.float() < 0.5 ? [sizeOf(shape)] : [1, ...shape] });
    case 8: {
      const strides = shape.map(() => 1 + random.below(2));
      const starts = shape.map((extent) => random.below(extent));
      return apply('slice', [x], { starts, stops: shape, strides });
    }
    case 9:
      return apply('reverse', [x], { axes: [axis] });
    case 10: {
      if (!isSmall) return x;
      const padding = shape.map(() => [random.below(3), random.below(2)] as const);
      return apply('pad', [x], { padding, value: 0 });
    }
    case 11:
      return isSmall ? apply('concatenate', [x, random.pick(partners)], { axis }) : x;
    case 12: {
      if (ndim < 2) return x;
      const [rows, k] = shape.slice(-2) as [number, number];
      const n = random.pick(EXTENTS);
      const isTransposed = random.float() < 0.5;
      const weights = leaf(random, [...shape.slice(0, -2), ...(isTransposed ? [n, k] : [k, n])], inputs);
      const product = apply('dot', [x, weights], { transposeLeft: false, transposeRight: isTransposed });
      const scaled = apply('multiply', [product, stretched(random, product.shape, inputs)], {});
      return apply('tanh', [random.float() < 0.5 && rows > 0 ? scaled : product], {});
    }
    default: {
      if (ndim !== 4) return apply('cumulativeSum', [apply('tanh', [x], {})], { axis, reverse: false });
      const channels = shape[3] as number;
      const kernel = leaf(random, [1 + random.below(2), 1, channels, random.pick(EXTENTS)], inputs);
      const window = { strides: [1, 1 + random.below(2)], dilation: [1, 1], groups: 1 };
      const y = apply('convolve', [x, kernel], {
        ...window,
        padding: [
          [1, 1],
          [0, 0],
        ],
      });
      const vector = leaf(random, [1, 1, 1, y.shape[3] as number], inputs);
      const scaled = apply('multiply', [y, apply('broadcast', [vector], { shape: y.shape })], {});
      return apply('maximum', [scaled, apply('broadcast', [constantZero()], { shape: y.shape })], {});
    }
  }
}

function constantZero(): SymbolicTensor {
  return constant(new Tensor([1, 1, 1, 1], 'float32', new Float32Array(1)));
}

/** A graph of 4 to 23 operations, of numbers that stay near 1. */
export function randomGraph(random: Random): Graph {
  const inputs: SymbolicTensor[] = [];
  const values = [leaf(random, randomShape(random), inputs)];
  const length = 4 + random.below(20);
  for (let count = 0; count < length; count++) {
    const made = grow(random, values.slice(-6), inputs);
    values.push(made);
  }
  const outputs = [values.at(-1) as SymbolicTensor, random.pick(values), random.pick(values)];
  return { inputs, outputs };
}
