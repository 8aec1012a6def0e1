import { beforeAll, describe, expect, test } from 'vitest';
import { erf } from '../reference/special-functions.ts';
import { hasRelaxedSimd } from './assembler-features.ts';
import { ModuleBuilder } from './assembler-module.ts';
import { callMath, type MathName } from './math.ts';
import { loadRareModules } from './rare-code.ts';

beforeAll(() => loadRareModules('power', 'trigonometry'));

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

/** Runs the function over float arrays of equal length, a multiple of 4 up to 4096. */
function compile(name: MathName, relaxedSimd: boolean): (...operands: Float32Array[]) => Float32Array {
  const operandCount = name === 'power' || name === 'atan2' ? 2 : 1;
  const module = new ModuleBuilder({ relaxedSimd });
  module.importMemory('host', 'memory', { minimum: 1 });
  const index = module.function(['i32'], [], (f) => {
    const at = f.local('i32');
    f.for(at, 0, f.param(0), 16, () => {
      f.storeAt('v128.store', at, 2 * 16384, () => {
        for (let operand = 0; operand < operandCount; operand++) f.load('v128.load', at, operand * 16384);
        callMath(module, f, name);
      });
    });
  });
  module.exportFunction('run', index);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { host: { memory } });
  const floats = new Float32Array(memory.buffer);
  return (...operands) => {
    for (const [operand, values] of operands.entries()) floats.set(values, operand * 4096);
    const length = operands[0]?.length ?? 0;
    (exports.run as (bytes: number) => void)(length * 4);
    return floats.slice(8192, 8192 + length);
  };
}

/** 4096 floats between the bounds, evenly or (between positive bounds) evenly in the logarithm. */
function samples(low: number, high: number, geometric = false): Float32Array {
  return Float32Array.from({ length: 4096 }, (_, index) => {
    const t = index / 4095;
    return geometric ? low * (high / low) ** t : low + (high - low) * t;
  });
}

const mirrored = (values: Float32Array): Float32Array => values.map((value, index) => (index % 2 ? value : -value));

interface Unary {
  readonly compute: (x: number) => number;
  readonly ranges: readonly Float32Array[];
  readonly special: readonly (readonly [x: number, y: number])[];
}

const tiny = (): Float32Array => mirrored(samples(1e-30, 1, true));

