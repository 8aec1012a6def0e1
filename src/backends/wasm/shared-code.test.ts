import { describe, expect, test } from 'vitest';
import { tensor } from '../../array/tensor.ts';
import { lowerGraph } from '../../compiler/lower.ts';
import { planMemory } from '../../compiler/plan.ts';
import { apply, constant, input, parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { atOnce } from '../../pause.ts';
import { emitProgram } from './emit-program.ts';
import { prepareNodes } from './prepare-nodes.ts';
import { loadRareCode } from './rare-code.ts';

const weights = (...shape: number[]): SymbolicTensor =>
  parameter(new Variable({ name: 'weight', shape, initialize: () => expect.unreachable() }));

type Layer = (x: SymbolicTensor) => SymbolicTensor;

/** Bytes of a program of so many layers of one kind. */
async function bytesOf(count: number, channels: number, layer: Layer): Promise<number> {
  const x = input('x', { shape: [1, 16, 16, channels], dtype: 'float32' });
  let value: SymbolicTensor = x;
  for (let index = 0; index < count; index++) value = layer(value);
  const graph = { inputs: [x], outputs: [value] };
  await loadRareCode(graph);
  const prepared = prepareNodes(atOnce(lowerGraph(graph)));
  const { bytes } = await emitProgram(prepared, planMemory(prepared.schedule).offsets, 16, {});
  return bytes.length;
}

describe('equal kernels', () => {
  test.each([
    ['1×1', [1, 1, 8, 8], 1],
    ['depthwise', [3, 3, 1, 8], 8],
    ['3×3 by tiles', [3, 3, 16, 16], 1],
  ])('convolutions %s are written once', async (_, kernel, groups) => {
    const channels = kernel[3] as number;
    const padding = kernel[0] === 3 ? ([1, 1] as const) : ([0, 0] as const);
    const attributes = { strides: [1, 1], dilation: [1, 1], padding: [padding, padding], groups } as const;
    const layer: Layer = (x) => apply('add', [apply('convolve', [x, weights(...kernel)], attributes), x], {});
    const [few, many] = [await bytesOf(2, channels, layer), await bytesOf(12, channels, layer)];
    // Each further layer is a call with its addresses.
    expect(many - few).toBeLessThan(10 * 100);
  });

  test('normalisations are written once, with their sums and what follows these', async () => {
    const layer: Layer = (x) => {
      const stretched = (symbol: SymbolicTensor): SymbolicTensor => apply('broadcast', [symbol], { shape: x.shape });
      const mean = (symbol: SymbolicTensor): SymbolicTensor => {
        const sum = apply('reshape', [apply('sum', [symbol], { axes: [3] })], { shape: [1, 16, 16, 1] });
        const eighth = apply('broadcast', [constant(tensor([1 / 8], [1, 1, 1, 1]))], { shape: sum.shape });
        return apply('multiply', [sum, eighth], {});
      };
      const centred = apply('subtract', [x, stretched(mean(x))], {});
      const factor = stretched(apply('rsqrt', [mean(apply('multiply', [centred, centred], {}))], {}));
      return apply('multiply', [apply('multiply', [centred, factor], {}), stretched(weights(1, 1, 1, 8))], {});
    };
    const [few, many] = [await bytesOf(2, 8, layer), await bytesOf(12, 8, layer)];
    expect(few).toBeGreaterThan(1000);
    // Of each further layer, calls.
    expect(many - few).toBeLessThan(10 * 250);
  });

  test('are recognised in chains whose every link uses the last one twice', async () => {
    const attributes = { strides: [1, 1], dilation: [1, 1], padding: [[0, 0] as const, [0, 0] as const], groups: 1 };
    const chain: Layer = (x) => {
      let value = apply('convolve', [x, weights(1, 1, 8, 8)], attributes);
      for (let index = 0; index < 40; index++) value = apply('multiply', [value, value], {});
      return value;
    };
    // Written down as a tree, it would have 2⁴⁰ leaves.
    expect(await bytesOf(1, 8, chain)).toBeGreaterThan(40);
  });
});
