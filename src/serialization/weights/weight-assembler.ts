import type { NarrowArray } from '../../array/narrow-array.ts';
import { type Shape, shapesEqual } from '../../array/shape.ts';
import { tensor as makeTensor, Tensor } from '../../array/tensor.ts';
import type { WeightEntry } from '../../formats/artifacts.ts';
import type { Variable } from '../../graph/variable.ts';
import type { Keep } from '../../model/narrow-weights.ts';
import type { LoadReport } from '../report.ts';
import type { PlanItem } from './plan.ts';

/** What there is of a weight. */
interface Kept {
  /** None of a weight that has it. */
  readonly value: Tensor | NarrowArray | undefined;
  readonly shape: Shape;
  readonly source: string;
}

/**
 * Takes the arrays of a plan as they arrive, in any order, and assigns the weights only when all are there: a load
 * that fails on the way leaves the model as it was.
 */
export class WeightAssembler {
  readonly #waiting = new Map<WeightEntry, PlanItem[]>();
  readonly #arrived = new Map<WeightEntry, Tensor>();
  readonly #values = new Map<Variable, Kept>();
  readonly #report: LoadReport;
  readonly #keepAs: Keep | undefined;
  readonly #onAssigned: ((variable: Variable) => void) | undefined;

  /**
   * @param keepAs gives what to keep of a value, as soon as it is there; all of it unless given
   * @param onAssigned hears of each weight that has its value; with it, weights get them as soon as they are there: those of
   *   a model that nobody has before the load is over
   */
  constructor(plan: readonly PlanItem[], report: LoadReport, keepAs?: Keep, onAssigned?: (variable: Variable) => void) {
    this.#report = report;
    this.#keepAs = keepAs;
    this.#onAssigned = onAssigned;
    for (const item of plan) {
      for (const entry of item.entries) {
        const items = this.#waiting.get(entry);
        if (items === undefined) this.#waiting.set(entry, [item]);
        else items.push(item);
      }
    }
  }

  /** The arrays to read, in the order of the plan. */
  get entries(): readonly WeightEntry[] {
    return [...this.#waiting.keys()];
  }

  /** Takes one array. Those that make a weight together are let go once it is made. */
  accept(entry: WeightEntry, tensor: Tensor): void {
    this.#arrived.set(entry, tensor);
    for (const item of this.#waiting.get(entry) ?? []) {
      if (!item.entries.every((part) => this.#arrived.has(part))) continue;
      const parts = item.entries.map((part) => this.#arrived.get(part) as Tensor);
      const value = item.convert === undefined ? (parts[0] as Tensor) : item.convert(parts);
      this.#keep(item, value);
    }
    const isDone = (item: PlanItem): boolean => this.#values.has(item.variable);
    for (const item of this.#waiting.get(entry) ?? []) {
      if (!isDone(item)) continue;
      for (const part of item.entries) if (this.#waiting.get(part)?.every(isDone)) this.#arrived.delete(part);
    }
  }

  #keep({ variable, entries }: PlanItem, given: Tensor): void {
    const source = entries[0]?.name ?? '';
    const fitting = given.dtype === variable.dtype ? given : cast(given, variable);
    const { shape } = fitting;
    const value = this.#keepAs?.(variable, fitting) ?? fitting;
    if (this.#onAssigned === undefined || !shapesEqual(variable.shape, shape)) {
      this.#values.set(variable, { value, shape, source });
      return;
    }
    assignment(variable, value)();
    this.#values.set(variable, { value: undefined, shape, source });
    this.#onAssigned(variable);
  }

  /** Weights whose value has another shape than they have; they are left out of `commit`. */
  checkShapes(): void {
    for (const [variable, { shape, source }] of this.#values) {
      if (shapesEqual(variable.shape, shape)) continue;
      this.#values.delete(variable);
      const mismatch = { weight: variable.path, source, found: shape, expected: variable.shape };
      this.#report.mismatched.push(mismatch);
    }
  }

  /** Gives every weight its value. */
  commit(): void {
    const assignments = Array.from(this.#values, ([variable, { value }]) => value && assignment(variable, value));
    for (const assign of assignments) assign?.();
    for (const { path } of this.#values.keys()) this.#report.matched.push(path);
  }
}

/** Checks a value; what it gives assigns it. */
function assignment(variable: Variable, value: Tensor | NarrowArray): () => void {
  return value instanceof Tensor ? variable.prepare(value) : (): void => variable.assignNarrow(value);
}

function cast(value: Tensor, variable: Variable): Tensor {
  return makeTensor(value.data as ArrayLike<number>, value.shape, variable.dtype);
}
