/** Runs every program of examples/, as `npm run example` does, and looks at what it prints. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './support/source-tree.ts';

interface Outcome {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
  readonly seconds: number;
}

function runExample(name: string): Outcome {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/example.ts', name], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, output: stdout, errors: stderr, seconds: (performance.now() - started) / 1000 };
}

const percentages = (line: string | undefined): number[] =>
  [...(line ?? '').matchAll(/([\d.]+) %/g)].map(([, number]) => Number(number));
const lineOf = (output: string, begin: string): string | undefined =>
  output.split('\n').find((line) => line.trimStart().startsWith(begin));

describe('npm run example', () => {
  test('transfer-learning: new digits are learnt in under a minute, and the others not forgotten', () => {
    const { status, output, errors, seconds } = runExample('transfer-learning');
    expect(errors).toBe('');
    expect(status).toBe(0);
    expect(seconds).toBeLessThan(60);
    const [newBefore, newAfter] = percentages(lineOf(output, '8 and 9'));
    const [oldBefore, oldAfter] = percentages(lineOf(output, '0 to 7'));
    const [allBefore, allAfter] = percentages(lineOf(output, 'all ten'));
    // The base has no unit for the new digits, and knows all others.
    expect([newBefore, oldBefore, allBefore]).toEqual([0, 100, 80]);
    expect(newAfter).toBeGreaterThan(85);
    expect(oldAfter).toBeGreaterThan(90);
    expect(allAfter).toBeGreaterThan(90);
    expect(output).toContain('Epoch 16/16');
    expect(output).toMatch(/[░▒▓█]{3}/);
    expect(output).toContain('Next:');
  });

  test('feature-extraction: a head learns from features that were computed once', () => {
    const { status, output, errors } = runExample('feature-extraction');
    expect(errors).toBe('');
    expect(status).toBe(0);
    const [all, fresh] = percentages(lineOf(output, 'Right'));
    expect(all).toBeGreaterThan(85);
    expect(fresh).toBeGreaterThan(85);
  });

  test('of another name lists those that there are', () => {
    const { status, errors } = runExample('nothing');
    expect(status).toBe(2);
    expect(errors).toContain('expected one of browser, feature-extraction, transfer-learning');
  });
});

test('examples import the public names alone, but for what draws pictures in a terminal', () => {
  const files = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  expect(files.length).toBeGreaterThan(3);
  const imports = files.flatMap((file) =>
    [...readFileSync(join(root, 'examples', file), 'utf8').matchAll(/from '([^']+)'/g)].map(([, target]) => target),
  );
  const outside = imports.filter((target) => target?.includes('/src/'));
  expect(outside).toEqual(['../src/cli/terminal-picture.ts']);
});
