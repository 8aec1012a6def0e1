import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startFileServer } from '../../test/support/file-server.ts';
import { commandRunner } from '../../test/support/run-command.ts';
import { runCommandLine } from './command-line.ts';

const MODEL = 'models/digits/digits.keras';
const SAMPLE = 'models/digits/samples/7-005.png';

const run = commandRunner();

describe('hornet inspect', () => {
  test('says what a file holds', async () => {
    const { status, output } = await run('inspect', MODEL);
    expect(status).toBe(0);
    expect(output).toMatch(/Keras +3\.15\.1/);
    expect(output).toMatch(/block_separable +SeparableConv2D/);
    expect(output).toMatch(/layers\/dense\/vars\/0 +float32 +\[40, 10\] +1\.6 KB/);
  });

  test('prints JSON', async () => {
    const { output } = await run('inspect', MODEL, '--json');
    const { format, kerasVersion, weights } = JSON.parse(output) as Record<string, unknown>;
    expect([format, kerasVersion]).toEqual(['keras', '3.15.1']);
    expect(weights).toHaveLength(17);
  });
});

test('hornet inspect reads from a server', async () => {
  await using server = await startFileServer({ 'digits.keras': new Uint8Array(readFileSync(MODEL)) });
  const { status, output } = await run('inspect', `${server.url}/digits.keras`, '--no-stats');
  expect(status).toBe(0);
  expect(output).toContain('10,970 numbers');
  expect(await runCommandLine(['inspect', `${server.url}/other.keras`])).toBe(3);
});

describe('hornet predict', () => {
  test('names the classes of an image', async () => {
    const { status, output } = await run('predict', MODEL, SAMPLE, '--top', '2');
    expect(status).toBe(0);
    expect(output).toMatch(/7-005\.png \([\d.]+ ms\)\n7 +\d+\.\d % █/);
  });

  test('prints JSON', async () => {
    const { output } = await run('predict', MODEL, SAMPLE, '--json', '--top', '1');
    const [{ outputs }] = JSON.parse(output) as [{ outputs: { shape: number[]; top: object[][] }[] }];
    expect(outputs[0]).toMatchObject({ shape: [1, 10], top: [[{ index: 7, label: '7' }]] });
  });

  test('draws the image', async () => {
    const { output } = await run('predict', MODEL, SAMPLE, '--picture');
    expect(output).toMatch(/█|▓/);
  });
});

test('hornet summary --weight-dtype says what fewer bytes change', async () => {
  const { status, output, errors } = await run('summary', MODEL, '--weight-dtype', 'int8');
  expect(status).toBe(0);
  expect(errors).toMatch(/ as int8 in place of 43\.9 KB, loaded in/);
  expect(output).toMatch(/Weights as int8: 1\d\.\d KB in place of 43\.9 KB, \d compressed/);
  expect(output).toMatch(/Largest difference of an output from float32: \d\.\d+/);
  expect(output).toMatch(/\/kernel +\d+\.\d KB +\d/);
});

test('hornet predict --weight-dtype reads the digit all the same', async () => {
  const { status, output, errors } = await run('predict', MODEL, SAMPLE, '--top', '1', '--weight-dtype', 'float16');
  expect(status).toBe(0);
  expect(errors).toContain('as float16 in place of');
  expect(output).toMatch(/\n7 +\d+\.\d % █/);
});

test('hornet summary prints the table of Keras', async () => {
  const { status, output } = await run('summary', MODEL);
  expect(status).toBe(0);
  expect(output).toContain('block_separable (SeparableConv2D)');
  expect(output).toContain('Total params: 10,970');
});

test('hornet demo reads every digit and says what to do next', async () => {
  const { status, output } = await run('demo');
  expect(status).toBe(0);
  expect(output.match(/\.png, (right|wrong)/g)).toHaveLength(10);
  const [, words = ''] = /hornet (inspect \S+)/.exec(output) ?? [];
  expect((await run(...words.split(' '))).status).toBe(0);
});

test('a reader who has seen enough, as head has, is no error', () => {
  const pipe = '"$0" src/cli/main.ts inspect "$1" | true';
  const { status, stderr } = spawnSync('sh', ['-c', pipe, process.execPath, MODEL], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

describe('the exit status', () => {
  test.each([
    ['wrong usage', 2, ['frobnicate']],
    ['an option that is not known', 2, ['inspect', MODEL, '--frobnicate']],
    ['a value that an option does not take', 2, ['predict', MODEL, SAMPLE, '--top', 'many']],
    ['a model that is not there', 3, ['summary', 'models/none.keras']],
    ['an input that is not there', 3, ['predict', MODEL, 'none.png']],
    ['a file that is no model', 4, ['inspect', SAMPLE]],
    ['an input that does not fit', 6, ['predict', MODEL, 'models/digits/labels.json']],
    ['help', 0, ['predict', '--help']],
  ] as const)('of %s is %i', async (_, expected, words) => {
    const { status, errors } = await run(...words);
    expect(status).toBe(expected);
    expect(errors).not.toMatch(/^\s+at /m);
    expect(errors === '').toBe(expected === 0);
  });
});
