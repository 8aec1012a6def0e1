import { describe, expect, test } from 'vitest';
import { ByteWriter } from './assembler-bytes.ts';
import { hasRelaxedSimd } from './assembler-features.ts';
import type { FunctionBuilder, ValueType } from './assembler-function.ts';
import { ModuleBuilder, type ModuleOptions } from './assembler-module.ts';
import {
  ATOMIC_OPCODES,
  LANE_MEMORY_OPCODES,
  LANE_OPCODES,
  LOAD_OPCODES,
  type LoadOpcode,
  PLAIN_OPCODES,
  type PlainOpcode,
  STORE_OPCODES,
} from './assembler-opcodes.ts';

type Callable = (...values: number[]) => number;

/** Instantiates a module of one exported function, on a memory of one page. */
function assemble(
  params: readonly ValueType[],
  results: readonly ValueType[],
  write: (f: FunctionBuilder, module: ModuleBuilder) => void,
  options: ModuleOptions = {},
): { call: Callable; memory: WebAssembly.Memory } {
  const module = new ModuleBuilder(options);
  module.importMemory('host', 'memory', { minimum: 1 });
  module.exportFunction(
    'f',
    module.function(params, results, (f) => write(f, module)),
  );
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { host: { memory } });
  return { call: instance.exports.f as Callable, memory };
}

describe('ByteWriter', () => {
  test.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, -8192, 2 ** 31 - 1, -(2 ** 31)])(
    'signed() writes %d as the engine reads it',
    (value) => {
      const { call } = assemble([], ['i32'], (f) => f.i32(value));
      expect(call()).toBe(value);
    },
  );

  test('unsigned() writes seven bits a byte', () => {
    const writer = new ByteWriter(1);
    for (const value of [0, 127, 128, 624485, 2 ** 32 - 1]) writer.unsigned(value);
    expect([...writer.view()]).toEqual([0, 127, 128, 1, 0xe5, 0x8e, 0x26, 255, 255, 255, 255, 15]);
  });

  test('signed64() writes integers beyond 32 bits', () => {
    const { call } = assemble([], ['i32'], (f) =>
      f
        .i64(-(2n ** 40n))
        .i64(38)
        .op('i64.shr_s', 'i32.wrap_i64'),
    );
    expect(call()).toBe(-4);
  });
});

