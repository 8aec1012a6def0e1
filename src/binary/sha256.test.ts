import { describe, expect, test } from 'vitest';
import { sha256, sha256InPlace } from './sha256.ts';

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

describe('sha256InPlace', () => {
  test('gives the digest of the standard', () => {
    const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(hex(sha256InPlace(new TextEncoder().encode('abc')))).toBe(digest);
  });

  test('agrees with the host at every length around blocks', async () => {
    for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000]) {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
      expect(hex(sha256InPlace(bytes))).toBe(await sha256(bytes));
    }
  });
});
