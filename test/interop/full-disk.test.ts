/** A disk on which there is no room for the new model keeps the old one, and says how much is needed and how much there is. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checkpoints, Dense, InputLayer, type KerasModel, loadModel, QuotaError, Sequential } from 'hornet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/source-tree.ts';

const DISK_BYTES = 2 << 20;
const folder = mkdtempSync(join(tmpdir(), 'hornet-full-'));
const disk = join(folder, 'disk');
mkdirSync(disk);
/** Mounting takes root, or a system that lets one. */
const isMounted =
  process.platform === 'linux' &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk]).status === 0;

beforeAll(() => console.log(isMounted ? `a tmpfs of ${DISK_BYTES} bytes` : 'no tmpfs: a limit on the size of files'));
afterAll(() => {
  if (isMounted) execFileSync('umount', [disk]);
  rmSync(folder, { recursive: true });
});

function made(units: number): KerasModel {
  const layers = [new InputLayer({ batchShape: [null, 100] }), new Dense({ units, name: 'only' })];
  return new Sequential({ layers, name: 'grows' });
}

const SMALL = 100;
const LARGE = 10_000;
/** Of the weights alone. */
const LARGE_BYTES = 4 * 101 * LARGE;

/** Saves or fails; a model of more than a megabyte goes into several files where the format has these. */
async function save(units: number, place: string): Promise<void> {
  if (place.endsWith('.json')) await made(units).save(place, { shardSize: 1_000_000 });
  else if (place.endsWith('versions')) await new Checkpoints(place).save(made(units), { step: units });
  else await made(units).save(place);
}

async function unitsAt(place: string): Promise<number> {
  const model = place.endsWith('versions') ? await new Checkpoints(place).loadModel() : await loadModel(place);
  return model.outputShape[1] as number;
}

const NAMES = ['model.keras', 'model.h5', 'web/model.json', 'versions'];

describe.runIf(isMounted)('a disk that is full', () => {
  test.each(NAMES)('keeps the old %s', async (name) => {
    const place = join(disk, name);
    await save(SMALL, place);
    const before = readdirSync(disk, { recursive: true }).sort();
    const error: unknown = await save(LARGE, place).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(QuotaError);
    const { neededBytes, freeBytes } = error as QuotaError;
    expect(neededBytes).toBeGreaterThan(LARGE_BYTES);
    expect(neededBytes).toBeLessThan(LARGE_BYTES + 100_000);
    expect(freeBytes).toBeGreaterThan(DISK_BYTES / 2);
    expect(freeBytes).toBeLessThan(DISK_BYTES);
    expect(readdirSync(disk, { recursive: true }).sort()).toEqual(before);
    expect(await unitsAt(place)).toBe(SMALL);
    // There is room for what fits.
    await save(2 * SMALL, place);
    expect(await unitsAt(place)).toBe(2 * SMALL);
  });

  test.each(NAMES.slice(0, 3))('that others fill meanwhile keeps the old %s', async (name) => {
    const place = join(disk, name);
    const other = join(disk, 'other.bin');
    await save(SMALL, place);
    const before = readdirSync(disk, { recursive: true }).sort();
    const { bavail, bsize } = statfsSync(disk);
    const units = Math.floor((0.6 * bavail * bsize) / (4 * 101));
    const onProgress = (): void => {
      if (!existsSync(other)) writeFileSync(other, new Uint8Array(0.5 * bavail * bsize));
    };
    const saving = made(units).save(place, { onProgress });
    await expect(saving).rejects.toMatchObject({ name: 'QuotaError', neededBytes: expect.any(Number) });
    rmSync(other);
    expect(readdirSync(disk, { recursive: true }).sort()).toEqual(before);
    expect(await unitsAt(place)).toBe(SMALL);
  });
});

/** Saves where files may have a megabyte. Node does not let the signal for that end it. */
const LIMITED = `
import { writeSync } from 'node:fs';
const [library, place] = process.argv.slice(1);
const { Dense, InputLayer, Sequential } = await import(library);
const layers = [new InputLayer({ batchShape: [null, 100] }), new Dense({ units: ${LARGE}, name: 'only' })];
try {
  await new Sequential({ layers, name: 'grows' }).save(place);
} catch (error) {
  writeSync(1, error.message);
}
`;

describe.runIf(process.platform !== 'win32')('a file that may not become so large', () => {
  test.each(['model.keras', 'model.h5', 'web/model.json'])('leaves the old %s', async (name) => {
    const place = join(folder, 'limited', name);
    await save(SMALL, place);
    const before = readdirSync(join(folder, 'limited'), { recursive: true }).sort();
    const words = ['-c', 'ulimit -f 1024; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', LIMITED];
    const said = execFileSync('bash', [...words, join(root, 'src/index.ts'), place], { encoding: 'utf8' });
    expect(said).toMatch(/^Cannot write .*EFBIG.*what was there before is unchanged$/);
    expect(readdirSync(join(folder, 'limited'), { recursive: true }).sort()).toEqual(before);
    expect(await unitsAt(place)).toBe(SMALL);
  });
});
