import type { Backend } from '../compiler/backend.ts';

/** What was compiled, by backend and by what it was compiled for; each once, and as long as the backend is there. */
export class ProgramCache<P> {
  #programs = new WeakMap<Backend, Map<string, Promise<P>>>();

  /** The program under a key, compiled when it is first asked for. */
  get(backend: Backend, key: string, compile: () => Promise<P>): Promise<P> {
    let programs = this.#programs.get(backend);
    if (programs === undefined) {
      programs = new Map();
      this.#programs.set(backend, programs);
    }
    let program = programs.get(key);
    if (program === undefined) {
      program = compile();
      programs.set(key, program);
    }
    return program;
  }

  clear(): void {
    this.#programs = new WeakMap();
  }
}
