import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandRunner } from '../../test/support/run-command.ts';
import { Dense, Flatten, input, Model, type ModelProfile } from '../index.ts';

const MODEL = 'models/digits/digits.keras';
const SAMPLE = 'models/digits/samples/7-005.png';
const folder = mkdtempSync(join(tmpdir(), 'hornet-profile-'));
afterAll(() => rmSync(folder, { recursive: true }));

const run = commandRunner('profile');

async function runJson(...words: string[]): Promise<ModelProfile> {
  const { status, output } = await run(...words, '--json', '--repeat', '2');
  expect(status).toBe(0);
  return JSON.parse(output) as ModelProfile;
}

describe('hornet profile', () => {
  test('prints a table that fits 100 columns, the longest kernels first', async () => {
    const { status, output, errors } = await run(MODEL, '--repeat', '3', '--top', '5');
    expect(status).toBe(0);
    expect(output).toMatch(/^predict +\S+ 1×8×8×1 float32; one thread, 3 repeats$/m);
    expect(output).toMatch(/^ +ms +share +GFLOP\/s +of peak +bytes +GB\/s +floor ms +layer +kernel$/m);
    expect(output).toMatch(/^and \d+ more: /m);
    const lines = output.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    const times = lines.flatMap((line) => /^ *(\d+\.\d+) +\d+\.\d %/.exec(line)?.[1] ?? []).map(Number);
    expect(times).toHaveLength(5);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(errors).toMatch(/Profiling \S+ 100 %\n/);
  });

  test('prints JSON', async () => {
    const profile = await runJson(MODEL, SAMPLE, '--batch', '6');
    expect(profile).toMatchObject({
      kind: 'predict',
      inputs: [{ shape: [6, 8, 8, 1], dtype: 'float32' }],
      repeats: 2,
      peak: { gigaflops: expect.any(Number), bandwidths: expect.any(Array) },
      memory: { weightBytes: expect.any(Number), activationBytes: expect.any(Number) },
    });
    const digit = profile.kernels.find(({ layers }) => layers.includes('digit'));
    expect(digit).toMatchObject({ multiplyAdds: 6 * 40 * 10, operation: expect.stringMatching(/^dot 6×40 · 40×10/) });
    expect(profile.kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
  });

  test('runs on all inputs as one batch', async () => {
    const { inputs } = await runJson(MODEL, SAMPLE, SAMPLE, SAMPLE);
    expect(inputs[0]?.shape).toEqual([3, 8, 8, 1]);
  });

  test('profiles a step of training', async () => {
    const { kind, kernels } = await runJson(MODEL, '--train', '--batch', '4');
    expect(kind).toBe('train');
    expect(kernels.some(({ layers }) => layers.some((layer) => layer.endsWith('(gradient)')))).toBe(true);
  });

  test('finds extents that the model leaves open', async () => {
    const file = join(folder, 'open.keras');
    const x = input({ shape: [null, 3] });
    await new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(x) }).save(file);
    const { inputs, multiplyAdds } = await runJson(file);
    expect(inputs[0]?.shape).toEqual([1, 32, 3]);
    expect(multiplyAdds).toBe(32 * 3 * 2);
  });

  test('writes a page and a picture with every kernel, and nothing from outside', async () => {
    const [html, svg] = [join(folder, 'p.html'), join(folder, 'p.svg')];
    const { output } = await run(MODEL, '--repeat', '2', '--json', '--html', html, '--svg', svg);
    const { kernels } = JSON.parse(output) as ModelProfile;
    const [page, picture] = [readFileSync(html, 'utf8'), readFileSync(svg, 'utf8')];
    const rows = page.match(/<tr data-kernel="\d+">.*<\/tr>/g) ?? [];
    expect(rows).toHaveLength(kernels.length);
    for (const [index, { operation, layers }] of kernels.entries()) {
      expect(rows[index]).toContain(operation);
      for (const layer of layers) expect(rows[index]).toContain(layer);
      expect(picture).toContain(`data-kernel="${index}"><title>${layers.join(' + ')}`);
    }
    for (const text of [page, picture]) {
      const outside = text.replace('xmlns="http://www.w3.org/2000/svg"', '').match(/https?:|src=|href=|@import|url\(/g);
      expect(outside).toBeNull();
      expect(text.replace(/<script>.*<.script>/s, '')).not.toMatch(/NaN|Infinity|undefined/);
    }
    expect(picture.match(/<g\b/g)).toHaveLength(picture.match(/<\/g>/g)?.length ?? 0);
  });

  test('names that look like markup stay text', async () => {
    const file = join(folder, 'markup.keras');
    const x = input({ shape: [2, 2] });
    const flat = new Flatten({ name: 'flat' }).apply(x);
    const model = new Model({ inputs: x, outputs: new Dense({ units: 2, name: '<b>&' }).apply(flat), name: '<i>' });
    await model.save(file);
    const html = join(folder, 'markup.html');
    expect((await run(file, '--repeat', '1', '--html', html)).status).toBe(0);
    const page = readFileSync(html, 'utf8');
    expect(page).not.toMatch(/<b>&|<i>/);
    expect(page).toContain('&#60;b&#62;&#38;');
  });

  test('says what is wrong by its exit status', async () => {
    expect((await run('nothing.keras')).status).toBe(3);
    expect((await run(MODEL, '--batch', '0')).status).toBe(2);
    expect((await run(MODEL, '--repeat', 'often')).status).toBe(2);
    expect((await run(MODEL, '--no-such-option')).status).toBe(2);
    const wrong = join(folder, 'wrong.json');
    writeFileSync(wrong, '[[1, 2, 3]]');
    expect((await run(MODEL, wrong)).status).toBe(6);
    expect((await run(MODEL, '--repeat', '1', '--html', join(folder, 'none', 'p.html'))).status).toBe(1);
  });
});