describe('FunctionBuilder', () => {
  test('for() counts with constant bounds, with locals, and not at all', () => {
    const { call } = assemble(['i32'], ['i32'], (f) => {
      const [counter, sum] = [f.local('i32'), f.local('i32')];
      const add = (): unknown => f.increment(sum, counter);
      f.for(counter, 0, 10, 3, add);
      f.for(counter, 5, 6, 1, add);
      f.for(counter, 7, 7, 1, add);
      f.for(counter, 0, f.param(0), 1, add);
      f.get(sum);
    });
    expect(call(5)).toBe(0 + 3 + 6 + 9 + 5 + 10);
    expect(call(0)).toBe(23);
  });

  test('block(), loop(), if() and labels nest', () => {
    const { call } = assemble(['i32'], ['i32'], (f) => {
      const n = f.param(0);
      const steps = f.local('i32');
      f.block((done) => {
        f.loop((again) => {
          f.get(n).i32(1).op('i32.eq').brIf(done);
          f.increment(steps, 1);
          f.get(n).i32(1).op('i32.and');
          f.if(
            () => f.get(n).i32(3).op('i32.mul').i32(1).op('i32.add').set(n),
            () => f.get(n).i32(1).op('i32.shr_u').set(n).br(again),
          );
          f.br(again);
        });
      });
      f.get(steps);
    });
    expect(call(27)).toBe(111);
  });

  test('local() reuses what release() gave back', () => {
    const { call } = assemble([], ['i32'], (f) => {
      const first = f.local('i32');
      f.release(first);
      expect(f.local('i32').index).toBe(first.index);
      expect(f.local('v128').index).not.toBe(first.index);
      f.i32(7);
    });
    expect(call()).toBe(7);
  });

  test('sum() folds scales and constants', () => {
    const { call } = assemble(['i32', 'i32', 'i32'], ['i32'], (f) =>
      f.sum(
        [
          [f.param(0), 8],
          [f.param(1), 0],
          [f.param(2), -3],
        ],
        5,
      ),
    );
    expect(call(2, 100, 7)).toBe(16 - 21 + 5);
  });

  test('load() and storeAt() address memory', () => {
    const { call, memory } = assemble(['i32'], ['f32'], (f) => {
      f.storeAt('v128.store', 64, 16, () => f.load('v128.load', f.param(0), 4));
      f.storeAt('f32.store', f.param(0), -8, () => f.f32(2.5));
      f.load('v128.load32_splat', 84).lane('f32x4.extract_lane', 3);
    });
    const floats = new Float32Array(memory.buffer);
    floats.set([1, 2, 3, 4, 5], 8);
    expect(call(32)).toBe(3);
    expect([...floats.subarray(20, 24)]).toEqual([2, 3, 4, 5]);
    expect(floats[6]).toBe(2.5);
  });

  test('memoryCopy(), memoryFill(), shuffles and lane stores', () => {
    const { call, memory } = assemble([], [], (f) => {
      f.i32(100).i32(0).i32(16).memoryCopy();
      f.i32(116).i32(255).i32(4).memoryFill();
      f.i32(200).f32x4([0, 1, 2, 3]).f32x4([4, 5, 6, 7]).shuffle32(1, 4, 3, 6).store('v128.store');
      f.i32(300).i32x4([5, 6, 7, 8]).laneMemory('v128.store32_lane', 2);
    });
    new Float32Array(memory.buffer).set([1, 2, 3, 4]);
    call();
    expect([...new Float32Array(memory.buffer, 100, 4)]).toEqual([1, 2, 3, 4]);
    expect(new Int32Array(memory.buffer)[29]).toBe(-1);
    expect([...new Float32Array(memory.buffer, 200, 4)]).toEqual([1, 4, 3, 6]);
    expect(new Int32Array(memory.buffer)[75]).toBe(7);
  });

  test.each([true, false])('multiplyAdd() with relaxed SIMD: %s', (relaxed) => {
    const { call } = assemble(
      ['f32'],
      ['f32'],
      (f) => {
        const sum = f.local('v128');
        f.f32x4(10).set(sum);
        f.multiplyAdd(sum, () => f.get(f.param(0)).op('f32x4.splat').f32x4(4));
        f.get(sum).lane('f32x4.extract_lane', 2);
      },
      { relaxedSimd: relaxed && hasRelaxedSimd() },
    );
    expect(call(3)).toBe(22);
  });
});

describe('ModuleBuilder', () => {
  test('declare() and define() let functions call each other', () => {
    const { call } = assemble(['i32'], ['i32'], (f, module) => {
      const odd = module.declare(['i32'], ['i32']);
      const even = module.function(['i32'], ['i32'], (g) => {
        g.get(g.param(0)).op('i32.eqz');
        g.if(
          () => g.i32(1),
          () => g.get(g.param(0)).i32(1).op('i32.sub').call(odd),
          'i32',
        );
      });
      module.define(odd, ['i32'], (g) => {
        g.get(g.param(0)).op('i32.eqz');
        g.if(
          () => g.i32(0),
          () => g.get(g.param(0)).i32(1).op('i32.sub').call(even),
          'i32',
        );
      });
      f.get(f.param(0)).call(even);
    });
    expect([call(10), call(7)]).toEqual([1, 0]);
  });

  test('shared() writes a function once', () => {
    const module = new ModuleBuilder();
    const first = module.shared('key', [], [], (f) => f.op('nop'));
    expect(module.shared('key', [], [], () => expect.unreachable())).toBe(first);
  });

  test('build() refuses a function without body', () => {
    const module = new ModuleBuilder();
    module.declare([], []);
    expect(() => module.build()).toThrow('declared but not defined');
  });
});

