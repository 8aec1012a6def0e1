/** Event files, decoded here by a reader that shares no code with the writer. */
import { expect, test } from 'vitest';
import { tensor } from '../../array/tensor.ts';
import { UnsupportedError } from '../../errors.ts';
import { crc32c } from '../../formats/tensorboard/record-file.ts';
import { Dense } from '../../layers/core/dense.ts';
import { InputLayer } from '../../layers/input-layer.ts';
import { clearSession } from '../../layers/layer.ts';
import { Sequential } from '../../model/sequential.ts';
import { memoryStore } from '../../storage/memory-store.ts';
import { SGD } from '../optimizers/sgd.ts';
import { ExponentialDecay } from '../schedules/decays.ts';
import { TensorBoard } from './tensor-board.ts';

const X = tensor([[1], [2], [3], [4], [5]]);
const Y = tensor([[2], [4], [6], [8], [10]]);

function made(): Sequential {
  clearSession();
  const model = new Sequential({ layers: [new InputLayer({ batchShape: [null, 1] }), new Dense({ units: 1 })] });
  const learningRate = new ExponentialDecay({ initialLearningRate: 0.01, decaySteps: 3, decayRate: 0.5 });
  model.compile({ optimizer: new SGD({ learningRate }), loss: 'mse', metrics: ['mae'] });
  return model;
}

/** A remainder by the definition: bit by bit, the polynomial not reversed. */
function slowCrc32c(bytes: Uint8Array): number {
  const reversed = (value: number, bits: number): bigint =>
    BigInt(`0b${value.toString(2).padStart(bits, '0').split('').reverse().join('')}`);
  let remainder = 0n;
  const input = [...bytes, 0, 0, 0, 0];
  for (const [index, byte] of input.entries()) {
    const flipped = reversed(index < 4 ? byte ^ 0xff : byte, 8);
    for (let bit = 7n; bit >= 0n; bit--) {
      remainder = (remainder << 1n) | ((flipped >> bit) & 1n);
      if (remainder >> 32n) remainder ^= 0x11edc6f41n;
    }
  }
  return (Number(reversed(Number(remainder), 32)) ^ 0xffffffff) >>> 0;
}

