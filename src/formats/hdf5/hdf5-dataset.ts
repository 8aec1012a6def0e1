import type { StorageDtype } from '../../array/dtype.ts';
import { readRangeInto } from '../../binary/ranged-file.ts';
import { AttributeTable } from './attribute-table.ts';
import { decodeDataspace } from './dataspace.ts';
import { type Datatype, decodeDatatype } from './datatype.ts';
import { checkChunks, readChunks, storedChunkRanges } from './chunked-data.ts';
import { decodeFilterPipeline, type Filter } from './filter-pipeline.ts';
import type { ByteRange, Hdf5File } from './hdf5-file.ts';
import { decodeFillValue, decodeLayout, decodeOldFillValue, type Layout } from './layout.ts';
import { MAX_UNBACKED_BYTES } from './limits.ts';
import { MESSAGE, type Message } from './object-header.ts';
import { resolveMessage } from './shared-message.ts';
import { type AttributeValue, type NumericArrays, readStrings, swapBytes, viewElements } from './values.ts';

/** Element types of datasets; `opaque` are bytes that HDF5 does not explain. */
export type Hdf5Dtype = Exclude<StorageDtype, 'complex64'> | 'opaque';

/** What `read` gives: see `NumericArrays`; opaque elements are their bytes, one after the other. */
export type Hdf5Data = NumericArrays[keyof NumericArrays] | string[];

/** Everything a header says about a dataset. */
export interface DatasetRecord {
  readonly file: Hdf5File;
  readonly path: string;
  readonly address: number;
  readonly shape: readonly number[];
  /** The shape to which the dataset may grow, which numbers its chunks; `undefined` where unlimited. */
  readonly maxShape: readonly (number | undefined)[];
  readonly dtype: Hdf5Dtype;
  readonly datatype: Exclude<Datatype, { kind: 'array' | 'unsupported' }>;
  /** Bytes of one element of the dataspace: several of `datatype` where the elements are arrays. */
  readonly cellBytes: number;
  readonly cellCount: number;
  readonly spaceShape: readonly number[];
  readonly layout: Layout;
  readonly filters: readonly Filter[];
  readonly fillValue: Uint8Array | undefined;
  readonly attributes: AttributeTable;
}

/**
 * An array in a file. Opening it reads its header; its elements are read when asked for.
 *
 * ```ts
 * import { bytesFile, openHdf5 } from 'hornet';
 * ```
 */
export class Hdf5Dataset {
  /** From the root, with a leading slash. */
  readonly path: string;
  /** Identifies the object: links to one object give the same address. */
  readonly address: number;
  readonly shape: readonly number[];
  /** Of an element as stored. A bfloat16 written by Keras is recognised by its attribute `dtype`, else it is opaque. */
  readonly dtype: Hdf5Dtype;
  /** Bytes of an element; of a string as stored, in its fixed length or as a reference to a heap. */
  readonly bytesPerElement: number;
  /** Bytes of all elements, decoded. */
  readonly byteLength: number;
  readonly #record: DatasetRecord;

  constructor(record: DatasetRecord) {
    this.#record = record;
    this.path = record.path;
    this.address = record.address;
    this.shape = record.shape;
    this.dtype = record.dtype;
    this.bytesPerElement = record.datatype.byteLength;
    this.byteLength = record.cellCount * record.cellBytes;
  }

  /** The value of an attribute, `undefined` when there is none of that name. */
  async attribute(name: string): Promise<AttributeValue | undefined> {
    return await this.#record.attributes.value(name);
  }

  /** All attributes, in the order of the file. */
  async attributes(): Promise<Map<string, AttributeValue>> {
    return await this.#record.attributes.values();
  }