/** Operand and result types of an instruction, read off its name; wrong codes fail validation or `RESULTS` below. */
function signature(name: PlainOpcode): [operands: ValueType[], result: ValueType | undefined] {
  const [type, operation] = name.split('.') as [string, string | undefined];
  if (operation === undefined) return name === 'select' ? [['i32', 'i32', 'i32'], 'i32'] : [[], undefined];
  const value = type.includes('x') ? 'v128' : (type as ValueType);
  const source = /_(i32|i64|f32|f64)(_[su])?$/.exec(operation)?.[1] as ValueType | undefined;
  if (operation === 'splat') return [[LANE_TYPES[type] ?? 'i32'], 'v128'];
  if (/^(any_true|all_true|bitmask)$/.test(operation)) return [['v128'], 'i32'];
  if (/^sh[lr]/.test(operation) && value === 'v128') return [['v128', 'i32'], 'v128'];
  if (/^(bitselect|relaxed_n?madd)$/.test(operation)) return [['v128', 'v128', 'v128'], 'v128'];
  if (value !== 'v128' && source) return [[source], value];
  if (operation === 'eqz') return [[value], 'i32'];
  if (UNARY.test(operation)) return [[value], value];
  const compares = value !== 'v128' && /^(eq|ne|[lg][te](_[su])?)$/.test(operation);
  return [[value, value], compares ? 'i32' : value];
}

const LANE_TYPES: Record<string, ValueType> = { i64x2: 'i64', f32x4: 'f32', f64x2: 'f64' };
const UNARY =
  /^(clz|ctz|popcnt|abs|neg|ceil|floor|trunc|nearest|sqrt|not|extend_.*|promote_.*|demote_.*|convert_.*|trunc_sat_.*)$/;

