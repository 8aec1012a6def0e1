import { ByteWriter } from './assembler-bytes.ts';
import {
  ATOMIC_OPCODES,
  type AtomicOpcode,
  LANE_MEMORY_OPCODES,
  LANE_OPCODES,
  type LaneMemoryOpcode,
  type LaneOpcode,
  LOAD_OPCODES,
  type LoadOpcode,
  PLAIN_OPCODES,
  type PlainOpcode,
  STORE_OPCODES,
  type StoreOpcode,
} from './assembler-opcodes.ts';
import { isTold, readTold } from './told-address.ts';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export const VALUE_TYPE_CODES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** A parameter or a variable of a function. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

/** A place that `br` jumps to: the end of a block, the head of a loop. */
export interface Label {
  readonly depth: number;
}

/** An i32: a constant or a local. */
export type Operand = number | Local;

/** One term of a sum of products: `local · scale`. */
export type Term = readonly [local: Local, scale: number];

/**
 * Writes the body of one function. Methods append instructions of the stack machine in the order in which they are
 * called and return the builder, so that a short run of them reads as one line:
 *
 * ```text
 * f.get(sum).load('v128.load', pointer, 16).op('f32x4.add').set(sum);
 * ```
 */
export class FunctionBuilder {
  readonly params: readonly Local[];
  /** Whether `multiplyAdd` may use the fused instruction of relaxed SIMD. */
  readonly relaxedSimd: boolean;
  readonly #locals: ValueType[] = [];
  readonly #free: Record<ValueType, Local[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  readonly #code = new ByteWriter();
  /** Vectors of one number that are made at the beginning. */
  #kept: Map<string, Local> | undefined;
  readonly #beginning = new ByteWriter(64);
  readonly #told: readonly Local[];
  readonly #toldOf: (functionIndex: number) => number;
  #depth = 0;

  /**
   * @param told the parameters by which the function is told addresses, the last ones
   * @param toldOf how many of them another function has
   */
  constructor(
    params: readonly ValueType[],
    relaxedSimd: boolean,
    told = 0,
    toldOf: (functionIndex: number) => number = () => 0,
  ) {
    this.params = params.map((type, index) => ({ index, type }));
    this.relaxedSimd = relaxedSimd;
    this.#told = this.params.slice(params.length - told);
    this.#toldOf = toldOf;
  }

  /** The parameter at `index`. */
  param(index: number): Local {
    const param = this.params[index];
    if (!param) {
      throw new RangeError(`Cannot use parameter ${index}: the function has ${this.params.length} parameters`);
    }
    return param;
  }