  /** Reads all elements in row-major order into a new array. */
  async read(): Promise<Hdf5Data> {
    const { datatype, file, layout } = this.#record;
    await this.#check();
    const buffer = new ArrayBuffer(this.byteLength);
    await this.#fill(new Uint8Array(buffer));
    switch (datatype.kind) {
      case 'numeric':
        return viewElements(this.#numericDtype(), buffer);
      case 'opaque':
        return this.dtype === 'bfloat16' ? new Uint16Array(buffer) : new Uint8Array(buffer);
      case 'string':
      case 'variableString': {
        const address = layout.kind === 'contiguous' ? (layout.address ?? 0) : this.address;
        const reader = file.readerOf(new Uint8Array(buffer), address, `dataset "${this.path}"`);
        return await readStrings(file, datatype, reader, this.byteLength / datatype.byteLength);
      }
      default:
        return datatype satisfies never;
    }
  }

  /**
   * Reads all elements, little endian, into `target`, which has exactly `byteLength` bytes. Bytes that lie in the file
   * in one piece come from it straight into their place.
   *
   * @throws {RangeError} when `target` has another size.
   * @throws {TypeError} when the elements are strings.
   */
  async readInto(target: ArrayBufferView): Promise<void> {
    if (this.dtype === 'string') throw new TypeError(`Cannot read "${this.path}" into bytes: its elements are strings`);
    if (target.byteLength !== this.byteLength) {
      const found = `the target has ${target.byteLength} bytes, the dataset ${this.byteLength}`;
      throw new RangeError(`Cannot read "${this.path}" into place: ${found}`);
    }
    await this.#check();
    await this.#fill(new Uint8Array(target.buffer, target.byteOffset, target.byteLength));
  }

  /**
   * The ranges of the file in which the elements are stored, as they are when compressed; none where they are stored in
   * the header or come from the fill value. Asking reads the index of a chunked dataset.
   */
  async storedRanges(): Promise<ByteRange[]> {
    const { file, layout } = this.#record;
    switch (layout.kind) {
      case 'contiguous':
        if (layout.address === undefined || this.byteLength === 0) return [];
        return [file.locate(layout.address, this.byteLength, `dataset "${this.path}"`)];
      case 'chunked':
        if (this.byteLength === 0) return [];
        return await storedChunkRanges(this.#record, layout);
      default:
        return [];
    }
  }

  /** The sum of `storedRanges`. */
  async storedBytes(): Promise<number> {
    return (await this.storedRanges()).reduce((sum, { start, end }) => sum + end - start, 0);
  }

  #numericDtype(): keyof NumericArrays {
    return this.dtype as keyof NumericArrays;
  }

  /** Refuses what the file cannot back, before memory is taken for it. */
  async #check(): Promise<void> {
    const { file, layout } = this.#record;
    const what = `dataset "${this.path}"`;
    switch (layout.kind) {
      case 'compact':
        if (layout.data.byteLength < this.byteLength) {
          throw file.fail(`the ${what} takes ${this.byteLength} bytes, its header has ${layout.data.byteLength}`);
        }
        break;
      case 'contiguous':
        if (layout.address !== undefined) {
          file.locate(layout.address, this.byteLength, what);
          if (layout.byteLength !== undefined && layout.byteLength < this.byteLength) {
            throw file.fail(`the ${what} takes ${this.byteLength} bytes, ${layout.byteLength} are stored`);
          }
        } else if (this.byteLength > MAX_UNBACKED_BYTES) {
          throw file.fail(`the ${what} claims ${this.byteLength} bytes, none of which is stored`);
        }
        break;
      case 'chunked':
        if (this.byteLength > 0) await checkChunks(this.#record, layout);
        break;
      default:
    }
  }

  async #fill(target: Uint8Array): Promise<void> {
    const { file, layout, datatype } = this.#record;
    if (target.byteLength === 0) return;
    switch (layout.kind) {
      case 'compact':
        target.set(layout.data.subarray(0, target.byteLength));
        break;
      case 'contiguous':
        if (layout.address === undefined) fillCells(target, this.#record.fillValue);
        else await readRangeInto(file.raw, file.baseOffset + layout.address, target);
        break;
      case 'chunked':
        await readChunks(this.#record, layout, target);
        break;
      case 'virtual':
        throw file.unsupported('a virtual layout', this.path, 're-save it with the data copied');
      default:
        layout satisfies never;
    }
    if (datatype.kind === 'numeric' && datatype.bigEndian) swapBytes(target, datatype.byteLength);
  }
}

/** Repeats the bytes of a fill value; without one the elements are zero. */
export function fillCells(target: Uint8Array, fillValue: Uint8Array | undefined): void {
  if (fillValue === undefined || fillValue.every((byte) => byte === 0)) {
    target.fill(0);
    return;
  }
  target.set(fillValue.subarray(0, target.byteLength));
  for (let filled = fillValue.byteLength; filled < target.byteLength; filled *= 2) {
    target.copyWithin(filled, 0, Math.min(filled, target.byteLength - filled));
  }
}

/**
 * Opens the dataset whose header has these messages.
 *
 * @throws {UnsupportedError} when its data lie in another file, or its datatype is none that models have.
 */
export async function openDataset(
  file: Hdf5File,
  path: string,
  address: number,
  messages: readonly Message[],
): Promise<Hdf5Dataset> {
  const find = async (type: number) => {
    const message = messages.find((candidate) => candidate.type === type);
    return message && (await resolveMessage(file, message));
  };
  const what = `dataset "${path}"`;
  if ((await find(MESSAGE.externalFiles)) !== undefined) {
    throw file.unsupported('external storage', path, 're-save it with the data inside');
  }
  const dataspaceMessage = await find(MESSAGE.dataspace);
  const datatypeMessage = await find(MESSAGE.datatype);
  const layoutMessage = await find(MESSAGE.layout);
  if (dataspaceMessage === undefined || datatypeMessage === undefined || layoutMessage === undefined) {
    throw file.fail(`the header of the ${what} is incomplete`, file.baseOffset + address);
  }
  const dataspace = decodeDataspace(dataspaceMessage);
  const stored = decodeDatatype(datatypeMessage);
  const layout = decodeLayout(layoutMessage);
  if (layout.kind === 'virtual') throw file.unsupported('a virtual layout', path, 're-save it with the data copied');
  const filterMessage = await find(MESSAGE.filterPipeline);
  const filters = filterMessage === undefined ? [] : decodeFilterPipeline(filterMessage);
  const fillMessage = await find(MESSAGE.fillValue);
  const oldFillMessage = await find(MESSAGE.oldFillValue);
  const fillValue = fillMessage
    ? decodeFillValue(fillMessage)
    : oldFillMessage && decodeOldFillValue(oldFillMessage);

  let datatype = stored;
  const shape = [...dataspace.shape];
  // NumPy, too, turns the axes of array elements into axes of the dataset.
  for (; datatype.kind === 'array'; datatype = datatype.of) shape.push(...datatype.shape);
  if (datatype.kind === 'unsupported') throw file.unsupported(datatype.feature, path);
  if (!Number.isSafeInteger(dataspace.elementCount * stored.byteLength)) {
    throw file.fail(`the ${what} claims an impossible size`, file.baseOffset + address);
  }
  if (fillValue !== undefined && fillValue.byteLength !== stored.byteLength) {
    throw file.fail(`the fill value of the ${what} takes ${fillValue.byteLength} bytes`, file.baseOffset + address);
  }
  if (layout.kind === 'chunked') checkChunkFits(file, what, layout, dataspace.shape.length, stored.byteLength);
  const attributes = new AttributeTable(file, messages, path);
  return new Hdf5Dataset({
    file,
    path,
    address,
    shape,
    maxShape: dataspace.maxShape,
    dtype: await dtypeOf(datatype, attributes),
    datatype,
    cellBytes: stored.byteLength,
    cellCount: dataspace.elementCount,
    spaceShape: dataspace.shape,
    layout,
    filters,
    fillValue,
    attributes,
  });
}

function checkChunkFits(
  file: Hdf5File,
  what: string,
  layout: Layout & { kind: 'chunked' },
  rank: number,
  cellBytes: number,
): void {
  if (layout.chunkShape.length === rank && layout.elementBytes === cellBytes) return;
  const found = `chunks of rank ${layout.chunkShape.length} with elements of ${layout.elementBytes} bytes`;
  throw file.fail(`the ${what} has ${found}, expected rank ${rank} and ${cellBytes} bytes`);
}

async function dtypeOf(datatype: DatasetRecord['datatype'], attributes: AttributeTable): Promise<Hdf5Dtype> {
  switch (datatype.kind) {
    case 'numeric':
      return datatype.dtype;
    case 'opaque':
      // h5py stores the bfloat16 of ml_dtypes as two opaque bytes; Keras notes what they are.
      return datatype.byteLength === 2 && (await attributes.value('dtype')) === 'bfloat16' ? 'bfloat16' : 'opaque';
    default:
      return 'string';
  }
}