const UNARY: Partial<Record<MathName, Unary>> = {
  exp: {
    compute: Math.exp,
    ranges: [samples(-87, 88.7), samples(-1, 1), tiny()],
    special: [
      [0, 1],
      [-200, 0],
      [200, infinity],
      [infinity, infinity],
      [-infinity, 0],
      [nan, nan],
      [88.8, infinity],
    ],
  },
  expm1: {
    compute: Math.expm1,
    ranges: [samples(-87, 88.7), samples(-1, 1), tiny()],
    special: [
      [0, 0],
      [-0, -0],
      [-200, -1],
      [200, infinity],
      [infinity, infinity],
      [-infinity, -1],
      [nan, nan],
    ],
  },
  log: {
    compute: Math.log,
    ranges: [samples(1e-44, 3e38, true), samples(0.5, 2), samples(0.99, 1.01)],
    special: [
      [0, -infinity],
      [-0, -infinity],
      [1, 0],
      [-1, nan],
      [-infinity, nan],
      [infinity, infinity],
      [nan, nan],
    ],
  },
  log1p: {
    compute: Math.log1p,
    ranges: [samples(1e-30, 3e38, true), samples(-0.9999, 2), tiny().map((x) => x * 0.99)],
    special: [
      [0, 0],
      [-0, -0],
      [-1, -infinity],
      [-2, nan],
      [infinity, infinity],
      [nan, nan],
    ],
  },
  sigmoid: {
    compute: (x) => 1 / (1 + Math.exp(-x)),
    ranges: [samples(-80, 80), samples(-2, 2)],
    special: [
      [0, 0.5],
      [-infinity, 0],
      [infinity, 1],
      [-200, 0],
      [200, 1],
      [nan, nan],
    ],
  },
  tanh: {
    compute: Math.tanh,
    ranges: [samples(-12, 12), samples(-1, 1), tiny()],
    special: [
      [0, 0],
      [-0, -0],
      [-infinity, -1],
      [infinity, 1],
      [nan, nan],
    ],
  },
  erf: {
    compute: erf,
    ranges: [samples(-5, 5), samples(-1.1, 1.1), tiny()],
    special: [
      [0, 0],
      [-0, -0],
      [-infinity, -1],
      [infinity, 1],
      [nan, nan],
    ],
  },
  sinh: {
    compute: Math.sinh,
    ranges: [samples(-89, 89), samples(-2, 2), tiny()],
    special: [
      [0, 0],
      [-0, -0],
      [-infinity, -infinity],
      [infinity, infinity],
      [nan, nan],
      [100, infinity],
    ],
  },
  cosh: {
    compute: Math.cosh,
    ranges: [samples(-89, 89), samples(-2, 2)],
    special: [
      [0, 1],
      [-infinity, infinity],
      [infinity, infinity],
      [nan, nan],
      [100, infinity],
    ],
  },
  asinh: {
    compute: Math.asinh,
    ranges: [mirrored(samples(1e-20, 3e38, true)), samples(-3, 3)],
    special: [
      [0, 0],
      [-0, -0],
      [-infinity, -infinity],
      [infinity, infinity],
      [nan, nan],
    ],
  },
  acosh: {
    compute: Math.acosh,
    ranges: [samples(1.0001, 3e38, true), samples(1, 4)],
    special: [
      [1, 0],
      [0.5, nan],
      [-5, nan],
      [infinity, infinity],
      [nan, nan],
    ],
  },
  atanh: {
    compute: Math.atanh,
    ranges: [samples(-0.9999, 0.9999), tiny().map((x) => x * 0.99)],
    special: [
      [0, 0],
      [-0, -0],
      [1, infinity],
      [-1, -infinity],
      [2, nan],
      [infinity, nan],
      [nan, nan],
    ],
  },
  sin: {
    compute: Math.sin,
    ranges: [samples(-10, 10), samples(-1e5, 1e5), tiny()],
    special: [
      [0, 0],
      [-0, -0],
      [infinity, nan],
      [-infinity, nan],
      [nan, nan],
    ],
  },
  cos: {
    compute: Math.cos,
    ranges: [samples(-10, 10), samples(-1e5, 1e5)],
    special: [
      [0, 1],
      [infinity, nan],
      [-infinity, nan],
      [nan, nan],
    ],
  },
  tan: {
    compute: Math.tan,
    ranges: [samples(-10, 10), samples(-1e5, 1e5), tiny()],
    special: [
      [0, 0],
      [-0, -0],
      [infinity, nan],
      [nan, nan],
    ],
  },
  asin: {
    compute: Math.asin,
    ranges: [samples(-1, 1), tiny()],
    special: [
      [0, 0],
      [-0, -0],
      [1, Math.fround(Math.PI / 2)],
      [1.5, nan],
      [-infinity, nan],
      [nan, nan],
    ],
  },
  acos: {
    compute: Math.acos,
    ranges: [samples(-1, 1), samples(0.9, 1)],
    special: [
      [1, 0],
      [-1, Math.fround(Math.PI)],
      [1.5, nan],
      [-infinity, nan],
      [nan, nan],
    ],
  },
  atan: {
    compute: Math.atan,
    ranges: [samples(-5, 5), mirrored(samples(1e-30, 1e30, true))],
    special: [
      [0, 0],
      [-0, -0],
      [infinity, Math.fround(Math.PI / 2)],
      [-infinity, -Math.fround(Math.PI / 2)],
      [nan, nan],
    ],
  },
};

/** Greatest relative error; results below the least normal float count absolutely, in units of it. */
function greatestError(actual: Float32Array, expected: (index: number) => number): number {
  return actual.reduce((greatest, value, index) => {
    const exact = expected(index);
    const rounded = Math.fround(exact);
    if (Object.is(value, rounded)) return greatest;
    const error = Math.abs(value - exact) / Math.max(Math.abs(exact), 2 ** -126);
    return Number.isNaN(error) ? infinity : Math.max(greatest, error);
  }, 0);
}

