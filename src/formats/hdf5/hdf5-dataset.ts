import { readRangeInto } from '../../binary/ranged-file.ts';
import type { DatasetRecord, Hdf5Dtype } from './dataset-record.ts';
import { fillCells } from './fill-value.ts';
import type { ByteRange } from './hdf5-file.ts';
import { MAX_UNBACKED_BYTES, MAX_UNBACKED_STRINGS } from './limits.ts';
import { type AttributeValue, type NumericArrays, readStrings, swapBytes, viewElements } from './values.ts';

/** Keras never writes chunks; the code for them is loaded with the first file that has some. */
const chunkedData = (): Promise<typeof import('./chunked-data.ts')> => import('./chunked-data.ts');

/** What `read` gives: see `NumericArrays`; opaque elements are their bytes, one after the other. */
export type Hdf5Data = NumericArrays[keyof NumericArrays] | string[];

/** An array in a file. Opening it reads its header; its elements are read when asked for. */
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
        return await (await chunkedData()).storedChunkRanges(this.#record, layout);
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
    const elementCount = this.byteLength / this.bytesPerElement;
    if (this.dtype === 'string' && elementCount > Math.max(MAX_UNBACKED_STRINGS, file.byteLength)) {
      throw file.fail(`the ${what} claims ${elementCount} strings`);
    }
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
        if (this.byteLength > 0) await (await chunkedData()).checkChunks(this.#record, layout);
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
        else await readRangeInto(file.cached, file.baseOffset + layout.address, target);
        break;
      case 'chunked':
        await (await chunkedData()).readChunks(this.#record, layout, target);
        break;
      case 'virtual':
        throw file.unsupported('a virtual layout', this.path, 're-save it with the data copied');
      default:
        layout satisfies never;
    }
    if (datatype.kind === 'numeric' && datatype.bigEndian) swapBytes(target, datatype.byteLength);
  }
}
