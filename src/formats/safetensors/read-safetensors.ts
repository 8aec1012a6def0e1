/** Reads safetensors; see `layout.ts` for the layout and `write-safetensors.ts` for the other direction. */
import { bytesPerElement, type StorageDtype } from '../../array/dtype.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import { type RangedFile, readRangeInto } from '../../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import type { JsonObject, JsonValue, WeightEntry } from '../artifacts.ts';
import { convertElements, viewStored } from '../element-conversion.ts';
import { decodeJsonObject, decodeText, isJsonObject } from '../json.ts';
import { DTYPES, LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY } from './layout.ts';
import { repeatedKey } from './repeated-key.ts';

/** A file that is open: its header is read, its arrays are read when they are asked for. */
export interface SafetensorsFile {
  /** The arrays in the order of their bytes. */
  readonly entries: readonly WeightEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** NumPy has no arrays of more axes. */
const MAX_RANK = 64;

interface Extent {
  readonly name: string;
  readonly dtype: Exclude<StorageDtype, 'string' | 'complex64'>;
  readonly shape: Shape;
  /** Bytes within the data. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads the header of a safetensors file, and checks all of it.
 *
 * @throws {FormatError} when it is damaged: sizes that do not fit, bytes that belong to two tensors or to none.
 * @throws {UnsupportedError} for an element type of less than eight bits, or of eight bits with an exponent.
 */
export async function readSafetensors(file: RangedFile): Promise<SafetensorsFile> {
  const { header, dataStart } = await readHeader(file);
  const extents = Object.entries(header)
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, description]) => decodeExtent(name, description, file.name))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(extents, file.byteLength - dataStart, file.name);
  return {
    entries: extents.map((extent) => entryOf(extent, file, dataStart)),
    metadata: decodeMetadata(header[METADATA_KEY], file.name),
  };
}

async function readHeader(file: RangedFile): Promise<{ header: JsonObject; dataStart: number }> {
  const { name, byteLength } = file;
  if (byteLength < LENGTH_BYTES) {
    throw damaged(name, `it has ${byteLength} bytes, expected a header length of ${LENGTH_BYTES}`);
  }
  const head = await file.slice(0, LENGTH_BYTES);
  const length = new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(Math.min(MAX_HEADER_BYTES, byteLength - LENGTH_BYTES))) {
    throw damaged(name, `the header should have ${length} bytes, the file has ${byteLength} in all`);
  }
  const dataStart = LENGTH_BYTES + Number(length);
  const text = decodeText(await file.slice(LENGTH_BYTES, dataStart), name);
  if (!text.startsWith('{')) throw damaged(name, 'the header does not begin with "{"');
  const header = decodeJsonObject(text, name, 'the header');
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw damaged(name, `the header has the key ${JSON.stringify(repeated)} twice`);
  return { header, dataStart };
}

function decodeExtent(name: string, description: JsonValue, file: string): Extent {
  const tensor = JSON.stringify(name);
  if (!isJsonObject(description)) throw damaged(file, `the tensor ${tensor} is not described by an object`);
  const { dtype: code, shape, data_offsets: offsets } = description;
  if (typeof code !== 'string') throw damaged(file, `the tensor ${tensor} has no dtype`);
  const dtype = Object.hasOwn(DTYPES, code) ? DTYPES[code] : undefined;
  if (dtype === undefined) {
    const feature = `the dtype "${code}"`;
    throw new UnsupportedError(`Cannot read tensor ${tensor} of "${file}": ${feature} is not supported`, feature);
  }
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isCount)) {
    throw damaged(file, `the tensor ${tensor} has no shape of whole numbers`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw damaged(file, `the tensor ${tensor} has no data_offsets of two whole numbers`);
  }
  const [begin, end] = offsets as unknown as readonly [number, number];
  const byteLength = sizeOf(shape as readonly number[]) * bytesPerElement(dtype);
  if (end - begin !== byteLength) {
    throw damaged(
      file,
      `the tensor ${tensor} has ${end - begin} bytes, expected ${byteLength} for ${code} of shape [${shape.join(', ')}]`,
    );
  }
  return { name, dtype, shape: shape as readonly number[], begin, end };
}

/** @throws {FormatError} unless each byte belongs to exactly one of the extents, which are sorted. */
function checkCoverage(extents: readonly Extent[], dataBytes: number, file: string): void {
  let covered = 0;
  for (const { name, begin, end } of extents) {
    if (begin !== covered) {
      const problem = begin < covered ? 'overlaps the one before it' : 'leaves a hole before it';
      throw damaged(file, `the tensor ${JSON.stringify(name)} begins at byte ${begin} of the data and ${problem}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw damaged(file, `the tensors have ${covered} bytes together, the file has ${dataBytes} of data`);
  }
}

function decodeMetadata(metadata: JsonValue | undefined, file: string): Readonly<Record<string, string>> {
  if (metadata === undefined) return {};
  if (!isJsonObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw damaged(file, `"${METADATA_KEY}" is not a record of texts`);
  }
  return metadata as Readonly<Record<string, string>>;
}

function entryOf({ name, dtype, shape, begin, end }: Extent, file: RangedFile, dataStart: number): WeightEntry {
  const byteLength = end - begin;
  return {
    name,
    dtype,
    shape,
    file: file.name,
    storedBytes: byteLength,
    read: async () => {
      // Arrays of their own, which are not a view of what the file holds.
      const bytes = new Uint8Array(byteLength);
      await readRangeInto(file, dataStart + begin, bytes);
      return convertElements(viewStored(bytes, dtype), dtype, shape, name, file.name);
    },
  };
}

function isCount(value: JsonValue): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function damaged(file: string, problem: string): FormatError {
  return new FormatError(`Cannot read "${file}" as safetensors: ${problem}`, { file });
}
