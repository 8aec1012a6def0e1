import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandRunner } from '../../test/support/run-command.ts';
import { Dense, input, loadModel, Model, Tensor, tensor } from '../index.ts';

const MODEL = 'models/digits/digits.keras';
const folder = mkdtempSync(join(tmpdir(), 'hornet-convert-'));
afterAll(() => rmSync(folder, { recursive: true }));

const run = commandRunner();

const SAME = 'layers: the same\nweights: all 17 the same, to the bit\npredictions: the same, to the bit';
const VERIFIED = 'weights: the same, to the bit\npredictions: the same, to the bit';

describe('hornet convert', () => {
  test.each(['a.keras', 'a.h5', 'b/model.json'])('to %s and back is the same model', async (name) => {
    const target = join(folder, name);
    const { status, output } = await run('convert', MODEL, target, '--verify');
    expect(status).toBe(0);
    expect(output).toContain(VERIFIED);
    expect((await run('verify', MODEL, target)).output).toContain(SAME);
  });

  test.each(['a.weights.h5', 'a.safetensors', 'a.npz', 'a.weights.json'])(
    'to %s and, with the model, back',
    async (name) => {
      const there = await run('convert', MODEL, join(folder, name), '--drop-optimizer', '--verify');
      expect(there.output).toContain(VERIFIED);
      const back = join(folder, `${name}.keras`);
      expect((await run('convert', join(folder, name), back, '--architecture', MODEL)).status).toBe(0);
      expect((await run('verify', MODEL, back, '--tolerance', '0')).output).toContain(SAME);
    },
  );

  test('quantizes into shards, and says how far off the weights are', async () => {
    const target = join(folder, 'small/model.json');
    const { output } = await run('convert', MODEL, target, '--quantize', 'uint16', '--shard-size', '5KB', '--verify');
    expect(output).toMatch(/17 weights quantized; the largest error is \d/);
    expect(output).toMatch(/weights: differ by at most \S+\npredictions: differ by at most \S+/);
    const model = await loadModel(target);
    expect(model.countParams()).toBe(10_970);
  });

  test('quantizes by the names of weights', async () => {
    const target = join(folder, 'by-name/model.json');
    const { output } = await run('convert', MODEL, target, '--quantize', 'spread/*=uint8,*/kernel=float16');
    expect(output).toContain('5 weights quantized; the largest error is 0.00297, of spread/depthwise_kernel');
    for (const words of ['uint9', '=uint8', 'uint8,float16', '*/kernel=uint8,float16']) {
      expect((await run('convert', MODEL, target, '--quantize', words)).status).toBe(2);
    }
  });

  test('weights alone need the model that they are for', async () => {
    const weights = join(folder, 'alone.safetensors');
    await run('convert', MODEL, weights);
    const { status, errors } = await run('convert', weights, join(folder, 'alone.keras'));
    expect(status).not.toBe(0);
    expect(errors).toContain('it holds weights alone; say with --architecture which model they are for');
    expect(existsSync(join(folder, 'alone.keras'))).toBe(false);
  });

  test('refuses a format that there is not, and a size that is none', async () => {
    expect((await run('convert', MODEL, join(folder, 'a.onnx'))).status).toBe(5);
    expect((await run('convert', MODEL, join(folder, 'c/model.json'), '--shard-size', 'big')).status).toBe(2);
  });

  test('drops the state of the optimizer', async () => {
    const x = input({ shape: [3] });
    const model = new Model({ inputs: x, outputs: new Dense({ units: 40 }).apply(x) });
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    await model.trainOnBatch(tensor([[1, 2, 3]]), new Tensor([1, 40], 'float32', new Float32Array(40)));
    const [whole, dropped] = [join(folder, 'whole.keras'), join(folder, 'dropped.keras')];
    await model.save(whole);
    expect((await run('convert', whole, dropped, '--drop-optimizer')).status).toBe(0);
    expect(statSync(dropped).size).toBeLessThan(statSync(whole).size - 2 * 4 * 160);
  });
});

describe('hornet verify and diff', () => {
  test('name the layer at which two models part, and the weights that changed', async () => {
    const model = await loadModel(MODEL);
    const layer = model.getLayer('digit');
    const [kernel, bias] = layer.getWeights() as [Tensor, Tensor];
    const changed = Float32Array.from(bias.data as Float32Array, (value, index) => value + (index === 5 ? 0.25 : 0));
    layer.setWeights([kernel, new Tensor([10], 'float32', changed)]);
    const other = join(folder, 'changed.keras');
    await model.save(other);
    const { status, output, errors } = await run('verify', MODEL, other);
    expect(status).toBe(7);
    expect(output).toContain('weights: 1 of 17 differ, most by 0.2500: digit/bias');
    expect(output).toContain('beginning at layer "digit"');
    expect(errors).toContain('differ by more than 0.00001');
    const listed = await run('diff', MODEL, other, '--json');
    expect(listed.status).toBe(0);
    const { weights } = JSON.parse(listed.output) as {
      weights: { path: string; changed: number }[];
    };
    expect(weights.filter((weight) => weight.changed > 0)).toMatchObject([{ path: 'digit/bias', changed: 1 }]);
  });

  test('weights alone, of any format, with the model that they are for', async () => {
    const [some, others] = [join(folder, 'some.npz'), join(folder, 'others.safetensors')];
    for (const name of [some, others]) await run('convert', MODEL, name);
    expect((await run('verify', some, others, '--architecture', MODEL)).output).toContain(SAME);
    const { status, output } = await run('diff', some, others, '--architecture', MODEL);
    expect([status, output]).toEqual([0, '0 of 17 weights differ\n']);
    expect((await run('diff', some, others)).errors).toContain('--architecture');
  });

  test('models of other layers', async () => {
    const x = input({ shape: [64] });
    const other = join(folder, 'other.keras');
    await new Model({ inputs: x, outputs: new Dense({ units: 10, name: 'digit' }).apply(x) }).save(other);
    const { status, output } = await run('verify', MODEL, other);
    expect(status).toBe(7);
    expect(output).toContain('layer "stem" (Conv2D) is in the first model alone');
  });
});
