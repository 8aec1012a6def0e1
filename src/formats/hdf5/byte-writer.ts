/** An address that parts of a file name before it is known where the thing itself will lie. */
export class Address {
  /** Where it lies, once it was placed. */
  value: number | undefined;
  readonly positions: number[] = [];
}

const FIRST_BYTES = 4096;

/** Collects the little-endian bytes of a file's metadata; the counterpart of `ByteReader`. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  readonly #addresses = new Set<Address>();
  #length = 0;

  /** Bytes so far, which is the position of the next one. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const position = this.#grow(1);
    this.#view.setUint8(position, value);
  }

  u16(value: number): void {
    const position = this.#grow(2);
    this.#view.setUint16(position, value, true);
  }

  u32(value: number): void {
    const position = this.#grow(4);
    this.#view.setUint32(position, value, true);
  }

  /** A length or an offset: 8 bytes. */
  u64(value: number): void {
    const position = this.#grow(8);
    this.#view.setBigUint64(position, BigInt(value), true);
  }

  f64(value: number): void {
    const position = this.#grow(8);
    this.#view.setFloat64(position, value, true);
  }

  i64(value: number): void {
    const position = this.#grow(8);
    this.#view.setBigInt64(position, BigInt(value), true);
  }

  bytes(bytes: ArrayLike<number>): void {
    const position = this.#grow(bytes.length);
    this.#bytes.set(bytes, position);
  }

  zeros(count: number): void {
    this.#grow(count);
  }

  /** The address that stands for nowhere. */
  undefinedAddress(): void {
    this.bytes(new Uint8Array(8).fill(0xff));
  }

  /** An address, which may be placed later. */
  address(target: Address): void {
    this.#addresses.add(target);
    target.positions.push(this.#length);
    this.u64(0);
  }

  /** Lets an address be the current position. */
  place(target: Address): void {
    target.value = this.#length;
  }

  /** Fills up with zeros to a multiple of 8 bytes from a position on. */
  pad(from = 0): void {
    this.zeros((8 - ((this.#length - from) % 8)) % 8);
  }

  setU16(position: number, value: number): void {
    this.#view.setUint16(position, value, true);
  }

  setU32(position: number, value: number): void {
    this.#view.setUint32(position, value, true);
  }

  setU64(position: number, value: number): void {
    this.#view.setBigUint64(position, BigInt(value), true);
  }

  /** All bytes, with every address in place. They are a view, valid until more is written. */
  finish(): Uint8Array {
    for (const { value, positions } of this.#addresses) {
      if (value === undefined) throw new Error('Cannot finish the metadata: an address was never placed');
      for (const position of positions) this.setU64(position, value);
    }
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for more bytes, which are zero. */
  #grow(count: number): number {
    const position = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.byteLength));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return position;
  }
}