describe.each([false, true].filter((relaxed) => !relaxed || hasRelaxedSimd()))('relaxed SIMD: %s', (relaxed) => {
  test.each(Object.entries(UNARY) as [MathName, Unary][])('%s is accurate', (name, { compute, ranges }) => {
    const run = compile(name, relaxed);
    for (const x of ranges) {
      const y = run(x);
      expect(greatestError(y, (index) => compute(x[index] as number))).toBeLessThan(5e-7);
    }
  });

  test.each(Object.entries(UNARY) as [MathName, Unary][])('%s knows its special values', (name, { special }) => {
    const run = compile(name, relaxed);
    for (const [x, y] of special) expect([x, [...run(Float32Array.of(x, 1, x, 1))][2]]).toEqual([x, y]);
  });

  test('power is accurate', () => {
    const run = compile('power', relaxed);
    const bases = [samples(1e-40, 1e38, true), samples(0.5, 2), samples(1e-6, 1e6, true)];
    for (const x of bases) {
      for (const exponent of [-2.5, -1, -0.5, 0.3, 0.5, 1, 2, 3, 0.01, 17]) {
        const y = run(x, new Float32Array(4096).fill(exponent));
        const exact = (index: number): number => (x[index] as number) ** Math.fround(exponent);
        expect(greatestError(y, exact)).toBeLessThan(1.3e-7);
      }
    }
    const exponents = samples(-3000, 3000);
    const bases2 = new Float32Array(4096).fill(1.02);
    const y = run(bases2, exponents);
    expect(greatestError(y, (index) => Math.fround(1.02) ** (exponents[index] as number))).toBeLessThan(1.3e-7);
  });

  test('power knows its special values', () => {
    const run = compile('power', relaxed);
    const cases = [
      [0, 0, 1],
      [nan, 0, 1],
      [1, nan, 1],
      [1, infinity, 1],
      [-1, infinity, 1],
      [-1, -infinity, 1],
      [nan, 1, nan],
      [2, nan, nan],
      [-1, nan, nan],
      [-2, 3, -8],
      [-2, 2, 4],
      [-2, -1, -0.5],
      [-2, 0.5, nan],
      [0, 2, 0],
      [0, -1, infinity],
      [-0, 3, -0],
      [-0, 2, 0],
      [-0, -1, -infinity],
      [infinity, 2, infinity],
      [infinity, -1, 0],
      [-infinity, 3, -infinity],
      [-infinity, -3, -0],
      [-infinity, 0.5, infinity],
      [2, infinity, infinity],
      [2, -infinity, 0],
      [0.5, infinity, 0],
      [0.5, -infinity, infinity],
      [10, 39, infinity],
      [10, -50, 0],
      [infinity, 0, 1],
      [-3, 16777216, infinity],
    ] as const;
    for (const [x, y, z] of cases) {
      expect([x, y, [...run(Float32Array.of(x, 2, 2, x), Float32Array.of(y, 1, 1, y))][3]]).toEqual([x, y, z]);
    }
  });

  test('atan2 is accurate in all quadrants', () => {
    const run = compile('atan2', relaxed);
    const angles = samples(-Math.PI, Math.PI);
    for (const radius of [1e-30, 1, 1e30]) {
      const [y, x] = [angles.map((angle) => radius * Math.sin(angle)), angles.map((angle) => radius * Math.cos(angle))];
      const result = run(y, x);
      expect(greatestError(result, (index) => Math.atan2(y[index] as number, x[index] as number))).toBeLessThan(5e-7);
    }
    const values = [0, -0, 1, -1, infinity, -infinity, nan];
    for (const y of values) {
      for (const x of values) {
        const [, , result] = run(Float32Array.of(1, 1, y, 1), Float32Array.of(1, 1, x, 1));
        expect([y, x, (result as number).toPrecision(6)]).toEqual([y, x, Math.atan2(y, x).toPrecision(6)]);
      }
    }
  });
});
