/** Prints what a process with vectors of 256 bits computes, and whether it has them, for `wide-vectors.test.ts`. */

import { wasmBackend } from '../../src/backends/wasm/wasm-backend.ts';
import { joinsVectors } from '../../src/backends/wasm/wide-vectors.ts';
import { apply, input } from '../../src/graph/apply.ts';
import type { SymbolicTensor } from '../../src/graph/node.ts';
import { wideCases } from './wide-cases.ts';

const PLAIN = { transposeLeft: false, transposeRight: false } as const;

/** Bytes of the module of a product of matrices: one for pairs of vectors is longer. */
async function moduleBytes(wide?: boolean): Promise<number> {
  let byteLength = 0;
  const { compile } = WebAssembly;
  WebAssembly.compile = (bytes) => {
    byteLength = bytes.byteLength;
    return compile(bytes);
  };
  const inputs = ['x', 'y'].map((name) => input(name, { shape: [32, 32], dtype: 'float32' }));
  const outputs = [apply('dot', inputs as [SymbolicTensor, SymbolicTensor], PLAIN)];
  await wasmBackend(wide === undefined ? {} : { wide }).compile({ inputs, outputs });
  WebAssembly.compile = compile;
  return byteLength;
}

const joins: boolean = await joinsVectors();
const bytes = { narrow: await moduleBytes(false), wide: await moduleBytes(true), unsaid: await moduleBytes() };
console.log(JSON.stringify({ joins, bytes, cases: await wideCases(true) }));
