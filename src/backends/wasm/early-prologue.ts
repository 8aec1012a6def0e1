/** The prologue before the first run: weights are packed as they arrive, in whichever order they do. */
import { isPermanent, type MemoryPlan } from '../../compiler/plan.ts';
import type { Buffer } from '../../compiler/schedule.ts';
import type { Variable } from '../../graph/variable.ts';
import type { PrologueStep } from './emit-program.ts';

/** Steps that are done together, since what passes between them may lie where others have theirs. */
export interface ProloguePiece {
  readonly steps: readonly PrologueStep[];
  /** All on which what the steps leave behind depends. */
  readonly variables: ReadonlySet<Variable>;
}

/** Says what can be done of a prologue already, and then what is left of it. */
export class EarlyPrologue {
  readonly #pieces: readonly ProloguePiece[];
  readonly #waiting: Set<ProloguePiece>;
  /** How many waiting pieces depend on a variable. */
  readonly #uses = new Map<Variable, number>();

  constructor(prologue: readonly PrologueStep[], plan: MemoryPlan) {
    this.#pieces = piecesOf(prologue, plan);
    this.#waiting = new Set(this.#pieces);
    for (const { variables } of this.#pieces) {
      for (const variable of variables) this.#uses.set(variable, (this.#uses.get(variable) ?? 0) + 1);
    }
  }

  /**
   * The pieces that can be done, in their order. What a piece reads of an earlier one depends on no other variables than
   * its own, so that the earlier one comes before it.
   *
   * @param isCurrent whether the value of a variable is the one that was taken before, if one was
   */
  *ready(arrived: ReadonlySet<Variable>, isCurrent: (variable: Variable) => boolean): Generator<ProloguePiece> {
    for (const piece of this.#waiting) {
      if ([...piece.variables].every((variable) => arrived.has(variable) && isCurrent(variable))) yield piece;
    }
  }

  /** Notes that a piece is done, which else is left to the run; gives the variables that nothing else waits for. */
  finish(piece: ProloguePiece): Set<Variable> {
    this.#waiting.delete(piece);
    const done = new Set<Variable>();
    for (const variable of piece.variables) {
      const uses = (this.#uses.get(variable) ?? 0) - 1;
      this.#uses.set(variable, uses);
      if (uses === 0) done.add(variable);
    }
    return done;
  }

  /** The steps of pieces that were not done, or whose variables were assigned since. */
  stepsLeft(stale: ReadonlySet<Variable>): PrologueStep[] {
    return this.#pieces
      .filter((piece) => this.#waiting.has(piece) || [...piece.variables].some((variable) => stale.has(variable)))
      .flatMap(({ steps }) => steps);
  }
}

/** Cuts a prologue where nothing passes from one step to a later one. */
function piecesOf(prologue: readonly PrologueStep[], plan: MemoryPlan): ProloguePiece[] {
  const lastTouch = new Map<Buffer, number>();
  for (const [index, { reads, writes }] of prologue.entries()) {
    for (const buffer of [...reads, ...writes]) if (!isPermanent(plan, buffer)) lastTouch.set(buffer, index);
  }
  const pieces: ProloguePiece[] = [];
  let steps: PrologueStep[] = [];
  let end = 0;
  for (const [index, step] of prologue.entries()) {
    steps.push(step);
    for (const buffer of [...step.reads, ...step.writes]) end = Math.max(end, lastTouch.get(buffer) ?? index);
    if (index < end) continue;
    pieces.push({ steps, variables: new Set(steps.flatMap(({ variables }) => [...variables])) });
    steps = [];
    end = index + 1;
  }
  return pieces;
}
