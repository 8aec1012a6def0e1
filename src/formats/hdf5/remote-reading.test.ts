/** What a remote file costs: bytes and requests. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bytesFile, type RangedFile } from '../../binary/ranged-file.ts';
import { openHdf5 } from './open-hdf5.ts';

interface Traffic {
  requests: number;
  bytes: number;
}

function metered(name: string): { file: RangedFile; traffic: Traffic } {
  const path = new URL(`../../../test/fixtures/hdf5/${name}`, import.meta.url);
  const inner = bytesFile(readFileSync(path), name);
  const traffic = { requests: 0, bytes: 0 };
  const slice = async (start: number, end: number): Promise<Uint8Array> => {
    traffic.requests++;
    traffic.bytes += end - start;
    return await inner.slice(start, end);
  };
  return { file: { name, byteLength: inner.byteLength, slice }, traffic };
}

test('openHdf5() opens a file with one request', async () => {
  const { file, traffic } = metered('keras.earliest.h5');
  await openHdf5(file);
  expect(traffic).toEqual({ requests: 1, bytes: 4096 });
});

test('reading everything asks for no byte twice where all datasets are small', async () => {
  const { file, traffic } = metered('keras.earliest.h5');
  const weights = await (await openHdf5(file)).group('model_weights');
  for (const name of ['dense', 'größe']) {
    await (await weights.dataset(`${name}/${name}/kernel:0`)).read();
    await (await weights.dataset(`${name}/${name}/bias:0`)).read();
  }
  await weights.attributes();
  expect(traffic.bytes).toBeLessThanOrEqual(file.byteLength);
  expect(traffic.requests).toBeLessThanOrEqual(Math.ceil(file.byteLength / 4096));
});
