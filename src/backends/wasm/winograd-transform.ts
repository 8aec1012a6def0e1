/**
 * Winograd's short convolutions F(4×4, 3×3): a tile of 4 × 4 outputs of a 3 × 3 window costs 36 products of transformed
 * numbers in place of 144. The transforms are those of Cook and Toom with the points 0, ±3/4, ±3/2 and ∞, whose rounding
 * errors are near those of plain sums: the usual points 0, ±1, ±2 lose three times as much.
 *
 * With a the points, the rows of the transforms are, along one axis:
 *
 * - of the kernel, 3 → 6: (1, a, a²) / Π(a − other points); at ∞ (0, 0, 1)
 * - of the input, 6 → 6: the coefficients of Π(x − other points); at ∞ those of Π(x − points)
 * - of the output, 6 → 4: the columns (1, a, a², a³); at ∞ (0, 0, 0, 1)
 *
 * Gradients of the kernel take the transposes of the last and the first.
 */
import type { FunctionBuilder, Local } from './assembler-function.ts';
import type { VectorConstants } from './vector-constants.ts';

/** Outputs of a tile along an axis. */
export const TILE_OUTPUTS = 4;

/** Inputs of a tile along an axis, and numbers after a transform. */
export const TILE_INPUTS = 6;

/** Products of a tile: matrices that are multiplied. */
export const TILE_POINTS: number = TILE_INPUTS * TILE_INPUTS;

const A = 3 / 4;
const B = 3 / 2;
const A2: number = A * A;
const B2: number = B * B;

/** What divides the kernel's numbers at 0, ±3/4 and ±3/2. */
const DIVISORS = { zero: A2 * B2, a: 2 * A2 * (A2 - B2), b: 2 * B2 * (B2 - A2) } as const;

type Vectors3 = [Local, Local, Local];
type Vectors4 = [Local, Local, Local, Local];
type Vectors6 = [Local, Local, Local, Local, Local, Local];

/** A transform along one axis, of vectors in locals; it may use those of its inputs for its outputs. */
export interface Transform<I extends readonly Local[], O extends readonly Local[]> {
  readonly constants: readonly number[];
  /** Writes the transform and gives where its outputs are; `spare` holds four vectors that are free. */
  readonly write: (f: FunctionBuilder, inputs: I, constants: VectorConstants, spare: Vectors4) => O;
}

/** What transforms consist of: a target is set to a vector by a factor, or to a base with that added or subtracted. */
interface Sums {
  product(target: Local, x: Local, factor: number): void;
  plus(target: Local, base: Local, x: Local, factor: number): void;
  minus(target: Local, base: Local, x: Local, factor: number): void;
}

function sumsOf(f: FunctionBuilder, constants: VectorConstants): Sums {
  return {
    product: (target, x, factor) => {
      f.get(x).get(constants.get(factor)).op('f32x4.mul').set(target);
    },
    plus: (target, base, x, factor) => {
      if (target !== base) f.get(base).set(target);
      f.multiplyAdd(target, () => f.get(x).get(constants.get(factor)));
    },
    // Without a vector of the negative number.
    minus: (target, base, x, factor) => {
      const scale = constants.get(factor);
      if (f.relaxedSimd) f.get(x).get(scale).get(base).op('f32x4.relaxed_nmadd').set(target);
      else f.get(base).get(x).get(scale).op('f32x4.mul', 'f32x4.sub').set(target);
    },
  };
}

// In such an order that registers hold all of a line: 6 numbers, 6 constants, and what is left over.
export const inputTransform: Transform<Vectors6, Vectors6> = {
  constants: [A2, B2, A2 * B2, A2 + B2, A, B],
  write: (f, [d0, d1, d2, d3, d4, d5], constants, [u, v, zero]) => {
    const { plus, minus } = sumsOf(f, constants);
    minus(d5, d5, d3, A2 + B2);
    plus(d5, d5, d1, A2 * B2);
    minus(zero, d4, d2, A2 + B2);
    plus(zero, zero, d0, A2 * B2);
    minus(u, d4, d2, B2);
    minus(d4, d4, d2, A2);
    minus(v, d3, d1, B2);
    minus(d3, d3, d1, A2);
    plus(d0, u, v, A);
    minus(u, u, v, A);
    plus(d1, d4, d3, B);
    minus(d4, d4, d3, B);
    // The vectors of the inputs and the spare ones change places: those that come next are spare again.
    f.get(zero).set(d2).get(u).set(d3);
    return [d2, d0, d3, d1, d4, d5];
  },
};

