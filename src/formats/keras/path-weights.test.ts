import { expect, test } from 'vitest';
import { Tensor } from '../../array/tensor.ts';
import { bytesFile } from '../../binary/ranged-file.ts';
import type { WeightEntry, WeightGroup } from '../artifacts.ts';
import type { Hdf5Group } from '../hdf5/hdf5-group.ts';
import { openHdf5 } from '../hdf5/open-hdf5.ts';
import { readPathWeights } from './path-weights.ts';
import { writePathWeights } from './write-path-weights.ts';

/** A group of one array of one element. */
function groupOf(value: number, oldName?: string): WeightGroup {
  const read = async (): Promise<Tensor> => new Tensor([1], 'float32', Float32Array.of(value));
  const entry: WeightEntry = { name: '0', dtype: 'float32', shape: [1], file: 'test', storedBytes: 4, read };
  return { layerName: 'part', oldName, entries: new Map([['0', entry]]) };
}

async function written(groups: Readonly<Record<string, WeightGroup>>): Promise<Hdf5Group> {
  const parts: Uint8Array[] = [];
  const file = writePathWeights({ kind: 'paths', groups: new Map(Object.entries(groups)) }, 'model');
  await file.writeTo({ write: (part) => void parts.push(part.slice()) });
  const bytes = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  return await openHdf5(bytesFile(bytes, 'test'));
}

test('a group is there under its old name, too, and read once', async () => {
  const root = await written({
    'layers/attention': { layerName: 'attention', entries: new Map() },
    'layers/attention/query_dense': groupOf(1, '_query_dense'),
    'layers/attention/other': groupOf(2),
  });
  const [now, old] = await Promise.all(
    ['query_dense', '_query_dense'].map(async (name) => await root.get(`layers/attention/${name}`)),
  );
  expect((old as Hdf5Group).address).toBe((now as Hdf5Group).address);
  const { weights } = await readPathWeights(root, 'test');
  expect([...weights.groups.keys()]).toEqual([
    '',
    'layers/attention',
    'layers/attention/other',
    'layers/attention/query_dense',
  ]);
});

test('a group whose name begins with an underscore is another one', async () => {
  const root = await written({ 'layers/own/part': groupOf(1), 'layers/own/_part': groupOf(2) });
  const { groups } = (await readPathWeights(root, 'test')).weights;
  expect([...groups.keys()]).toEqual(['', 'layers/own/_part', 'layers/own/part']);
});

test('wanted paths are the present ones', async () => {
  const root = await written({
    '_layer_checkpoint_dependencies/dense': groupOf(1),
    '_layer_checkpoint_dependencies/lstm': groupOf(2),
  });
  const { groups } = (await readPathWeights(root, 'test', (path) => 'layers/dense'.startsWith(path))).weights;
  expect([...groups.keys()]).toEqual(['', 'layers/dense']);
});
