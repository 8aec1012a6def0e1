/** The built package in Deno and Bun: the same session as in Node, with the same numbers. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { findRuntimes } from '../../scripts/find-runtimes.ts';
import type { Session } from './session.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function runSession([command, ...words]: readonly [string, ...string[]]): Session {
  const folder = mkdtempSync(join(tmpdir(), 'hornet-'));
  try {
    const given = ['test/runtimes/session.ts', 'dist/node/index.js', 'models/digits/digits.keras', folder];
    const output = execFileSync(command, [...words, ...given], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Session;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let inNode: Session;

beforeAll(() => {
  inNode = runSession([process.execPath, '--no-warnings']);
}, 120_000);

describe.each(Object.entries(findRuntimes()))('%s', (_, command) => {
  test('loads, predicts, saves, trains and goes on as Node does', () => {
    const found = runSession(command);
    // Without relaxed instructions the last bits are others.
    for (const [index, value] of inNode.prediction.entries()) expect(found.prediction[index]).toBeCloseTo(value, 5);
    for (const [index, loss] of inNode.losses.entries()) expect(found.losses[index]).toBeCloseTo(loss, 4);
    expect(found.resumed).toEqual(found.losses);
    expect(Object.keys(found.isSame)).toEqual(Object.keys(inNode.isSame));
    expect(Object.values(found.isSame)).not.toContain(false);
    expect([found.listed, found.left]).toEqual([inNode.listed, inNode.left]);
  });
});

test('Node itself does all that', () => {
  expect(Object.keys(inNode.isSame)).toHaveLength(9);
  expect(Object.values(inNode.isSame)).not.toContain(false);
  expect(inNode.losses).toHaveLength(2);
  expect(inNode.resumed).toEqual(inNode.losses);
  const weights = ['w.npz', 'w.safetensors', 'w.weights.h5', 'w.weights.json'];
  expect(inNode.listed).toEqual(['a.h5', 'a.keras', 'b/model.json', ...weights]);
  const shards = ['w_00000.weights.h5', 'w_…_00001.weights.h5'];
  expect(inNode.left).toEqual(['a.h5', 'b', 'moved.keras', 'versions', ...weights, ...shards].sort());
});
