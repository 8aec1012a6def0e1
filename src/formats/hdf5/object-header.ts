/**
 * Object headers: the list of messages that make up a group, a dataset or a committed datatype.
 *
 *   version 1                                   version 2
 *   0   1  version                              0  4  "OHDR"
 *   1   1  reserved                             4  1  version
 *   2   2  number of messages                   5  1  flags
 *   4   4  reference count                      …  16 times, if flag 5
 *   8   4  bytes of messages                    …  4  attribute limits, if flag 4
 *   12  4  padding                              …  1, 2, 4 or 8  bytes of messages
 *   16  …  messages                             …  …  messages, gap, checksum
 *
 * A continuation message points to more messages: bare ones in version 1, between "OCHK" and a checksum in version 2.
 */

import type { ByteReader } from './byte-reader.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { MAX_OBJECT_HEADER_BYTES } from './limits.ts';

export const MESSAGE = {
  nil: 0x00,
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  oldFillValue: 0x04,
  fillValue: 0x05,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  groupInfo: 0x0a,
  filterPipeline: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

/** The highest message type that version 2.0 of the HDF5 library writes. */
const LAST_KNOWN_MESSAGE = 0x18;

const FLAG_SHARED = 0x02;
const FLAG_FAIL_IF_UNKNOWN = 0x80;

/** Read at once: the header of a dataset of Keras is 136 to 272 bytes long, that of a group without attributes 40. */
const FIRST_READ_BYTES = 272;
const FIRST_READ_BYTES_OF_GROUP = 64;

export interface Message {
  readonly type: number;
  /** The body lies elsewhere, and `body` says where: see shared-message.ts. */
  readonly isShared: boolean;
  /** Whoever decodes the message starts from the beginning of its body. */
  readonly body: ByteReader;
}

/**
 * Reads all messages of the object header at an address, in order, without continuations and padding.
 *
 * @param isGroup Whether it is likely that of a group; decides how much is read at first, nothing else.
 */
export async function readObjectHeader(file: Hdf5File, address: number, isGroup = false): Promise<Message[]> {
  const firstBytes = isGroup ? FIRST_READ_BYTES_OF_GROUP : FIRST_READ_BYTES;
  const head = await file.readUpTo(address, firstBytes, 'object header');
  const isNew = head.bytes[0] === 0x4f;
  return await (isNew ? readVersion2(file, address, head) : readVersion1(file, address, head));
}

/** A stretch of messages. */
interface Chunk {
  readonly address: number;
  readonly byteLength: number;
}

async function readVersion1(file: Hdf5File, address: number, head: ByteReader): Promise<Message[]> {
  head.expectVersion(1);
  head.skip(1);
  const messageCount = head.u16();
  head.skip(4);
  const byteLength = head.u32();
  head.skip(4);
  const chunks = new ChunkQueue(file, head, { address: address + head.position, byteLength });
  const messages: Message[] = [];
  let seen = 0;
  for (let chunk = chunks.next(); chunk !== undefined; chunk = chunks.next()) {
    const reader = await readChunk(file, address, head, chunk);
    while (reader.remaining >= 8 && seen < messageCount) {
      const type = reader.u16();
      const size = reader.u16();
      const flags = reader.u8();
      reader.skip(3);
      seen++;
      addMessage(messages, chunks, type, flags, reader.part(size, 'object header'));
    }
  }
  if (seen < messageCount) throw head.fail(`the header has ${seen} messages of ${messageCount}`);
  return messages;
}

async function readVersion2(file: Hdf5File, address: number, head: ByteReader): Promise<Message[]> {
  head.expectSignature('OHDR');
  head.expectVersion(2);
  const flags = head.u8();
  if ((flags & 0x20) !== 0) head.skip(16);
  if ((flags & 0x10) !== 0) head.skip(4);
  const byteLength = head.uint(1 << (flags & 3));
  const hasCreationOrder = (flags & 0x04) !== 0;
  const prefixBytes = head.position;
  // The first chunk is read with its prefix, as the checksum covers both.
  const chunks = new ChunkQueue(file, head, { address, byteLength: prefixBytes + byteLength + 4 });
  const messages: Message[] = [];
  for (let chunk = chunks.next(); chunk !== undefined; chunk = chunks.next()) {
    const reader = await readChunk(file, address, head, chunk);
    file.verifyChecksum(reader);
    if (chunk.address === address) reader.skip(prefixBytes);
    else reader.expectSignature('OCHK');
    const messageHeadBytes = hasCreationOrder ? 6 : 4;
    while (reader.remaining - 4 >= messageHeadBytes) {
      const type = reader.u8();
      const size = reader.u16();
      const messageFlags = reader.u8();
      if (hasCreationOrder) reader.skip(2);
      if (size > reader.remaining - 4) throw reader.fail(`a message of ${size} bytes exceeds its header`);
      addMessage(messages, chunks, type, messageFlags, reader.part(size, 'object header'));
    }
  }
  return messages;
}

/** Takes a chunk from the bytes that were read first, where they hold it. */
async function readChunk(file: Hdf5File, address: number, head: ByteReader, chunk: Chunk): Promise<ByteReader> {
  const from = chunk.address - address;
  const to = from + chunk.byteLength;
  if (from < 0 || to > head.bytes.byteLength) return await file.read(chunk.address, chunk.byteLength, 'object header');
  return file.readerOf(head.bytes.subarray(from, to), chunk.address, 'object header');
}

function addMessage(messages: Message[], chunks: ChunkQueue, type: number, flags: number, body: ByteReader): void {
  if (type === MESSAGE.nil) return;
  if (type === MESSAGE.continuation) {
    chunks.add({ address: body.definedAddress('continuation'), byteLength: body.length() });
  } else if (type <= LAST_KNOWN_MESSAGE) {
    messages.push({ type, isShared: (flags & FLAG_SHARED) !== 0, body });
  } else if ((flags & FLAG_FAIL_IF_UNKNOWN) !== 0) {
    throw body.fail(`a message of unknown type ${type} must be understood`);
  }
}

/** The chunks of one header that are still to be read. */
class ChunkQueue {
  readonly #file: Hdf5File;
  readonly #head: ByteReader;
  readonly #waiting: Chunk[] = [];
  readonly #seen = new Set<number>();
  #totalBytes = 0;

  constructor(file: Hdf5File, head: ByteReader, first: Chunk) {
    this.#file = file;
    this.#head = head;
    this.add(first);
  }

  next(): Chunk | undefined {
    return this.#waiting.shift();
  }

  add(chunk: Chunk): void {
    if (this.#seen.has(chunk.address)) throw this.#head.fail('the header continues in a circle');
    this.#seen.add(chunk.address);
    this.#totalBytes += chunk.byteLength;
    if (this.#totalBytes > Math.min(MAX_OBJECT_HEADER_BYTES, this.#file.byteLength)) {
      throw this.#head.fail(`the header claims ${this.#totalBytes} bytes`);
    }
    this.#waiting.push(chunk);
  }
}
