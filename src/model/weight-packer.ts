import type { Program } from '../compiler/backend.ts';
import type { Variable } from '../graph/variable.ts';
import { nextTurn } from '../pause.ts';

/** Takes weights to their place in a program that is still being compiled, or there. */
export class WeightPacker {
  readonly #compiling: Promise<Program>;
  readonly #arrived = new Set<Variable>();
  /** Whether it is at work, or will not be any more. */
  #isBusy = false;
  #isStopped = false;

  constructor(compiling: Promise<Program>) {
    this.#compiling = compiling;
    // Who compiles says what is wrong.
    compiling.catch(() => {});
  }

  take(variable: Variable): void {
    this.#arrived.add(variable);
    if (this.#isBusy) return;
    this.#isBusy = true;
    // What fails here the first run does again, and says.
    this.#packAll().catch(() => {});
  }

  /** Leaves the rest to the first run, which does it at once. */
  stop(): void {
    this.#isStopped = true;
  }

  async #packAll(): Promise<void> {
    const program = await this.#compiling;
    let known = 0;
    while (!this.#isStopped && known < this.#arrived.size) {
      const size = this.#arrived.size;
      if (await program.prepare?.(this.#arrived)) await nextTurn();
      else known = size;
    }
    this.#isBusy = false;
  }
}
