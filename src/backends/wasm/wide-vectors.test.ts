/**
 * Vectors of 256 bits, in processes of their own: the engine's flag is for all of a process. They optimise at once
 * (`--no-liftoff`): else most of what is computed here would be computed before the engine joins anything.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../../test/support/source-tree.ts';
import { wideCases } from '../../../test/support/wide-cases.ts';

interface Found {
  readonly joins: boolean;
  readonly bytes: { readonly narrow: number; readonly wide: number; readonly unsaid: number };
  readonly cases: Record<string, string>;
}

function runChild(flags: readonly string[], environment: Record<string, string>): Found {
  const words = ['--no-warnings', '--no-liftoff', ...flags, join(root, 'test/support/wide-child.ts')];
  const output = execFileSync(process.execPath, words, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output) as Found;
}

/** Whether this machine and engine are known to be able to. */
function canJoin(): boolean {
  const facts = '/proc/cpuinfo';
  const hasAvx2 = existsSync(facts) && /\bavx2\b/.test(readFileSync(facts, 'utf8'));
  return process.arch === 'x64' && hasAvx2 && Number.parseInt(process.versions.v8, 10) >= 13;
}

describe('wasmBackend({ wide })', () => {
  let narrow: Record<string, string>;

  beforeAll(async () => {
    narrow = await wideCases(false);
  }, 60_000);

  test('computes the same bits', () => {
    const { joins, cases, bytes } = runChild([], { HORNET_WIDE: '1' });
    if (canJoin()) expect(joins).toBe(true);
    expect(Object.keys(cases).length).toBeGreaterThan(200);
    expect(cases).toEqual(narrow);
    // HORNET_WIDE decides where the option says nothing.
    expect(bytes.unsaid).toBe(bytes.wide);
    expect(bytes.wide > bytes.narrow).toBe(joins);
  });

  test('changes nothing where the engine cannot join vectors', () => {
    const { joins, cases, bytes } = runChild(['--no-enable-avx2'], { HORNET_WIDE: '' });
    expect(joins).toBe(false);
    expect(cases).toEqual(narrow);
    expect(bytes.wide).toBe(bytes.narrow);
    expect(bytes.unsaid).toBe(bytes.narrow);
  });
});
