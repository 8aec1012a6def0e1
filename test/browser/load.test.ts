/** The same loader in a page: from a URL, from a Blob, from files that a user picks. */
import { FormatError, type KerasModel, loadModel, type ProgressDetails } from 'hornet';
import { afterEach, beforeEach, describe, expect, inject, type MockInstance, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { bitsOf, MODELS, type ModelKind } from './models.ts';

const KINDS = Object.keys(MODELS) as ModelKind[];

let complaints: MockInstance[];

beforeEach(() => {
  complaints = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
});

afterEach(() => {
  for (const complaint of complaints) expect(complaint.mock.calls).toEqual([]);
  vi.restoreAllMocks();
});

describe.each(KINDS)('loadModel() of a %s', (kind) => {
  const { paths, inputs } = MODELS[kind];
  const expectNodesBits = async (model: KerasModel): Promise<void> => {
    const output = await model.predict(inputs());
    expect(bitsOf(output.data as Float32Array)).toEqual(inject('nodeBits')[kind]);
  };

  test('from a URL predicts what Node predicts, to the bit', async () => {
    await expectNodesBits(await loadModel(`/${paths[0]}`));
    await expectNodesBits(await loadModel(new URL(`/${paths[0]}`, location.href)));
  });

  test('from files that a user picks predicts what Node predicts, to the bit', async () => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    document.body.append(input);
    await userEvent.upload(input, [...paths]);
    const files = input.files as FileList;
    expect(files).toHaveLength(paths.length);
    await expectNodesBits(await loadModel(files));
    await expectNodesBits(await loadModel([...files].reverse()));
    input.remove();
  });

  if (paths.length === 1) {
    test('from a Blob and from bytes predicts what Node predicts, to the bit', async () => {
      const response = await fetch(`/${paths[0]}`);
      const blob = await response.blob();
      await expectNodesBits(await loadModel(blob));
      await expectNodesBits(await loadModel(await blob.arrayBuffer()));
    });
  }

  test('tells of its progress, in bytes, forwards and to the end', async () => {
    const events: [number, ProgressDetails][] = [];
    await loadModel(`/${paths[0]}`, { onProgress: (...event) => events.push(event) });
    const fractions = events.map(([fraction]) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions[0]).toBe(0);
    expect(fractions.at(-1)).toBe(1);
    const last = events.at(-1)?.[1];
    expect(last).toMatchObject({ phase: 'done', loadedBytes: last?.totalBytes });
    expect(last?.totalBytes).toBeGreaterThan(100);
    expect(events.some(([, { phase, weight }]) => phase === 'weights' && weight !== undefined)).toBe(true);
  });

  test('is aborted with the reason of the signal', async () => {
    const before = AbortSignal.abort(new Error('not wanted'));
    await expect(loadModel(`/${paths[0]}`, { signal: before })).rejects.toThrow('not wanted');
    const controller = new AbortController();
    const loading = loadModel(`/${paths[0]}`, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
  });
});

test('loadModel() refuses a page where a model should be', async () => {
  await expect(loadModel('/index.html')).rejects.toThrow(/HTML page|404/);
});

test('loadModel() refuses what is no model, with a typed error that names the file', async () => {
  const file = new File(['a,b\n1,2\n'], 'table.csv');
  const failure = await loadModel(file).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(FormatError);
  expect((failure as FormatError).message).toContain('table.csv');
});

test('loadModel() refuses a model that is cut off', async () => {
  const bytes = await (await fetch(`/${MODELS.h5.paths[0]}`)).arrayBuffer();
  await expect(loadModel(new Blob([bytes.slice(0, bytes.byteLength - 100)]))).rejects.toBeInstanceOf(FormatError);
});