export const outputTransform: Transform<Vectors6, Vectors4> = {
  constants: [A, B, A2, B2, A * A2, B * B2],
  write: (f, [m0, m1, m2, m3, m4, m5], constants, [sumA, differenceA, sumB, differenceB]) => {
    const { product, plus } = sumsOf(f, constants);
    f.get(m1).get(m2).op('f32x4.add').set(sumA);
    f.get(m1).get(m2).op('f32x4.sub').set(differenceA);
    f.get(m3).get(m4).op('f32x4.add').set(sumB);
    f.get(m3).get(m4).op('f32x4.sub').set(differenceB);
    f.get(m0).get(sumA).op('f32x4.add').get(sumB).op('f32x4.add').set(m0);
    product(m1, differenceA, A);
    plus(m1, m1, differenceB, B);
    product(m2, sumA, A2);
    plus(m2, m2, sumB, B2);
    plus(m5, m5, differenceA, A * A2);
    plus(m5, m5, differenceB, B * B2);
    return [m0, m1, m2, m5];
  },
};

export const kernelTransform: Transform<Vectors3, Vectors6> = {
  constants: [1 / DIVISORS.zero, 1 / DIVISORS.a, A / DIVISORS.a, A2 / DIVISORS.a].concat(
    [1, B, B2].map((power) => power / DIVISORS.b),
  ),
  write: (f, [g0, g1, g2], constants, [even, odd]) => {
    const outputs = f.localsOf('v128', 6) as Vectors6;
    const [zero, plusA, minusA, plusB, minusB, infinity] = outputs;
    const { product, plus } = sumsOf(f, constants);
    product(zero, g0, 1 / DIVISORS.zero);
    for (const [atPoint, atOpposite, point, divisor] of [
      [plusA, minusA, A, DIVISORS.a],
      [plusB, minusB, B, DIVISORS.b],
    ] as const) {
      product(even, g0, 1 / divisor);
      plus(even, even, g2, (point * point) / divisor);
      product(odd, g1, point / divisor);
      f.get(even).get(odd).op('f32x4.add').set(atPoint);
      f.get(even).get(odd).op('f32x4.sub').set(atOpposite);
    }
    f.get(g2).set(infinity);
    return outputs;
  },
};

/** Of the gradient of the output, 4 → 6. */
export const outputGradientTransform: Transform<Vectors4, Vectors6> = {
  constants: [A, B, A2, B2, A * A2, B * B2],
  write: (f, [y0, y1, y2, y3], constants, [even, odd]) => {
    const { product, plus } = sumsOf(f, constants);
    const outputs = f.localsOf('v128', 6) as Vectors6;
    const [zero, plusA, minusA, plusB, minusB, infinity] = outputs;
    for (const [atPoint, atOpposite, point] of [
      [plusA, minusA, A],
      [plusB, minusB, B],
    ] as const) {
      plus(even, y0, y2, point * point);
      product(odd, y1, point);
      plus(odd, odd, y3, point * (point * point));
      f.get(even).get(odd).op('f32x4.add').set(atPoint);
      f.get(even).get(odd).op('f32x4.sub').set(atOpposite);
    }
    f.get(y0).set(zero).get(y3).set(infinity);
    return outputs;
  },
};

/** Of the products to the gradient of the kernel, 6 → 3. */
export const kernelGradientTransform: Transform<Vectors6, Vectors3> = {
  constants: kernelTransform.constants,
  write: (f, [s0, s1, s2, s3, s4, s5], constants, [sumA, differenceA, sumB, differenceB]) => {
    const { product, plus } = sumsOf(f, constants);
    f.get(s1).get(s2).op('f32x4.add').set(sumA);
    f.get(s1).get(s2).op('f32x4.sub').set(differenceA);
    f.get(s3).get(s4).op('f32x4.add').set(sumB);
    f.get(s3).get(s4).op('f32x4.sub').set(differenceB);
    product(s0, s0, 1 / DIVISORS.zero);
    plus(s0, s0, sumA, 1 / DIVISORS.a);
    plus(s0, s0, sumB, 1 / DIVISORS.b);
    product(s1, differenceA, A / DIVISORS.a);
    plus(s1, s1, differenceB, B / DIVISORS.b);
    plus(s5, s5, sumA, A2 / DIVISORS.a);
    plus(s5, s5, sumB, B2 / DIVISORS.b);
    return [s0, s1, s5];
  },
};

/**
 * Writes a transform along both axes of a square of vectors, or of two such squares, whose vectors are neighbours.
 *
 * @param load pushes the vector at a row and a column, of the square whose vectors lie `offset` bytes on
 * @param store stores the vectors of a row and a column, one of each square, which it may change
 */
