import type { Backend } from '../compiler/backend.ts';

let backend: Promise<Backend> | undefined;

/** The WebAssembly backend, loaded when it is first needed. */
export function defaultBackend(): Promise<Backend> {
  backend ??= import('../backends/wasm/wasm-backend.ts').then(({ wasmBackend }) => wasmBackend());
  return backend;
}
