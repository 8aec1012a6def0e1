/** Takes bytes one after the other; they are the giver's again once the promise resolves. */
export interface ByteSink {
  write(bytes: Uint8Array): void | Promise<void>;
}

/** A file that is written in one go, as often as it is asked for. */
export interface WritableFile {
  /** Its size, known before a byte of it is written. */
  readonly byteLength: number;
  writeTo(sink: ByteSink): Promise<void>;
}

/** Bytes in memory as a file to be written. */
export function writableBytes(bytes: Uint8Array): WritableFile {
  return {
    byteLength: bytes.byteLength,
    writeTo: async (sink) => {
      if (bytes.byteLength > 0) await sink.write(bytes);
    },
  };
}

/** Collects a file of which no more than `maxBytes` are expected; more are taken as well. */
class MemorySink implements ByteSink {
  #bytes: Uint8Array;
  #length = 0;

  constructor(maxBytes: number) {
    this.#bytes = new Uint8Array(maxBytes);
  }

  write(bytes: Uint8Array): void {
    const end = this.#length + bytes.byteLength;
    if (end > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.byteLength));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = end;
  }

  /** What was written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Writes a file into memory. */
export async function bytesOfFile(file: WritableFile): Promise<Uint8Array> {
  const sink = new MemorySink(file.byteLength);
  await file.writeTo(sink);
  return sink.finish();
}