describe('opcodes', () => {
  const plain = (Object.keys(PLAIN_OPCODES) as PlainOpcode[]).filter(
    (name) => !/^(unreachable|nop|return|drop)$/.test(name) && (hasRelaxedSimd() || !name.includes('relaxed')),
  );

  test.each(plain)('%s has the types of its name', (name) => {
    const [operands, result] = signature(name);
    const module = new ModuleBuilder();
    module.function(operands, result ? [result] : [], (f) => {
      for (const operand of f.params) f.get(operand);
      f.op(name);
    });
    expect(WebAssembly.validate(module.build())).toBe(true);
  });

  /** Floats 1.5 and −2, integers 6 and −3, in all lanes: the first lane of the result as bits. */
  const RESULTS: Partial<Record<PlainOpcode, number>> = {
    'f32x4.add': -0.5,
    'f32x4.sub': 3.5,
    'f32x4.mul': -3,
    'f32x4.div': -0.75,
    'f32x4.min': -2,
    'f32x4.max': 1.5,
    'f32x4.pmin': -2,
    'f32x4.pmax': 1.5,
    'f32x4.abs': 2,
    'f32x4.neg': 2,
    'f32x4.ceil': -2,
    'f32x4.nearest': -2,
    'i32x4.add': 3,
    'i32x4.sub': 9,
    'i32x4.mul': -18,
    'i32x4.min_s': -3,
    'i32x4.max_s': 6,
    'i32x4.min_u': 6,
    'i32x4.max_u': -3,
    'i32x4.eq': 0,
    'i32x4.ne': -1,
    'i32x4.lt_s': 0,
    'i32x4.gt_s': -1,
    'i32x4.lt_u': -1,
    'i32x4.gt_u': 0,
    'i32x4.le_s': 0,
    'i32x4.ge_s': -1,
    'i32x4.le_u': -1,
    'i32x4.ge_u': 0,
    'i32x4.abs': 3,
    'i32x4.neg': 3,
    'v128.and': 6 & -3,
    'v128.or': 6 | -3,
    'v128.xor': 6 ^ -3,
    'v128.andnot': 6 & ~-3,
    'v128.not': ~-3,
  };
  test.each(Object.entries(RESULTS) as [PlainOpcode, number][])('%s computes %d', (name, expected) => {
    const isFloat = name.startsWith('f32');
    const [operands] = signature(name);
    const { call } = assemble([], [isFloat ? 'f32' : 'i32'], (f) => {
      const values = operands.length === 1 ? [isFloat ? -2 : -3] : isFloat ? [1.5, -2] : [6, -3];
      for (const value of values) isFloat ? f.f32x4(value) : f.i32x4(value);
      f.op(name).lane(isFloat ? 'f32x4.extract_lane' : 'i32x4.extract_lane', 0);
    });
    expect(call()).toBe(expected);
  });

  test('compares and roundings of floats', () => {
    const mask = (name: PlainOpcode, a: number, b: number): number =>
      assemble([], ['i32'], (f) => f.f32x4(a).f32x4(b).op(name, 'i32x4.bitmask')).call();
    const names = ['f32x4.eq', 'f32x4.ne', 'f32x4.lt', 'f32x4.gt', 'f32x4.le', 'f32x4.ge'] as const;
    expect(names.map((name) => mask(name, 1, 2))).toEqual([0, 15, 15, 0, 15, 0]);
    expect(names.map((name) => mask(name, 1, 1))).toEqual([15, 0, 0, 0, 15, 15]);
    const rounded = (['f32x4.ceil', 'f32x4.floor', 'f32x4.trunc', 'f32x4.nearest', 'f32x4.sqrt'] as const).map((name) =>
      assemble([], ['f32'], (f) => f.f32x4(6.25).op(name).lane('f32x4.extract_lane', 1)).call(),
    );
    expect(rounded).toEqual([7, 6, 6, 6, 2.5]);
  });

  test('the memory and lane instructions have the types of their names', () => {
    const resultOf = (name: LoadOpcode): ValueType => (name.split('.') as [ValueType])[0];
    const module = new ModuleBuilder();
    module.importMemory('host', 'memory', { minimum: 1, maximum: 1, shared: true });
    for (const name of Object.keys(LOAD_OPCODES) as LoadOpcode[]) {
      module.function(['i32'], [resultOf(name)], (f) => f.load(name, f.param(0), 8));
    }
    for (const name of Object.keys(STORE_OPCODES) as (keyof typeof STORE_OPCODES)[]) {
      const [type] = name.split('.') as [ValueType];
      module.function(['i32', type], [], (f) => f.storeAt(name, f.param(0), 8, () => f.get(f.param(1))));
    }
    for (const name of Object.keys(LANE_OPCODES) as (keyof typeof LANE_OPCODES)[]) {
      const value = LANE_TYPES[name.split('.')[0] ?? ''] ?? 'i32';
      const extracts = name.includes('extract');
      module.function(extracts ? ['v128'] : ['v128', value], [extracts ? value : 'v128'], (f) => {
        for (const operand of f.params) f.get(operand);
        f.lane(name, 1);
      });
    }
    for (const name of Object.keys(LANE_MEMORY_OPCODES) as (keyof typeof LANE_MEMORY_OPCODES)[]) {
      module.function(['i32', 'v128'], name.includes('load') ? ['v128'] : [], (f) =>
        f.get(f.param(0)).get(f.param(1)).laneMemory(name, 1, 8),
      );
    }
    for (const name of Object.keys(ATOMIC_OPCODES) as (keyof typeof ATOMIC_OPCODES)[]) {
      const operands: ValueType[] = name.endsWith('wait32')
        ? ['i32', 'i32', 'i64']
        : name.endsWith('cmpxchg')
          ? ['i32', 'i32', 'i32']
          : name.endsWith('load')
            ? ['i32']
            : ['i32', 'i32'];
      module.function(operands, name.endsWith('store') ? [] : ['i32'], (f) => {
        for (const operand of f.params) f.get(operand);
        f.atomic(name, 4);
      });
    }
    expect(WebAssembly.validate(module.build())).toBe(true);
  });
});
