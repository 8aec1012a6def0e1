/** Walks the model files of other people that lie beside the repository on a development machine. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesFile } from '../../binary/ranged-file.ts';
import { Hdf5Dataset } from './hdf5-dataset.ts';
import type { Hdf5Group } from './hdf5-group.ts';
import { openHdf5 } from './open-hdf5.ts';

const SHARED = new URL('../../../../shared/', import.meta.url);

function listFiles(folder: URL): URL[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const toUrl = (name: string): URL => new URL(name.split('/').map(encodeURIComponent).join('/'), folder);
  return names.filter((name) => /\.(h5|hdf5)$/.test(name)).map(toUrl);
}

async function countRead(object: Hdf5Group | Hdf5Dataset): Promise<number> {
  let count = (await object.attributes()).size;
  if (object instanceof Hdf5Dataset) {
    await object.read();
    return count + 1;
  }
  for (const name of await object.names()) {
    const child = await object.get(name);
    if (child !== undefined) count += await countRead(child);
  }
  return count;
}

describe.each(['models/', 'fixtures/'])('real files in %s', (folder) => {
  const files = listFiles(new URL(folder, SHARED));

  test.skipIf(files.length === 0)('every attribute and dataset reads', { timeout: 60_000 }, async () => {
    const failures: string[] = [];
    for (const url of files) {
      const name = decodeURIComponent(url.pathname.slice(SHARED.pathname.length));
      try {
        expect(await countRead(await openHdf5(bytesFile(readFileSync(url), name))), name).toBeGreaterThan(0);
      } catch (error) {
        failures.push(String(error));
      }
    }
    expect(failures).toEqual([]);
  });
});
