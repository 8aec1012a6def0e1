/** A growing array of bytes, with the integers of the WebAssembly format. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(values: Uint8Array): void {
    if (this.#length + values.length > this.#bytes.length) this.#grow(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** A byte, and an unsigned integer below 2³². */
  indexed(code: number, index: number): void {
    this.byte(code);
    if (index <= 0x7f) this.byte(index);
    else this.unsigned(index);
  }

  /** An unsigned integer below 2³², as LEB128. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** An integer of 32 bits, as signed LEB128. */
  signed(value: number): void {
    let rest = value | 0;
    while (rest > 0x3f || rest < -0x40) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** An integer of 64 bits, as signed LEB128. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    while (rest > 0x3fn || rest < -0x40n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest & 0x7fn));
  }

  /** A name: its length in bytes, then UTF-8. */
  name(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }

  /** An instruction code of `assembler-opcodes.ts`. */
  opcode(code: number): void {
    if (code < 0x100) {
      this.byte(code);
    } else {
      this.byte(code >>> 16);
      this.unsigned(code & 0xffff);
    }
  }

  /** What has been written; a view that the next write may detach. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(atLeast: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + atLeast));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
