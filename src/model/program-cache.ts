import type { Backend } from '../compiler/backend.ts';

/** What was compiled, by backend and by what it was compiled for; each once, and as long as the backend is there. */
export class ProgramCache<P> {
  readonly #programs = new WeakMap<Backend, Map<string, Promise<P>>>();

  /** The program under a key, compiled when it is first asked for. */
  get(backend: Backend, key: string, compile: () => Promise<P>): Promise<P> {
    const programs = this.#programs.get(backend) ?? new Map<string, Promise<P>>();
    const program = programs.get(key) ?? compile();
    this.#programs.set(backend, programs.set(key, program));
    return program;
  }
}
