/**
 * Writes a WebAssembly module, in the order of the binary format:
 *
 *   magic, version; then sections of  u8 id, LEB128 byte length, content:
 *   1 types   2 imports   3 function types   7 exports   10 code
 *
 * Specification: https://webassembly.github.io/spec/core/binary/modules.html
 */
import { ByteWriter } from './assembler-bytes.ts';
import { hasRelaxedSimd } from './assembler-features.ts';
import { FunctionBuilder, VALUE_TYPE_CODES, type ValueType } from './assembler-function.ts';

export interface ModuleOptions {
  /** Whether code may use relaxed SIMD; by default, whether the engine has it. */
  readonly relaxedSimd?: boolean;
  /** Whether neighbouring vectors are computed in pairs, which the engine joins to vectors of 256 bits. */
  readonly wide?: boolean | undefined;
}

export interface MemoryLimits {
  /** In pages of 64 KiB. */
  readonly minimum: number;
  /** In pages; a shared memory must have it. */
  readonly maximum?: number;
  readonly shared?: boolean;
}

/** Collects functions and exports, and writes them as one binary module. */
export class ModuleBuilder {
  readonly relaxedSimd: boolean;
  readonly wide: boolean;
  readonly #typeIndexes = new Map<string, number>();
  readonly #types = new ByteWriter();
  readonly #imports = new ByteWriter();
  readonly #exports = new ByteWriter();
  readonly #functionTypes: number[] = [];
  readonly #bodies: (Uint8Array | undefined)[] = [];
  readonly #shared = new Map<string, number>();
  /** How many addresses functions are told, of those that are. */
  readonly #told = new Map<number, number>();
  #toldNow = 0;
  #importCount = 0;
  #exportCount = 0;

  constructor(options: ModuleOptions = {}) {
    this.relaxedSimd = options.relaxedSimd ?? hasRelaxedSimd();
    this.wide = options.wide === true;
  }

  /** The memory that all functions work on. */
  importMemory(module: string, name: string, { minimum, maximum, shared }: MemoryLimits): void {
    this.#imports.name(module);
    this.#imports.name(name);
    this.#imports.byte(0x02);
    this.#imports.byte((maximum === undefined ? 0 : 1) | (shared ? 2 : 0));
    this.#imports.unsigned(minimum);
    if (maximum !== undefined) this.#imports.unsigned(maximum);
    this.#importCount++;
  }

  /** Writes a function and gives its index. The body may itself define and call further functions of the module. */
  function(params: readonly ValueType[], results: readonly ValueType[], write: (f: FunctionBuilder) => void): number {
    const index = this.declare(params, results);
    this.define(index, params, write);
    return index;
  }

  /** Reserves an index for a function whose body comes later, so that others can call it already. */
  declare(params: readonly ValueType[], results: readonly ValueType[]): number {
    const index = this.#bodies.push(undefined) - 1;
    if (this.#toldNow > 0) this.#told.set(index, this.#toldNow);
    this.#functionTypes.push(this.#typeIndex(this.#withTold(index, params), results));
    return index;
  }

  /** Writes the body of a declared function. */
  define(index: number, params: readonly ValueType[], write: (f: FunctionBuilder) => void): void {
    const toldOf = (functionIndex: number): number => this.#told.get(functionIndex) ?? 0;
    const builder = new FunctionBuilder(this.#withTold(index, params), this.relaxedSimd, toldOf(index), toldOf);
    write(builder);
    this.#bodies[index] = builder.finish();
  }

  /** The function that is known by a key, written at its first use: what several kernels share. */
  shared(
    key: string,
    params: readonly ValueType[],
    results: readonly ValueType[],
    write: (f: FunctionBuilder) => void,
  ): number {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    return this.tellingAddresses(0, () => {
      const index = this.declare(params, results);
      this.#shared.set(key, index);
      this.define(index, params, write);
      return index;
    });
  }

  /**
   * The functions that `write` makes, but for shared ones, are told so many addresses, by parameters after their own; in
   * their code they are `toldAddress`. Those that call one another need not say them.
   */
  tellingAddresses<T>(count: number, write: () => T): T {
    const before = this.#toldNow;
    this.#toldNow = count;
    try {
      return write();
    } finally {
      this.#toldNow = before;
    }
  }

  #withTold(index: number, params: readonly ValueType[]): readonly ValueType[] {
    const told = this.#told.get(index) ?? 0;
    return told === 0 ? params : [...params, ...new Array<ValueType>(told).fill('i32')];
  }

  exportFunction(name: string, index: number): void {
    this.#exports.name(name);
    this.#exports.byte(0x00);
    this.#exports.unsigned(index);
    this.#exportCount++;
  }

  /** Exports a function without results, written when its name is first exported. */
  exportShared(name: string, params: readonly ValueType[], write: (f: FunctionBuilder) => void): void {
    if (!this.#shared.has(name)) this.exportFunction(name, this.shared(name, params, [], write));
  }

  /** The binary module. */
  build(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(this.#bodies.reduce((sum, body) => sum + (body?.length ?? 0) + 8, 1024));
    out.bytes(HEADER);
    writeSection(out, 1, this.#typeIndexes.size, (section) => section.bytes(this.#types.view()));
    writeSection(out, 2, this.#importCount, (section) => section.bytes(this.#imports.view()));
    writeSection(out, 3, this.#functionTypes.length, (section) => {
      for (const type of this.#functionTypes) section.unsigned(type);
    });
    writeSection(out, 7, this.#exportCount, (section) => section.bytes(this.#exports.view()));
    writeSection(out, 10, this.#bodies.length, (section) => {
      for (const [index, body] of this.#bodies.entries()) {
        if (!body) throw new RangeError(`Cannot build the module: function ${index} is declared but not defined`);
        section.unsigned(body.length);
        section.bytes(body);
      }
    });
    return out.view();
  }

  #typeIndex(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params}:${results}`;
    const known = this.#typeIndexes.get(key);
    if (known !== undefined) return known;
    this.#types.byte(0x60);
    for (const list of [params, results]) {
      this.#types.unsigned(list.length);
      for (const type of list) this.#types.byte(VALUE_TYPE_CODES[type]);
    }
    this.#typeIndexes.set(key, this.#typeIndexes.size);
    return this.#typeIndexes.size - 1;
  }
}

const HEADER: Uint8Array = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** A vector section: its count, then its entries; none when there are none. */
function writeSection(out: ByteWriter, id: number, count: number, write: (section: ByteWriter) => void): void {
  if (count === 0) return;
  const section = new ByteWriter(4096);
  section.unsigned(count);
  write(section);
  out.byte(id);
  out.unsigned(section.length);
  out.bytes(section.view());
}
