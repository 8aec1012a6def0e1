/** The files that the benchmark needs, written when they are missing: models by Keras, their ONNX, our own code. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onnxPackages, pythonWithTensorflow } from './peers.ts';

const root: string = fileURLToPath(new URL('..', import.meta.url));

/** Those of `names` that have no files in `folder` are written. @throws where there is no Keras to write them. */
export function writeModels(folder: string, names: readonly string[], python: string | undefined): void {
  const missing = names.filter((name) => !existsSync(`${folder}/${name}-output.bin`));
  if (missing.length === 0) return;
  console.log(`Writing ${missing.join(', ')} with Keras …`);
  run(needed(python), [`${root}interop/make-bench-models.py`, ...missing]);
}

/** As `writeModels`, for NAME.onnx, which Keras on TensorFlow exports. */
export function writeOnnxModels(folder: string, names: readonly string[], python: string | undefined): void {
  const missing = names.filter((name) => !existsSync(`${folder}/${name}.onnx`));
  if (missing.length === 0) return;
  const tensorflow = pythonWithTensorflow(folder, needed(python));
  const packages = onnxPackages(folder, tensorflow);
  console.log(`Writing ${missing.join(', ')} as ONNX, half a minute each …`);
  run(tensorflow, [`${root}interop/make-bench-onnx.py`, ...missing], { PYTHONPATH: packages });
}

/** The package as it is published, made from the present source. Gives the folder of what Node loads of it. */
export function buildPackage(folder: string): string {
  const target = `${folder}/package`;
  run(process.execPath, [`${root}scripts/build.ts`, target]);
  return `${target}/node`;
}

function needed(python: string | undefined): string {
  if (python !== undefined) return python;
  throw new Error('Cannot measure: the models are written by Keras, expected it in interop/.venv; .ci/run makes that');
}

function run(program: string, words: readonly string[], variables: Readonly<Record<string, string>> = {}): void {
  const { status, stderr } = spawnSync(program, words, {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`Cannot run ${words.join(' ')}: it said ${stderr}`);
}
