/**
 * Loops of the prologue in shared functions: folding batch normalisations takes three small loops for each of a model's
 * convolutions, which differ in nothing but their extents and addresses. Each runs once, so that these are parameters.
 *
 * The function `(rows, columns, places…)` goes over a matrix. Of each operand, and of what is stored, it is told where the
 * first row begins, in elements of 4 bytes; the next row is the next one in memory, or the same one again.
 */
import { collapseDomain, stridesIn, withStrides } from '../../compiler/collapse.ts';
import type { Access, Expression, LoopKernel } from '../../compiler/schedule.ts';
import type { FunctionBuilder, Local } from './assembler-function.ts';
import { describeExpression } from './describe-expression.ts';
import { elementBytes, type KernelContext } from './kernel-context.ts';
import { writeRow } from './loop-code.ts';

/** What calls a function of the prologue. */
export interface PrologueCall {
  readonly exportName: string;
  readonly words: readonly number[];
}

/** How an operand moves from row to row and within a row. */
interface Step {
  readonly perRow: boolean;
  readonly perColumn: boolean;
}

/** A loop without its extents and addresses. */
interface Pattern {
  /** The same for loops that one function can do. */
  readonly key: string;
  readonly value: Expression;
  /** What is stored comes first. */
  readonly accesses: readonly Access[];
  readonly steps: readonly Step[];
  readonly rows: number;
  readonly columns: number;
}

/** Writes functions as they are needed, and says how a loop calls its own. */
export class PrologueLoops {
  readonly #context: KernelContext;
  readonly #names = new Map<string, string>();

  constructor(context: KernelContext) {
    this.#context = context;
  }

  /** The call that does a loop; nothing for one that needs a function of its own. */
  callOf(loop: LoopKernel): PrologueCall | undefined {
    const pattern = patternOf(loop);
    if (pattern === undefined) return undefined;
    const { key, rows, columns, accesses } = pattern;
    const exportName = this.#names.get(key) ?? this.#write(pattern);
    this.#names.set(key, exportName);
    const places = accesses.map(({ buffer, offset }) => this.#context.addressOf(buffer) / 4 + offset);
    return { exportName, words: [rows, columns, ...places] };
  }

  #write({ value, accesses, steps }: Pattern): string {
    const { module } = this.#context;
    // Each operand has an axis of its own, along which its rows lie: the coordinate is where the present row begins.
    const changed = new Map(accesses.map((access, index) => [access, withOwnAxis(access, index, steps)] as const));
    const moved = withAccesses(value, changed);
    const context: KernelContext = { ...this.#context, addressOf: () => 0 };
    const params = new Array<'i32'>(2 + accesses.length).fill('i32');
    const index = module.function(params, [], (f) => {
      const [rows, columns] = [f.param(0), f.param(1)];
      const places = accesses.map((_, access) => f.param(2 + access));
      const [row, start, column] = f.localsOf('i32', 3) as [Local, Local, Local];
      const innerAxis = accesses.length;
      // No code depends on extents, which are not known here.
      const domain = new Array<number>(innerAxis + 1).fill(1);
      const walk = { domain, vectorAxis: innerAxis, innerAxis, coordinates: [...places, column] };
      f.i32(0).set(start);
      forEachTurn(f, row, rows, () => {
        writeRow(context, f, walk, changed.get(accesses[0] as Access) as Access, moved, start, columns);
        for (const [access, { perRow }] of steps.entries()) {
          if (perRow) f.increment(places[access] as Local, columns);
        }
      });
    });
    const exportName = `loops${this.#names.size}`;
    module.exportFunction(exportName, index);
    return exportName;
  }
}

function forEachTurn(f: FunctionBuilder, turn: Local, turns: Local, body: () => void): void {
  f.i32(0).set(turn);
  f.block((exit) => {
    f.loop((again) => {
      f.get(turn).get(turns).op('i32.ge_s').brIf(exit);
      body();
      f.increment(turn, 1).br(again);
    });
  });
}

/** Tells what is the same in many loops from what is not; nothing for loops that are no walks over matrices. */
function patternOf({ domain, store, value }: LoopKernel): Pattern | undefined {
  const collapsed = collapseDomain([domain], [...stridesIn([value]), store.strides]);
  const extents = collapsed.groups[0] as readonly number[];
  if (extents.length === 0 || extents.length > 2) return undefined;
  const [rows, columns] = extents.length === 1 ? [1, extents[0] as number] : (extents as readonly [number, number]);
  const [simple] = withStrides([value], collapsed.strides) as [Expression];
  const target: Access = { ...store, strides: collapsed.strides(store.strides) };
  const accesses = [target];
  const text = describeExpression(simple, (part) => {
    if (part.kind === 'affine') return undefined;
    if (!accesses.includes(part.access)) accesses.push(part.access);
    return String(accesses.indexOf(part.access));
  });
  const steps = accesses.map((access) => stepOf(access, rows, columns));
  if (text === undefined || steps.some((step) => step === undefined)) return undefined;
  const known = steps as readonly Step[];
  if (known[0]?.perColumn !== true || (rows > 1 && !known[0].perRow)) return undefined;
  const moves = known.map(({ perRow, perColumn }) => Number(perRow) + 2 * Number(perColumn));
  const key = `${text} ${moves} ${target.buffer.dtype}`;
  return { key, value: simple, accesses, steps: known, rows, columns };
}

function stepOf({ buffer, strides }: Access, rows: number, columns: number): Step | undefined {
  if (elementBytes(buffer.dtype) !== 4) return undefined;
  const [ofRow, ofColumn] = strides.length === 1 ? [0, strides[0]] : strides;
  const isRow = ofRow === 0 || ofRow === columns;
  if (!isRow || (ofColumn !== 0 && ofColumn !== 1)) return undefined;
  return { perRow: rows > 1 && ofRow === columns, perColumn: ofColumn === 1 };
}

function withOwnAxis(access: Access, index: number, steps: readonly Step[]): Access {
  const strides = steps.map((_, axis) => (axis === index ? 1 : 0));
  return { ...access, offset: 0, strides: [...strides, steps[index]?.perColumn ? 1 : 0] };
}

function withAccesses(part: Expression, changed: ReadonlyMap<Access, Access>): Expression {
  switch (part.kind) {
    case 'load':
      return { ...part, access: changed.get(part.access) ?? part.access };
    case 'apply':
      return { ...part, operands: part.operands.map((operand) => withAccesses(operand, changed)) };
    default:
      return part;
  }
}
