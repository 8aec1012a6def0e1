import { describe, expect, test } from 'vitest';
import { lowerGraph } from '../../compiler/lower.ts';
import { planMemory } from '../../compiler/plan.ts';
import { apply, input, parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { atOnce } from '../../pause.ts';
import { ModuleBuilder } from './assembler-module.ts';
import { emitProgram } from './emit-program.ts';
import { prepareNodes } from './prepare-nodes.ts';
import { loadRareCode } from './rare-code.ts';
import { isTold, readTold, toldAddress } from './told-address.ts';

describe('toldAddress', () => {
  test('comes with distances on both sides', () => {
    for (const distance of [0, 12, -12, 2 ** 32, -(2 ** 31)]) {
      expect(readTold(toldAddress(3) + distance)).toEqual({ index: 3, distance });
    }
  });

  test('is no number that an address can be', () => {
    expect([0, -1, 2 ** 32, -(2 ** 31)].some(isTold)).toBe(false);
    expect(isTold(toldAddress(0) - 2 ** 31)).toBe(true);
  });

  test('is what a function is told, and those that it calls', () => {
    const module = new ModuleBuilder();
    module.importMemory('host', 'memory', { minimum: 1 });
    // Adds 1 to what lies before the second address, and stores it behind the first one.
    const outer = module.tellingAddresses(2, () => {
      const inner = module.function(['i32'], [], (f) => {
        f.storeAt('i32.store', f.param(0), toldAddress(0) + 4, () => {
          f.load('i32.load', f.param(0), toldAddress(1) - 8)
            .i32(1)
            .op('i32.add');
        });
      });
      return module.function(['i32'], [], (f) => f.get(f.param(0)).call(inner));
    });
    const run = module.function([], [], (f) => f.i32(16).i32(100).i32(200).call(outer));
    module.exportFunction('run', run);
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { host: { memory } });
    const words = new Int32Array(memory.buffer);
    words[(16 + 200 - 8) / 4] = 41;
    (exports.run as () => void)();
    expect(words[(16 + 100 + 4) / 4]).toBe(42);
  });
});

describe('equal kernels', () => {
  const weights = (...shape: number[]): SymbolicTensor =>
    parameter(new Variable({ name: 'weight', shape, initialize: () => expect.unreachable() }));

  /** Bytes of a program of so many layers of one kind. */
  async function bytesOf(
    count: number,
    channels: number,
    layer: (x: SymbolicTensor) => SymbolicTensor,
  ): Promise<number> {
    const x = input('x', { shape: [1, 16, 16, channels], dtype: 'float32' });
    let value: SymbolicTensor = x;
    for (let index = 0; index < count; index++) value = layer(value);
    const graph = { inputs: [x], outputs: [value] };
    await loadRareCode(graph);
    const prepared = prepareNodes(atOnce(lowerGraph(graph)));
    const { bytes } = await emitProgram(prepared, planMemory(prepared.schedule).offsets, 16, {});
    return bytes.length;
  }

  test.each([
    ['1×1', [1, 1, 8, 8], 1],
    ['depthwise', [3, 3, 1, 8], 8],
    ['3×3 by tiles', [3, 3, 16, 16], 1],
  ])('%s are written once', async (_, kernel, groups) => {
    const channels = kernel[3] as number;
    const padding = kernel[0] === 3 ? ([1, 1] as const) : ([0, 0] as const);
    const layer = (x: SymbolicTensor): SymbolicTensor =>
      apply(
        'add',
        [
          apply('convolve', [x, weights(...kernel)], {
            strides: [1, 1],
            dilation: [1, 1],
            padding: [padding, padding],
            groups,
          }),
          x,
        ],
        {},
      );
    const [few, many] = [await bytesOf(2, channels, layer), await bytesOf(12, channels, layer)];
    // Each further layer is a call with its addresses.
    expect(many - few).toBeLessThan(10 * 100);
  });
});
