import { FormatError } from '../../errors.ts';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The upper half of 2⁵³ − 1. */
const MAX_SAFE_HIGH = 0x1fffff;

/** What the superblock fixes for the whole file. */
export interface FieldSizes {
  /** Bytes of an address, "size of offsets" in the specification. */
  readonly offsetBytes: number;
  /** Bytes of a size, "size of lengths". */
  readonly lengthBytes: number;
}

export interface ReaderOrigin extends FieldSizes {
  /** Name of the file, for messages. */
  readonly file: string;
  /** What is being read, for messages: "object header". */
  readonly what: string;
  /** Where the bytes lie in the file. */
  readonly offset: number;
}

/**
 * Reads the fields of one piece of metadata in order. All are little endian, and each is checked against the end of the
 * piece before it is read.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly origin: ReaderOrigin;
  position = 0;

  constructor(bytes: Uint8Array, origin: ReaderOrigin) {
    this.bytes = bytes;
    this.origin = origin;
  }

  get remaining(): number {
    return this.bytes.byteLength - this.position;
  }

  u8(): number {
    return this.bytes[this.#advance(1)] as number;
  }

  u16(): number {
    return this.#uint16(this.#advance(2));
  }

  u32(): number {
    return this.#uint32(this.#advance(4));
  }

  u64(): number {
    const start = this.#advance(8);
    const high = this.#uint32(start + 4);
    if (high > MAX_SAFE_HIGH) throw this.fail('an integer exceeds 2^53');
    return high * 2 ** 32 + this.#uint32(start);
  }

  /** An unsigned integer of `byteCount` bytes that a JavaScript number holds exactly; larger ones are refused. */
  uint(byteCount: number): number {
    if (byteCount === 8) return this.u64();
    const start = this.#advance(byteCount);
    let value = 0;
    for (let index = byteCount - 1; index >= 0; index--) {
      value = value * 256 + (this.bytes[start + index] as number);
      if (value > Number.MAX_SAFE_INTEGER) throw this.fail('an integer exceeds 2^53');
    }
    return value;
  }

  /** An address relative to the base address; `undefined` when all its bits are set, which means "nowhere". */
  address(): number | undefined {
    const { offsetBytes } = this.origin;
    for (let index = 0; index < offsetBytes; index++) {
      if (this.bytes[this.position + index] !== 0xff) return this.uint(offsetBytes);
    }
    this.#advance(offsetBytes);
    return undefined;
  }

  /** An address that must be there. */
  definedAddress(of: string): number {
    const address = this.address();
    if (address === undefined) throw this.fail(`the address of the ${of} is undefined`);
    return address;
  }

  length(): number {
    return this.uint(this.origin.lengthBytes);
  }

  take(byteCount: number): Uint8Array {
    const start = this.#advance(byteCount);
    return this.bytes.subarray(start, start + byteCount);
  }

  skip(byteCount: number): void {
    this.#advance(byteCount);
  }

  /** Skips the padding after `byteCount` bytes that fills them up to a multiple of 8. */
  skipPadding(byteCount: number): void {
    this.#advance((8 - (byteCount % 8)) % 8);
  }

  /** A reader of the next `byteCount` bytes alone. */
  part(byteCount: number, what: string = this.origin.what): ByteReader {
    const offset = this.origin.offset + this.position;
    return new ByteReader(this.take(byteCount), { ...this.origin, what, offset });
  }

  /** Text of `byteCount` bytes, up to the first NUL if there is one. */
  text(byteCount: number): string {
    const bytes = this.take(byteCount);
    const end = bytes.indexOf(0);
    return decodeUtf8(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** Text that ends with a NUL, which is read as well. */
  terminatedText(): string {
    const end = this.bytes.indexOf(0, this.position);
    if (end < 0) throw this.fail('a name has no end');
    const text = decodeUtf8(this.bytes.subarray(this.position, end));
    this.position = end + 1;
    return text;
  }

  expectSignature(signature: string): void {
    const found = latin1(this.take(signature.length));
    if (found === signature) return;
    this.position -= signature.length;
    throw this.fail(`found ${JSON.stringify(found)}, expected the signature "${signature}"`);
  }

  expectVersion(version: number): void {
    const found = this.u8();
    if (found !== version) throw this.fail(`version ${found} is unknown, expected ${version}`);
  }

  /** An error that names the file, what was read, and where. */
  fail(problem: string): FormatError {
    const { file, what, offset } = this.origin;
    const at = offset + this.position;
    return new FormatError(`Cannot read "${file}": ${problem}, in the ${what} at byte ${at}`, { file, offset: at });
  }

  #advance(byteCount: number): number {
    const start = this.position;
    if (byteCount > this.bytes.byteLength - start) {
      throw this.fail(`${byteCount} bytes are needed, ${this.remaining} are left`);
    }
    this.position = start + byteCount;
    return start;
  }

  // A DataView for each of the thousands of pieces costs more than putting the bytes together.
  #uint16(start: number): number {
    return (this.bytes[start] as number) | ((this.bytes[start + 1] as number) << 8);
  }

  #uint32(start: number): number {
    return this.#uint16(start) + this.#uint16(start + 2) * 0x10000;
  }
}

/** Bytes that are no UTF-8 become U+FFFD, as a file from another language's encoding is still worth reading. */
export function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.byteLength; index++) text += String.fromCharCode(bytes[index] as number);
  return text;
}
