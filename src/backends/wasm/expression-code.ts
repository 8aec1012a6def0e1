/**
 * Code for the value of an expression at a point of a domain, always as a vector of four lanes: float32 as f32x4, int32
 * as i32x4, bool as an i32x4 mask of all ones or zeros. A group of four elements and a single one use the same code;
 * for a single one only lane 0 means anything.
 */
import { stridesIn } from '../../compiler/collapse.ts';
import { type Access, type Expression, type NumericDtype, visitExpression } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local, Term } from './assembler-function.ts';
import { emitElementwise } from './elementwise-code.ts';
import { elementBytes, type KernelContext } from './kernel-context.ts';
import { splitTold } from './told-address.ts';

/** How a kernel walks its domain where the code is placed. */
export interface Walk {
  readonly domain: readonly number[];
  /** The axis along which the four lanes lie. */
  readonly vectorAxis: number;
  /** The axis of the innermost loop: what does not depend on it is computed before that loop. */
  readonly innerAxis: number;
  /** The coordinate along each axis. */
  readonly coordinates: readonly Local[];
}

/** Four lanes, or one. */
export type Lanes = 4 | 1;

/** Writes the values of expressions at the places that a walk passes. */
export class ExpressionCode {
  readonly #context: KernelContext;
  readonly #f: FunctionBuilder;
  readonly #walk: Walk;
  readonly #lanes: Lanes;
  /** Byte offsets that the axes outside the innermost loop contribute, by strides and the address that they are added to. */
  readonly #bases = new Map<string, Local>();
  /** Values that do not change in the innermost loop: one, or one for each group of lanes. */
  readonly #hoisted = new Map<Expression, readonly Local[]>();
  /** Byte offsets that are computed once in a turn. */
  #positions: Map<string, Local> | undefined;

  constructor(context: KernelContext, f: FunctionBuilder, walk: Walk, lanes: Lanes) {
    this.#context = context;
    this.#f = f;
    this.#walk = walk;
    this.#lanes = lanes;
  }

