import { expect, test } from 'vitest';
import { PhiloxStream, philoxKey } from '../../array/philox.ts';
import { tensor } from '../../array/tensor.ts';
import { apply, constant, input } from '../../graph/apply.ts';
import { evaluate } from '../reference/evaluate.ts';
import { wasmBackend } from './wasm-backend.ts';

test('randomBits draws the bits of a PhiloxStream, the same on both backends', async () => {
  const seed = 2 ** 40 + 12345;
  const key = constant(tensor(Int32Array.from(philoxKey(seed)), [2]));
  const counter = input('counter', { shape: [2], dtype: 'int32' });
  const graph = { inputs: [counter], outputs: [apply('randomBits', [key, counter], { shape: [3, 333] })] };
  const program = await wasmBackend().compile(graph);
  const stream = new PhiloxStream(seed);
  const drawn = Int32Array.from({ length: 999 }, () => stream.nextBits() | 0);
  for (const words of [
    [0, 0],
    [41, -1],
  ]) {
    const given = [tensor(Int32Array.from(words), [2])];
    const [compiled] = await program.run(given);
    const [expected] = evaluate(graph, given);
    expect(compiled?.data).toEqual(expected?.data);
    if (words[0] === 0) expect(compiled?.data).toEqual(drawn);
    else expect(compiled?.data).not.toEqual(drawn);
  }
});
