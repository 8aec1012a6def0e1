import { describe, expect, test } from 'vitest';
import { ModuleBuilder } from './assembler-module.ts';
import { isTold, readTold, splitTold, toldAddress } from './told-address.ts';

describe('toldAddress', () => {
  test('comes with distances on both sides', () => {
    for (const distance of [0, 12, -12, 2 ** 32, -(2 ** 31)]) {
      expect(readTold(toldAddress(3) + distance)).toEqual({ index: 3, distance });
    }
  });

  test('comes apart into what is told and what is added', () => {
    expect(splitTold(toldAddress(1) - 8)).toEqual({ told: toldAddress(1), distance: -8 });
    expect(splitTold(40)).toEqual({ told: 0, distance: 40 });
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