export function emitTransform<I extends readonly Local[], O extends readonly Local[]>(
  f: FunctionBuilder,
  { write }: Transform<I, O>,
  extent: I['length'],
  constants: VectorConstants,
  squares: 1 | 2,
  load: (row: number, column: number, offset: number) => unknown,
  store: (row: number, column: number, outputs: readonly Local[]) => void,
): void {
  const spare = f.localsOf('v128', 4) as Vectors4;
  const offsets = squares === 1 ? [0] : [0, 16];
  // All is loaded before anything is stored: the engine does not join loads across stores.
  const columnsOf = offsets.map((): (readonly Local[])[] => []);
  for (let column = 0; column < extent; column++) {
    for (const [square, offset] of offsets.entries()) {
      const inputs = f.localsOf('v128', extent);
      for (const [row, local] of inputs.entries()) {
        load(row, column, offset);
        f.set(local);
      }
      const outputs = write(f, inputs as unknown as I, constants, spare);
      // What the outputs do not use is free for the next column.
      const unused = inputs.filter((local) => !outputs.includes(local));
      f.release(...unused);
      columnsOf[square]?.push(outputs);
    }
  }
  const rows = columnsOf[0]?.[0]?.length ?? 0;
  for (let row = 0; row < rows; row++) {
    const inputsOf = columnsOf.map((columns) => columns.map((outputs) => outputs[row] as Local));
    const outputsOf = inputsOf.map((inputs) => write(f, inputs as unknown as I, constants, spare));
    // What is to be joined is stored one after the other.
    for (const column of outputsOf[0]?.keys() ?? []) {
      store(
        row,
        column,
        outputsOf.map((outputs) => outputs[column] as Local),
      );
    }
    f.release(...new Set([...inputsOf, ...outputsOf].flat()));
  }
  f.release(...spare);
}

const EXACT_CONSTANTS: readonly number[] = [...Object.values(DIVISORS), A, B, A2, B2];

/**
 * Writes the transform of nine taps, each a vector of four kernels, by doubles: what is stored is rounded twice, once after
 * each axis.
 *
 * @param constants what `exactConstants` has set
 * @param store stores the 36 points, one after the other
 */
export function emitExactTransform(
  f: FunctionBuilder,
  taps: readonly Local[],
  constants: ReadonlyMap<number, Local>,
  store: (point: Local) => void,
): void {
  const halves = f.localsOf('v128', TILE_INPUTS * 3);
  const points = f.localsOf('v128', TILE_INPUTS) as Vectors6;
  for (let column = 0; column < 3; column++) {
    emitExactPoints(f, [0, 3, 6].map((row) => taps[row + column]) as Vectors3, points, constants);
    for (const [row, point] of points.entries()) f.get(point).set(halves[row * 3 + column] as Local);
  }
  for (let row = 0; row < TILE_INPUTS; row++) {
    emitExactPoints(f, halves.slice(row * 3, row * 3 + 3) as Vectors3, points, constants);
    points.forEach(store);
  }
  f.release(...halves, ...points);
}

/** Sets the numbers that `emitExactTransform` uses, once before a loop. */
export function exactConstants(f: FunctionBuilder): ReadonlyMap<number, Local> {
  return new Map(
    EXACT_CONSTANTS.map((value) => {
      const local = f.local('v128');
      f.f64(value).op('f64x2.splat').set(local);
      return [value, local] as const;
    }),
  );
}

/** Along one axis: the lower two of four numbers, then the upper two. */
function emitExactPoints(
  f: FunctionBuilder,
  taps: Vectors3,
  [zero, plusA, minusA, plusB, minusB, infinity]: Vectors6,
  constants: ReadonlyMap<number, Local>,
): void {
  const doubles = f.localsOf('v128', 6) as Vectors6;
  const [g0, g1, g2, even, odd, high] = doubles;
  const by = (value: number): FunctionBuilder => f.get(constants.get(value) as Local);
  for (const isHigh of [false, true]) {
    const round = (point: Local): void => {
      f.op('f32x4.demote_f64x2_zero').set(isHigh ? high : point);
      if (isHigh) f.get(point).get(high).shuffle32(0, 1, 4, 5).set(point);
    };
    for (const [index, double] of [g0, g1, g2].entries()) {
      f.get(taps[index] as Local);
      if (isHigh) f.get(taps[index] as Local).shuffle32(2, 3, 2, 3);
      f.op('f64x2.promote_low_f32x4').set(double);
    }
    f.get(g0);
    by(DIVISORS.zero).op('f64x2.div');
    round(zero);
    for (const [plus, minus, point, square, divisor] of [
      [plusA, minusA, A, A2, DIVISORS.a],
      [plusB, minusB, B, B2, DIVISORS.b],
    ] as const) {
      f.get(g0).get(g2);
      by(square).op('f64x2.mul', 'f64x2.add');
      by(divisor).op('f64x2.div').set(even).get(g1);
      by(point).op('f64x2.mul');
      by(divisor).op('f64x2.div').set(odd);
      f.get(even).get(odd).op('f64x2.add');
      round(plus);
      f.get(even).get(odd).op('f64x2.sub');
      round(minus);
    }
  }
  f.get(taps[2]).set(infinity);
  f.release(...doubles);
}
