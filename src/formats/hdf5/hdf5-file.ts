import type { RangedFile } from '../../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import { ByteReader, type FieldSizes } from './byte-reader.ts';
import { lookup3 } from './checksum.ts';

/** A range of bytes of the file that was opened, `end` excluded. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** An HDF5 file as its parsers see it: addresses instead of positions, and a cache. */
export class Hdf5File implements FieldSizes {
  readonly name: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Where address 0 lies: behind the user block, if there is one. */
  readonly baseOffset: number;
  /** Bytes from address 0 to the end of the file: no address is as large as this. */
  readonly byteLength: number;
  /**
   * The file by positions, behind a cache. Small datasets are read through it as well, as they lie between the metadata
   * and come with them; large ones pass through it.
   */
  readonly cached: RangedFile;
  readonly #parsed = new Map<string, unknown>();
  readonly #claimed = new Map<number, number>();
  #claimedBytes = 0;

  constructor(cached: RangedFile, baseOffset: number, sizes: FieldSizes) {
    this.name = cached.name;
    this.cached = cached;
    this.baseOffset = baseOffset;
    this.byteLength = cached.byteLength - baseOffset;
    this.offsetBytes = sizes.offsetBytes;
    this.lengthBytes = sizes.lengthBytes;
  }

  /** Reads a piece of metadata of known size. */
  async read(address: number, byteLength: number, what: string): Promise<ByteReader> {
    const { start, end } = this.locate(address, byteLength, what);
    const bytes = this.cached.peek?.(start, end) ?? (await this.cached.slice(start, end));
    return this.readerOf(bytes, address, what);
  }

  /** Reads what is there of `byteLength` bytes: for a record whose size only its beginning tells. */
  readUpTo(address: number, byteLength: number, what: string): Promise<ByteReader> {
    return this.read(address, Math.max(1, Math.min(byteLength, this.byteLength - address)), what);
  }

  /** Reads a piece of metadata whose last four bytes are its checksum, and verifies it. */
  async readChecked(address: number, byteLength: number, what: string): Promise<ByteReader> {
    const reader = await this.read(address, byteLength, what);
    this.verifyChecksum(reader);
    return this.readerOf(reader.bytes.subarray(0, byteLength - 4), address, what);
  }

  /** @throws {FormatError} unless the last four bytes of the piece are the checksum of those before. */
  verifyChecksum(reader: ByteReader): void {
    const { bytes } = reader;
    const end = bytes.byteLength - 4;
    if (end < 0) throw reader.fail('there is no room for a checksum');
    const stored = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(end, true);
    if (stored !== lookup3(bytes.subarray(0, end)))
      throw reader.fail('the checksum does not match, the file is damaged');
  }

  /** The position in the file of bytes at an address, after checking that the file holds them. */
  locate(address: number, byteLength: number, what: string): ByteRange {
    const start = this.baseOffset + address;
    if (address > this.byteLength || byteLength > this.byteLength - address) {
      const problem = `the ${what} should take ${byteLength} bytes at ${start}, the file ends at ${this.cached.byteLength}`;
      throw this.fail(problem, start);
    }
    return { start, end: start + byteLength };
  }

  readerOf(bytes: Uint8Array, address: number, what: string): ByteReader {
    const { name: file, offsetBytes, lengthBytes } = this;
    return new ByteReader(bytes, { file, what, offset: this.baseOffset + address, offsetBytes, lengthBytes });
  }

  /** Parses what is at an address once, and gives the same result to whoever asks again. */
  async memoize<T>(kind: string, address: number, parse: () => Promise<T>): Promise<T> {
    const key = `${kind} ${address}`;
    let result = this.#parsed.get(key) as Promise<T> | undefined;
    if (result === undefined) {
      result = parse();
      this.#parsed.set(key, result);
      // A lost connection is not remembered.
      result.catch(() => this.#parsed.delete(key));
    }
    return await result;
  }

  /**
   * Notes that a structure owns its bytes. Together such structures cannot be larger than the file, unless they overlap
   * in order to cost more than the file is long.
   */
  claim(address: number, byteLength: number, what: string): void {
    this.#claimedBytes += byteLength - (this.#claimed.get(address) ?? 0);
    this.#claimed.set(address, byteLength);
    if (this.#claimedBytes > this.byteLength)
      throw this.fail(`one ${what} overlaps another`, this.baseOffset + address);
  }

  fail(problem: string, offset?: number, cause?: unknown): FormatError {
    const details = { file: this.name, ...(offset === undefined ? {} : { offset }), cause };
    return new FormatError(`Cannot read "${this.name}": ${problem}`, details);
  }

  unsupported(feature: string, of: string, remedy = ''): UnsupportedError {
    const advice = remedy === '' ? '' : `; ${remedy}`;
    return new UnsupportedError(`Cannot read "${of}" in "${this.name}": ${feature} is not supported${advice}`, feature);
  }
}
