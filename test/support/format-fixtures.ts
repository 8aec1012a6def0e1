/** The files of test/fixtures/formats, and the numbers that are in them. */

import { readFileSync } from 'node:fs';
import type { ModelArtifacts, WeightEntry } from '../../src/formats/artifacts.ts';

const FOLDER = new URL('../fixtures/formats/', import.meta.url);

export function fixturePath(name: string): string {
  return new URL(name, FOLDER).pathname;
}

export function fixtureBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fixturePath(name)));
}

/** The arrays of a file, flat, by the names that the writer gave them. */
export function fixtureValues(name: string): Record<string, number[]> {
  const all = JSON.parse(readFileSync(fixturePath('values.json'), 'utf8')) as Record<string, Record<string, number[]>>;
  const values = all[name];
  if (values === undefined) throw new Error(`no values of ${name}`);
  return values;
}

/** All weights of a record, in the order of its lists. */
export function entriesOf({ weights }: ModelArtifacts): readonly WeightEntry[] {
  if (weights === undefined) return [];
  switch (weights.kind) {
    case 'named':
      return weights.entries;
    case 'layers':
      return [...weights.layers.flatMap((layer) => layer.entries), ...weights.topLevel];
    default:
      return [...weights.groups.values()].flatMap((group) => [...group.entries.values()]);
  }
}

/** The elements of weights, read one after the other. */
export async function readAll(entries: readonly WeightEntry[]): Promise<(readonly (number | string)[])[]> {
  const all: (readonly (number | string)[])[] = [];
  for (const entry of entries) all.push([...(await entry.read()).data]);
  return all;
}