function records(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unmask = (masked: number): number => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  for (let at = 0; at < bytes.byteLength; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(unmask(view.getUint32(at + 8, true))).toBe(slowCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmask(view.getUint32(at + 12 + length, true))).toBe(slowCrc32c(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

/** Fields of a message by their numbers, as they stand there. */
function fields(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const found = new Map<number, (number | Uint8Array)[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
  };
  while (at < bytes.byteLength) {
    const key = varint();
    const type = key & 7;
    const value = type === 0 ? varint() : at;
    const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? varint() : 0;
    const start = at;
    at += length;
    const read = { 0: () => value, 1: () => view.getFloat64(start, true), 5: () => view.getFloat32(start, true) };
    const decoded = type === 2 ? bytes.subarray(start, at) : read[type as 0 | 1 | 5]();
    found.set(key >> 3, [...(found.get(key >> 3) ?? []), decoded]);
  }
  return found;
}

interface Shown {
  readonly plugin: string;
  readonly tag: string;
  readonly step: number;
  readonly value: number | readonly number[] | string;
}

const text = (value: number | Uint8Array | undefined): string => new TextDecoder().decode(value as Uint8Array);
const inner = (map: Map<number, (number | Uint8Array)[]>, number: number) =>
  fields((map.get(number)?.[0] as Uint8Array | undefined) ?? new Uint8Array());

function shownIn(bytes: Uint8Array): Shown[] {
  const [first, ...others] = records(bytes).map(fields);
  expect(text(first?.get(3)?.[0])).toBe('brain.Event:2');
  return others.map((event) => {
    expect(Math.abs((event.get(1)?.[0] as number) - Date.now() / 1000)).toBeLessThan(60);
    const value = inner(inner(event, 5), 1);
    const content = inner(value, 8);
    const dtype = content.get(1)?.[0];
    const buckets = (content.get(4)?.[0] as Uint8Array | undefined)?.slice();
    return {
      plugin: text(inner(inner(value, 9), 1).get(1)?.[0]),
      tag: text(value.get(1)?.[0]),
      step: (event.get(2)?.[0] as number | undefined) ?? 0,
      value:
        dtype === 1
          ? (content.get(5)?.[0] as number)
          : dtype === 2
            ? [...new Float64Array(buckets?.buffer as ArrayBuffer)]
            : text(content.get(8)?.[0]),
    };
  });
}

/** What all files of a folder show, in the order in which TensorBoard reads them. */
function shownBelow(files: ReadonlyMap<string, Uint8Array>, folder: string): Shown[] {
  const keys = [...files.keys()].filter((key) => key.startsWith(`${folder}/`)).sort();
  expect(keys.every((key) => /\/events\.out\.tfevents\.\d{10}\.[^/]+$/.test(key))).toBe(true);
  return keys.flatMap((key) => shownIn(files.get(key) as Uint8Array));
}

test('the checksum is that of RFC 3720', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(slowCrc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});

test('epochs, their learning rates and their validation are shown', async () => {
  const files = new Map<string, Uint8Array>();
  const model = made();
  const logger = new TensorBoard({ store: memoryStore(files), key: 'logs/' }, { histogramFreq: 2 });
  const { history } = await model.fit(X, Y, {
    epochs: 3,
    batchSize: 2,
    validationData: [X, Y],
    callbacks: [logger],
  });
  const train = shownBelow(files, 'logs/train');
  const scalars = (all: Shown[], tag: string): (number | undefined)[] =>
    all.filter((shown) => shown.tag === tag && shown.plugin === 'scalars').map(({ value }) => value as number);
  expect(scalars(train, 'epoch_loss')).toEqual(history.loss);
  expect(scalars(train, 'epoch_mae')).toEqual(history.mae);
  expect(train.filter(({ tag }) => tag === 'epoch_loss').map(({ step }) => step)).toEqual([0, 1, 2]);
  const rates = scalars(train, 'epoch_learning_rate');
  for (const [epoch, rate] of rates.entries()) expect(rate).toBeCloseTo(0.01 * 0.5 ** (epoch + 1), 8);
  expect(rates.length).toBe(3);
  const validation = shownBelow(files, 'logs/validation');
  expect(scalars(validation, 'epoch_loss')).toEqual(history.val_loss);
  expect(scalars(validation, 'evaluation_loss_vs_iterations')).toEqual(history.val_loss);
  expect(validation.filter(({ tag }) => tag.startsWith('evaluation_mae')).map(({ step }) => step)).toEqual([3, 6, 9]);
  const [graph] = train.filter(({ plugin }) => plugin === 'graph_keras_model');
  expect([graph?.tag, graph?.step]).toEqual(['keras', 0]);
  expect(JSON.parse(graph?.value as string)).toMatchObject({ class_name: 'Sequential' });
  const histograms = train.filter(({ plugin }) => plugin === 'histograms');
  expect(histograms.map(({ tag, step }) => `${tag} ${step}`)).toEqual([
    'dense/kernel/histogram 0',
    'dense/bias/histogram 0',
    'dense/kernel/histogram 2',
    'dense/bias/histogram 2',
  ]);
  const kernel = Number(model.weights[0]?.value.data[0]);
  expect(histograms[2]?.value).toEqual([kernel - 0.5, kernel + 0.5, 1]);
  expect(train.some(({ tag }) => tag.startsWith('batch_'))).toBe(false);
});

test('one batch of so many is shown, and speed', async () => {
  const files = new Map<string, Uint8Array>();
  const options = { updateFreq: 2, writeStepsPerSecond: true, writeGraph: false };
  const logger = new TensorBoard({ store: memoryStore(files), key: '' }, options);
  await made().fit(X, Y, { epochs: 2, batchSize: 2, callbacks: [logger] });
  const train = shownBelow(files, 'train');
  expect(train.filter(({ tag }) => tag === 'batch_loss').map(({ step }) => step)).toEqual([2, 4, 6]);
  expect(train.filter(({ tag }) => tag === 'batch_steps_per_second').length).toBe(3);
  expect(train.filter(({ tag, value }) => tag === 'epoch_steps_per_second' && (value as number) > 0).length).toBe(2);
  expect(train.some(({ plugin }) => plugin === 'graph_keras_model')).toBe(false);
});

test('a histogram counts every value once', async () => {
  const { encodeSummary } = await import('../../formats/tensorboard/event.ts');
  const { encodeFileVersion } = await import('../../formats/tensorboard/event.ts');
  const values = [...Array.from({ length: 61 }, (_, index) => index / 2), Number.NaN];
  const parts = [
    encodeFileVersion(Date.now() / 1000),
    encodeSummary(Date.now() / 1000, 300, { kind: 'histogram', tag: 'h', values }),
  ];
  const [shown] = shownIn(Uint8Array.from(parts.flatMap((part) => [...part])));
  const buckets = shown?.value as number[];
  expect([shown?.step, buckets.length]).toEqual([300, 90]);
  expect(buckets.slice(0, 6)).toEqual([0, 1, 2, 1, 2, 2]);
  expect(buckets.slice(-3)).toEqual([29, 30, 3]);
});

test('a store that cannot write is refused at once, as are options that mean nothing', async () => {
  const { write: _, ...readOnly } = memoryStore();
  const logger = new TensorBoard({ store: readOnly, key: 'logs' });
  await expect(made().fit(X, Y, { callbacks: [logger] })).rejects.toThrow(UnsupportedError);
  expect(() => new TensorBoard('logs', { updateFreq: 0 })).toThrow('updateFreq is 0');
});