  /** A variable, reused from those released or new. A reused one holds an old value. */
  local(type: ValueType): Local {
    const reused = this.#free[type].pop();
    if (reused) return reused;
    this.#locals.push(type);
    return { index: this.params.length + this.#locals.length - 1, type };
  }

  /** `count` variables of one type. */
  localsOf(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  /** Gives variables back for `local` to reuse. */
  release(...locals: readonly Local[]): this {
    for (const local of locals) this.#free[local.type].push(local);
    return this;
  }

  get(local: Local): this {
    return this.#indexed(0x20, local.index);
  }

  set(local: Local): this {
    return this.#indexed(0x21, local.index);
  }

  /** Sets the local and keeps the value on the stack. */
  tee(local: Local): this {
    return this.#indexed(0x22, local.index);
  }

  /** Pushes a constant or a local. */
  push(operand: Operand): this {
    return typeof operand === 'number' ? this.i32(operand) : this.get(operand);
  }

  i32(value: number): this {
    if (isTold(value)) {
      const { index, distance } = readTold(value);
      return this.get(this.#told[index] as Local).#add(distance);
    }
    this.#code.byte(0x41);
    this.#code.signed(value);
    return this;
  }

  i64(value: bigint | number): this {
    this.#code.byte(0x42);
    this.#code.signed64(BigInt(value));
    return this;
  }

  f32(value: number): this {
    FLOATS[0] = value;
    this.#code.byte(0x43);
    this.#code.bytes(FLOAT_BYTES.subarray(0, 4));
    return this;
  }

  f64(value: number): this {
    DOUBLES[0] = value;
    this.#code.byte(0x44);
    this.#code.bytes(DOUBLE_BYTES);
    return this;
  }

  /**
   * From here on, vectors of one number are made once, where the function begins, and kept in locals: engines make a
   * constant vector anew wherever it is used, which takes longer than to multiply by it.
   */
  keepConstants(): this {
    this.#kept ??= new Map();
    return this;
  }

  #pushKept(value: number, type: 'f32' | 'i32'): boolean {
    // These two take one instruction.
    if (this.#kept === undefined || Object.is(value, 0) || (type === 'i32' && value === -1)) return false;
    const key = `${type}:${Object.is(value, -0) ? '-0' : value}`;
    let local = this.#kept.get(key);
    if (local === undefined) {
      // Never one that was released: it holds its value from the beginning.
      this.#locals.push('v128');
      local = { index: this.params.length + this.#locals.length - 1, type: 'v128' };
      this.#kept.set(key, local);
      if (type === 'i32') {
        this.#beginning.byte(0x41);
        this.#beginning.signed(value);
        this.#beginning.opcode(PLAIN_OPCODES['i32x4.splat']);
      } else {
        FLOATS[0] = value;
        this.#beginning.byte(0x43);
        this.#beginning.bytes(FLOAT_BYTES.subarray(0, 4));
        this.#beginning.opcode(PLAIN_OPCODES['f32x4.splat']);
      }
      this.#beginning.byte(0x21);
      this.#beginning.unsigned(local.index);
    }
    this.get(local);
    return true;
  }

  /** A vector of four floats; one number stands for all lanes. */
  f32x4(value: number | readonly [number, number, number, number]): this {
    if (typeof value === 'number' && this.#pushKept(value, 'f32')) return this;
    if (typeof value === 'number') FLOATS.fill(value);
    else FLOATS.set(value);
    this.#code.opcode(V128_CONST);
    this.#code.bytes(FLOAT_BYTES);
    return this;
  }

  /** A vector of four integers of 32 bits; one number stands for all lanes. */
  i32x4(value: number | readonly [number, number, number, number]): this {
    if (typeof value === 'number' && this.#pushKept(value, 'i32')) return this;
    if (typeof value === 'number') INTEGERS.fill(value);
    else INTEGERS.set(value);
    this.#code.opcode(V128_CONST);
    this.#code.bytes(FLOAT_BYTES);
    return this;
  }

  /** Up to four instructions without immediates, in order. */
  op(first: PlainOpcode, second?: PlainOpcode, third?: PlainOpcode, fourth?: PlainOpcode): this {
    this.#code.opcode(PLAIN_OPCODES[first]);
    // A list of them would be made anew for each of the tens of thousands of instructions.
    if (second !== undefined) this.#code.opcode(PLAIN_OPCODES[second]);
    if (third !== undefined) this.#code.opcode(PLAIN_OPCODES[third]);
    if (fourth !== undefined) this.#code.opcode(PLAIN_OPCODES[fourth]);
    return this;
  }

  lane(name: LaneOpcode, lane: number): this {
    this.#code.opcode(LANE_OPCODES[name]);
    this.#code.byte(lane);
    return this;
  }

  /** Picks 4 lanes of 32 bits out of the two vectors on the stack: 0–3 are the first's, 4–7 the second's. */
  shuffle32(...lanes: readonly [number, number, number, number]): this {
    return this.shuffle8(lanes.flatMap((lane) => [lane * 4, lane * 4 + 1, lane * 4 + 2, lane * 4 + 3]));
  }

  /** Picks 16 bytes out of the two vectors on the stack: 0–15 are the first's, 16–31 the second's. */
  shuffle8(lanes: readonly number[]): this {
    this.#code.opcode(I8X16_SHUFFLE);
    this.#code.bytes(Uint8Array.from(lanes));
    return this;
  }

  /** Loads from `address + offset`; pushes the address first unless it is on the stack already. */
  load(name: LoadOpcode, address: Operand | 'stack' = 'stack', offset = 0): this {
    return this.#memory(LOAD_OPCODES[name], this.#pushAddress(address, offset));
  }

  /** Stores the value on the stack at the address below it, plus `offset`. */
  store(name: StoreOpcode, offset = 0): this {
    return this.#memory(STORE_OPCODES[name], offset);
  }

  /** Stores what `value` pushes at `address + offset`. */
  storeAt(name: StoreOpcode, address: Operand, offset: number, value: () => unknown): this {
    const folded = this.#pushAddress(address, offset);
    value();
    return this.#memory(STORE_OPCODES[name], folded);
  }

  /** `address, vector` on the stack: loads or stores one lane. */
  laneMemory(name: LaneMemoryOpcode, lane: number, offset = 0): this {
    this.#memory(LANE_MEMORY_OPCODES[name], offset);
    this.#code.byte(lane);
    return this;
  }

  /** An atomic instruction on an aligned i32; its operands are on the stack. */
  atomic(name: AtomicOpcode, offset = 0): this {
    this.#code.opcode(ATOMIC_OPCODES[name]);
    this.#code.byte(2);
    this.#code.unsigned(offset);
    return this;
  }

  /** `target, source, byte count` on the stack; the ranges may overlap. */
  memoryCopy(): this {
    this.#code.opcode(0xfc000a);
    this.#code.byte(0);
    this.#code.byte(0);
    return this;
  }

  /** `target, byte value, byte count` on the stack. */
  memoryFill(): this {
    this.#code.opcode(0xfc000b);
    this.#code.byte(0);
    return this;
  }

  /** Calls a function. One that is told addresses gets those that this one was told. */
  call(functionIndex: number): this {
    for (const address of this.#told.slice(0, this.#toldOf(functionIndex))) this.get(address);
    return this.#indexed(0x10, functionIndex);
  }

  /** Runs the body; `br` to its label leaves it. */
  block(body: (exit: Label) => void): this {
    return this.#structured(0x02, body);
  }

  /** Runs the body once; `br` to its label runs it again. */
  loop(body: (again: Label) => void): this {
    return this.#structured(0x03, body);
  }

  /** Takes an i32 condition from the stack. With a `result`, both branches leave one value of that type. */
  if(then: () => void, otherwise?: () => void, result?: ValueType): this {
    this.#code.byte(0x04);
    this.#code.byte(result ? VALUE_TYPE_CODES[result] : EMPTY_BLOCK);
    this.#depth++;
    then();
    if (otherwise) {
      this.#code.byte(0x05);
      otherwise();
    }
    this.#depth--;
    this.#code.byte(0x0b);
    return this;
  }

  br(label: Label): this {
    return this.#indexed(0x0c, this.#depth - label.depth);
  }

  /** Takes an i32 condition from the stack. */
  brIf(label: Label): this {
    return this.#indexed(0x0d, this.#depth - label.depth);
  }

  /**
   * Counts `counter` from `start` up to but not including `end`, by `step` > 0. With constant bounds the test before
   * the first turn is left out, a single turn makes no loop, and no turn makes no code.
   */
  for(counter: Local, start: Operand, end: Operand, step: number, body: () => void): this {
    const constant = typeof start === 'number' && typeof end === 'number';
    if (constant && start >= end) return this;
    this.push(start).set(counter);
    if (constant && start + step >= end) {
      body();
      return this;
    }
    const turns = (): void => {
      this.loop((again) => {
        body();
        this.increment(counter, step).get(counter).push(end).op('i32.lt_s').brIf(again);
      });
    };
    if (constant) turns();
    else
      this.block((exit) => {
        this.get(counter).push(end).op('i32.ge_s').brIf(exit);
        turns();
      });
    return this;
  }

  /** Adds a constant or a local to an i32 local. */
  increment(local: Local, by: Operand): this {
    return by === 0 ? this : this.get(local).push(by).op('i32.add').set(local);
  }

  /** Pushes `local · scale`, as a shift where it can. */
  scaled(local: Local, scale: number): this {
    if (scale === 0) return this.i32(0);
    this.get(local);
    if (scale === 1) return this;
    const shift = 31 - Math.clz32(scale);
    if (scale > 0 && scale === 2 ** shift) return this.i32(shift).op('i32.shl');
    return this.i32(scale).op('i32.mul');
  }

  /** Pushes the sum of the terms and a constant. */
  sum(terms: readonly Term[], constant = 0): this {
    let pushed = false;
    for (const [local, scale] of terms) {
      if (scale === 0) continue;
      this.scaled(local, scale);
      if (pushed) this.op('i32.add');
      pushed = true;
    }
    if (!pushed) return this.i32(constant);
    return constant === 0 ? this : this.i32(constant).op('i32.add');
  }

  /** accumulator += a · b of f32x4, where `operands` pushes a and b. Fused where the engine can. */
  multiplyAdd(accumulator: Local, operands: () => unknown): this {
    if (this.relaxedSimd) {
      operands();
      return this.get(accumulator).op('f32x4.relaxed_madd').set(accumulator);
    }
    this.get(accumulator);
    operands();
    return this.op('f32x4.mul', 'f32x4.add').set(accumulator);
  }

  /** The body with its declaration of locals, as the code section holds it. */
  finish(): Uint8Array {
    const head = new ByteWriter(64);
    const runs: [type: ValueType, count: number][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[0] === type) last[1]++;
      else runs.push([type, 1]);
    }
    head.unsigned(runs.length);
    for (const [type, count] of runs) {
      head.unsigned(count);
      head.byte(VALUE_TYPE_CODES[type]);
    }
    head.bytes(this.#beginning.view());
    head.bytes(this.#code.view());
    head.byte(0x0b);
    return head.view();
  }

  /** Pushes the base address and gives the offset to use with it: a constant base moves into the offset. */
  #pushAddress(address: Operand | 'stack', offset: number): number {
    if (typeof address === 'number') {
      this.i32(0);
      return this.#addTold(address + offset);
    }
    if (address !== 'stack') this.get(address);
    return this.#addTold(offset);
  }

  /** Adds to the address on the stack what no offset of an instruction can be, and gives what it can. */
  #addTold(offset: number): number {
    if (isTold(offset)) {
      const { index, distance } = readTold(offset);
      this.get(this.#told[index] as Local).op('i32.add');
      return this.#addTold(distance);
    }
    // It is unsigned.
    if (offset >= 0) return offset;
    this.#add(offset);
    return 0;
  }

  #add(value: number): this {
    return value === 0 ? this : this.i32(value).op('i32.add');
  }

  #memory(code: number, offset: number): this {
    this.#code.opcode(code);
    // The alignment is a hint only; 0 (one byte) is valid for every access.
    this.#code.byte(0);
    this.#code.unsigned(offset);
    return this;
  }

  #indexed(code: number, index: number): this {
    this.#code.indexed(code, index);
    return this;
  }

  #structured(code: number, body: (label: Label) => void): this {
    this.#code.byte(code);
    this.#code.byte(EMPTY_BLOCK);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.#code.byte(0x0b);
    return this;
  }
}

const EMPTY_BLOCK = 0x40;
const V128_CONST = 0xfd000c;
const I8X16_SHUFFLE = 0xfd000d;

const FLOATS = new Float32Array(4);
const INTEGERS = new Int32Array(FLOATS.buffer);
const FLOAT_BYTES = new Uint8Array(FLOATS.buffer);
const DOUBLES = new Float64Array(1);
const DOUBLE_BYTES = new Uint8Array(DOUBLES.buffer);