  /**
   * Writes what is computed once before the innermost loop. Call where all coordinates but the inner are set.
   *
   * @param groups how many groups of lanes will be pushed side by side along the vector axis
   */
  prepare(values: readonly Expression[], stores: readonly Access[] = [], groups = 1): void {
    for (const access of stores) this.#prepareAccess(access);
    const invariant = new Set<Expression>();
    for (const value of values) {
      visitExpression(value, (part) => {
        if (part.kind === 'load') this.#prepareAccess(part.access);
        else if (part.kind === 'affine') this.#prepareBase(part.strides, 1, 0);
        if (this.#isInvariant(part, invariant)) invariant.add(part);
      });
    }
    // Maximal invariant parts only: their own parts are reached through them.
    const seen = new Set<Expression>();
    const hoist = (part: Expression): void => {
      if (seen.has(part) || part.kind === 'immediate') return;
      seen.add(part);
      if (invariant.has(part)) {
        const count = variesAlong(part, this.#walk.vectorAxis) ? groups : 1;
        const locals = this.#f.localsOf('v128', count);
        for (const [group, local] of locals.entries()) {
          this.push(part, group * this.#lanes);
          this.#f.set(local);
        }
        this.#hoisted.set(part, locals);
      } else if (part.kind === 'apply') {
        part.operands.forEach(hoist);
      }
    };
    values.forEach(hoist);
  }

  /**
   * Keeps addresses from here on, where the coordinates no longer change: the engine joins only what has one address, and
   * offsets to it.
   */
  keepAddresses(): void {
    this.#positions = new Map();
  }

  /** Gives back the locals that it took. */
  release(): void {
    this.#f.release(...this.#bases.values(), ...[...this.#hoisted.values()].flat());
    this.#f.release(...(this.#positions?.values() ?? []));
    this.#positions = undefined;
    this.#bases.clear();
    this.#hoisted.clear();
  }

  /** Pushes the value, `ahead` elements further along the vector axis. */
  push(value: Expression, ahead = 0): void {
    const shared = new Map<Expression, Local>();
    const uses = new Map<Expression, number>();
    const count = (part: Expression): void => {
      const before = uses.get(part) ?? 0;
      uses.set(part, before + 1);
      if (before === 0 && part.kind === 'apply' && !this.#hoisted.has(part)) part.operands.forEach(count);
    };
    count(value);
    this.#pushPart(value, ahead, shared, uses);
    this.#f.release(...shared.values());
  }

  /** Stores what `value` pushes. */
  store(access: Access, value: () => void, ahead = 0): void {
    const f = this.#f;
    const { dtype } = access.buffer;
    const stride = access.strides[this.#walk.vectorAxis] ?? 0;
    if (this.#lanes === 4 && stride !== 1) {
      const vector = f.local('v128');
      value();
      if (dtype === 'bool') this.#packBool();
      f.set(vector);
      for (let lane = 0; lane < 4; lane++) {
        const offset = this.#pushAddress(access, ahead + lane);
        f.get(vector).laneMemory(dtype === 'bool' ? 'v128.store8_lane' : 'v128.store32_lane', lane, offset);
      }
      f.release(vector);
      return;
    }
    const offset = this.#pushAddress(access, ahead);
    value();
    if (dtype === 'bool') {
      this.#packBool();
      f.laneMemory(this.#lanes === 4 ? 'v128.store32_lane' : 'v128.store8_lane', 0, offset);
    } else if (this.#lanes === 4) {
      f.store('v128.store', offset);
    } else {
      f.laneMemory('v128.store32_lane', 0, offset);
    }
  }

  #pushPart(part: Expression, ahead: number, shared: Map<Expression, Local>, uses: Map<Expression, number>): void {
    const f = this.#f;
    const hoisted = this.#hoisted.get(part);
    const known = hoisted?.[hoisted.length === 1 ? 0 : ahead / this.#lanes] ?? shared.get(part);
    if (known !== undefined) {
      f.get(known);
      return;
    }
    switch (part.kind) {
      case 'immediate':
        pushImmediate(f, part.dtype, part.value);
        return;
      case 'load':
        this.#pushLoad(part.access, part.dtype, ahead);
        break;
      case 'affine':
        this.#pushAffine(part.offset, part.strides, part.dtype, ahead);
        break;
      case 'apply': {
        const operands = part.operands.map((operand) => () => this.#pushPart(operand, ahead, shared, uses));
        const dtypes = part.operands.map((operand) => operand.dtype);
        emitElementwise(this.#context.module, f, part.primitive, operands, dtypes, part.dtype);
        break;
      }
    }
    if ((uses.get(part) ?? 0) > 1) {
      const local = f.local('v128');
      f.tee(local);
      shared.set(part, local);
    }
  }

  #pushLoad(access: Access, dtype: NumericDtype, ahead: number): void {
    const f = this.#f;
    const stride = access.strides[this.#walk.vectorAxis] ?? 0;
    if (dtype === 'bool') {
      if (stride === 0) {
        f.load('v128.load8_splat', 'stack', this.#pushAddress(access, 0));
      } else if (this.#lanes === 1) {
        f.load('i32.load8_u', 'stack', this.#pushAddress(access, ahead)).op('i32x4.splat');
      } else if (stride === 1) {
        f.load('v128.load32_zero', 'stack', this.#pushAddress(access, ahead));
        f.op('i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_u');
      } else {
        f.i32x4(0);
        for (let lane = 0; lane < 4; lane++) {
          f.load('i32.load8_u', 'stack', this.#pushAddress(access, ahead + lane)).lane('i32x4.replace_lane', lane);
        }
      }
      f.i32x4(0).op('i32x4.ne');
    } else if (stride === 0) {
      f.load('v128.load32_splat', 'stack', this.#pushAddress(access, 0));
    } else if (this.#lanes === 1) {
      f.load('v128.load32_zero', 'stack', this.#pushAddress(access, ahead));
    } else if (stride === 1) {
      f.load('v128.load', 'stack', this.#pushAddress(access, ahead));
    } else {
      const vector = f.local('v128');
      f.load('v128.load32_zero', 'stack', this.#pushAddress(access, ahead)).set(vector);
      for (let lane = 1; lane < 4; lane++) {
        const offset = this.#pushAddress(access, ahead + lane);
        f.get(vector).laneMemory('v128.load32_lane', lane, offset).set(vector);
      }
      f.get(vector).release(vector);
    }
  }

  #pushAffine(offset: number, strides: readonly number[], dtype: NumericDtype, ahead: number): void {
    const f = this.#f;
    const lane = strides[this.#walk.vectorAxis] ?? 0;
    this.#pushPosition(strides, 1, 0, offset + ahead * lane);
    f.op('i32x4.splat');
    if (lane !== 0) f.i32x4([0, lane, 2 * lane, 3 * lane]).op('i32x4.add');
    if (dtype === 'float32') f.op('f32x4.convert_i32x4_s');
  }

  /** Pushes the part of an address that varies and gives the part that does not. */
  #pushAddress(access: Access, ahead: number): number {
    const bytes = elementBytes(access.buffer.dtype);
    const stride = access.strides[this.#walk.vectorAxis] ?? 0;
    const constant = this.#context.addressOf(access.buffer) + (access.offset + ahead * stride) * bytes;
    const { told, distance } = splitTold(constant);
    // A negative term would wrap around as an unsigned address before the offset is added to it.
    const isOffset = distance >= 0 && access.strides.every((each) => each >= 0);
    this.#pushPosition(access.strides, bytes, told, isOffset ? 0 : distance);
    return isOffset ? distance : 0;
  }

  #pushPosition(strides: readonly number[], scale: number, told: number, constant: number): void {
    const { innerAxis } = this.#walk;
    const key = `${this.#baseKey(strides, scale, told)}:${(strides[innerAxis] ?? 0) * scale}`;
    const kept = constant === 0 ? this.#positions?.get(key) : undefined;
    if (kept !== undefined) {
      this.#f.get(kept);
      return;
    }
    this.#pushSum(strides, scale, told, constant);
    if (constant !== 0 || this.#positions === undefined) return;
    const position = this.#f.local('i32');
    this.#f.tee(position);
    this.#positions.set(key, position);
  }

  #pushSum(strides: readonly number[], scale: number, told: number, constant: number): void {
    const { innerAxis, coordinates } = this.#walk;
    const base = this.#bases.get(this.#baseKey(strides, scale, told));
    const terms: Term[] = base === undefined ? [] : [[base, 1]];
    const inner = coordinates[innerAxis];
    const innerStride = strides[innerAxis] ?? 0;
    if (inner !== undefined && innerStride !== 0) terms.push([inner, innerStride * scale]);
    this.#f.sum(terms, base === undefined ? told + constant : constant);
  }

  #baseKey(strides: readonly number[], scale: number, told: number): string {
    return `${told}:${strides.map((stride, axis) => (axis === this.#walk.innerAxis ? '' : stride * scale))}`;
  }

  #prepareAccess({ buffer, strides }: Access): void {
    this.#prepareBase(strides, elementBytes(buffer.dtype), splitTold(this.#context.addressOf(buffer)).told);
  }

  #prepareBase(strides: readonly number[], scale: number, told: number): void {
    const key = this.#baseKey(strides, scale, told);
    if (this.#bases.has(key)) return;
    const terms: Term[] = [];
    for (const [axis, stride] of strides.entries()) {
      if (axis !== this.#walk.innerAxis && stride !== 0) {
        terms.push([this.#walk.coordinates[axis] as Local, stride * scale]);
      }
    }
    if (terms.length === 0) return;
    const base = this.#f.local('i32');
    this.#f.sum(terms, told).set(base);
    this.#bases.set(key, base);
  }

  #isInvariant(part: Expression, invariant: ReadonlySet<Expression>): boolean {
    const { innerAxis } = this.#walk;
    switch (part.kind) {
      case 'immediate':
        return true;
      case 'load':
        return (part.access.strides[innerAxis] ?? 0) === 0;
      case 'affine':
        return (part.strides[innerAxis] ?? 0) === 0;
      case 'apply':
        return part.operands.every((operand) => operand.kind === 'immediate' || invariant.has(operand));
    }
  }

  /** The mask on the stack as four bytes, 0 or 1, in its lowest 32 bits. */
  #packBool(): void {
    const mask = this.#f.local('v128');
    this.#f.i32x4(1).op('v128.and').tee(mask).get(mask).op('i16x8.narrow_i32x4_u');
    this.#f.tee(mask).get(mask).op('i8x16.narrow_i16x8_u').release(mask);
  }
}

function variesAlong(value: Expression, axis: number): boolean {
  return stridesIn([value]).some((strides) => (strides[axis] ?? 0) !== 0);
}

/** Pushes a number in all lanes; a bool as a mask. */
export function pushImmediate(f: FunctionBuilder, dtype: NumericDtype, value: number): void {
  if (dtype === 'float32') f.f32x4(value);
  else if (dtype === 'int32') f.i32x4(value);
  else f.i32x4(value === 0 ? 0 : -1);
}
