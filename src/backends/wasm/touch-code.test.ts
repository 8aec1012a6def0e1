import { describe, expect, test } from 'vitest';
import { lowerGraph } from '../../compiler/lower.ts';
import type { NodeKernel } from '../../compiler/schedule.ts';
import { apply, input, parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { atOnce } from '../../pause.ts';
import { ModuleBuilder } from './assembler-module.ts';
import { emitTouchOfAll, farWeights, hasFarWeights } from './touch-code.ts';

const dense = (x: SymbolicTensor, rows: number, columns: number): SymbolicTensor => {
  const kernel = new Variable({ name: 'kernel', shape: [rows, columns], initialize: () => expect.unreachable() });
  return apply('dot', [x, parameter(kernel)], { transposeLeft: false, transposeRight: false });
};

const batch = (rows: number, columns: number): SymbolicTensor =>
  input('x', { shape: [rows, columns], dtype: 'float32' });

function scheduleOf(inputs: readonly SymbolicTensor[], output: SymbolicTensor): readonly NodeKernel[] {
  return atOnce(lowerGraph({ inputs, outputs: [output] })).kernels as readonly NodeKernel[];
}

describe('weights are read ahead', () => {
  test.each([
    ['that are multiplied with many rows', 32, 128, 128, 1],
    ['but not with few, which read them no more than once', 8, 128, 128, 0],
    ['but not small ones', 32, 32, 32, 0],
    ['but not those that do not fit into the second cache', 32, 1024, 1024, 0],
  ])('%s', (_, rows, depth, columns, count) => {
    const x = batch(rows, depth);
    const [kernel] = scheduleOf([x], dense(x, depth, columns));
    expect(farWeights(kernel as NodeKernel)).toHaveLength(count);
  });

  test('and never what the run computes', () => {
    const [x, y] = [batch(64, 128), batch(128, 128)];
    const product = apply('dot', [x, y], { transposeLeft: false, transposeRight: false });
    expect(farWeights(scheduleOf([x, y], product)[0] as NodeKernel)).toEqual([]);
  });

  test('in programs that have more of them than stay in the second cache', () => {
    const x = batch(32, 128);
    const chain = (count: number): boolean => {
      let value = x;
      for (let index = 0; index < count; index++) value = dense(value, 128, 128);
      return hasFarWeights(scheduleOf([x], value));
    };
    expect([chain(4), chain(40)]).toEqual([false, true]);
  });
});

test('looking at a range leaves it as it was, and reads nothing behind it', () => {
  const module = new ModuleBuilder();
  module.importMemory('host', 'memory', { minimum: 1 });
  const run = module.function([], [], (f) => emitTouchOfAll(module, f, { start: 65536 - 1000, byteLength: 1000 }));
  module.exportFunction('run', run);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = new Uint8Array(memory.buffer).fill(7);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { host: { memory } });
  // Reading behind the memory would trap.
  (exports.run as () => void)();
  expect(bytes.every((byte) => byte === 7)).toBe(true);
});
