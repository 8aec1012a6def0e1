import type { Backend } from '../compiler/backend.ts';

let backend: Promise<Backend> | undefined;

/** What `setBackend` was given; unless it was, the WebAssembly backend, loaded when it is first needed. */
export function defaultBackend(): Promise<Backend> {
  backend ??= import('../backends/wasm/wasm-backend.ts').then(({ wasmBackend }) => wasmBackend());
  return backend;
}

/**
 * Says which backend compiles and runs the programs of all models, where no option `backend` says otherwise:
 * `setBackend(wasmBackend({ threads: 1 }))`.
 */
export function setBackend(chosen: Backend): void {
  backend = Promise.resolve(chosen);
}
