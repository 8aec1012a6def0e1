/**
 * What Hornet is measured against. The packages live in a folder of their own, `bench/node_modules`, and are installed when
 * they are first needed; only what is used of them is typed here.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder: string = fileURLToPath(new URL('.', import.meta.url));

/** Installs the packages that `bench/package.json` names, where they are missing. */
export function installPeers(): void {
  const wanted = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { dependencies: Record<string, string> };
  const names = Object.keys(wanted.dependencies);
  if (names.every((name) => peerVersion(name) === wanted.dependencies[name])) return;
  console.log(`Installing ${names.join(', ')} into bench/node_modules …`);
  // Without scripts: that of onnxruntime-node fetches code for graphics cards from elsewhere. For processors it is all there.
  const words = ['install', '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', words, { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error('Cannot install what Hornet is measured against: npm install failed, see above');
}

export function peerVersion(name: string): string | undefined {
  const file = `${folder}/node_modules/${name}/package.json`;
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined;
}

export interface TensorflowTensor {
  dataSync(): Float32Array;
  dispose(): void;
}

export interface TensorflowModel {
  predict(input: TensorflowTensor): TensorflowTensor;
  compile(options: { readonly optimizer: string; readonly loss: string }): void;
  trainOnBatch(x: TensorflowTensor, y: TensorflowTensor): Promise<number>;
}

export interface Tensorflow {
  readonly version: string;
  tensor(data: Float32Array, shape: readonly number[]): TensorflowTensor;
  loadLayersModel(handler: { load(): Promise<unknown> }): Promise<TensorflowModel>;
}

/** TensorFlow.js with one of its backends: WebAssembly on one thread, which is all that it has under Node. */
export async function openTensorflow(backend: 'wasm' | 'cpu'): Promise<Tensorflow> {
  interface Core {
    readonly version_core: string;
    setBackend(name: string): Promise<boolean>;
    tensor: Tensorflow['tensor'];
  }
  const core = await importPeer<Core>('@tensorflow/tfjs-core');
  const layers = await importPeer<Pick<Tensorflow, 'loadLayersModel'>>('@tensorflow/tfjs-layers');
  await importPeer('@tensorflow/tfjs-backend-cpu');
  if (backend === 'wasm') {
    const wasm = await importPeer<{ setWasmPaths(path: string): void }>('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(`${folder}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
  }
  // It tells of itself on the console, which is where a child of the benchmark writes its answer.
  const { warn } = console;
  console.warn = () => {};
  if (!(await core.setBackend(backend))) throw new Error(`Cannot start the backend ${backend} of TensorFlow.js`);
  core.tensor(new Float32Array(1), [1]).dispose();
  console.warn = warn;
  return { version: core.version_core, tensor: core.tensor, loadLayersModel: layers.loadLayersModel };
}

export interface OnnxTensor {
  readonly data: unknown;
}

export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(inputs: Readonly<Record<string, OnnxTensor>>): Promise<Record<string, OnnxTensor>>;
  release(): Promise<void>;
}

export interface Onnxruntime {
  readonly env: {
    readonly versions: Readonly<Record<string, string>>;
    readonly wasm: { numThreads?: number; wasmPaths?: string };
  };
  readonly Tensor: new (dtype: 'float32', data: Float32Array, shape: readonly number[]) => OnnxTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
}

/** onnxruntime: as WebAssembly, or the native code that Node can load. */
export async function openOnnxruntime(kind: 'web' | 'node'): Promise<Onnxruntime> {
  const name = `onnxruntime-${kind}`;
  return (await import(name)) as Onnxruntime;
}

/** A Python with Keras on TensorFlow, in a folder of its own below `folder`; made with `python` when it is missing. */
export function pythonWithTensorflow(folder: string, python: string): string {
  const venv = `${folder}/tensorflow-venv`;
  const found = `${venv}/bin/python`;
  const packages = ['tensorflow-cpu==2.21.0', 'keras==3.15.1'];
  // Written last: its presence says that all is there.
  const marker = `${venv}/${packages.join('+')}`;
  if (existsSync(marker)) return found;
  console.log(`Installing ${packages.join(' and ')} into ${venv} …`);
  for (const [command, words] of [
    [python, ['-m', 'venv', venv]],
    [found, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]],
  ] as const) {
    const { status } = spawnSync(command, words, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`Cannot install Keras on TensorFlow: ${command} ${words.join(' ')} failed`);
  }
  writeFileSync(marker, '');
  return found;
}

/** What such a Python needs to write ONNX, in a folder of its own: PYTHONPATH has to name it. */
export function onnxPackages(folder: string, python: string): string {
  const target = `${folder}/onnx-packages`;
  const packages = ['tf2onnx==1.17.0', 'onnx==1.23.2'];
  const marker = `${target}/${packages.join('+')}`;
  if (existsSync(marker)) return target;
  console.log(`Installing ${packages.join(' and ')} into ${target} …`);
  // What they depend on, TensorFlow has brought.
  const words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--target', target];
  const { status } = spawnSync(python, [...words, ...packages], { stdio: 'inherit' });
  if (status !== 0) throw new Error('Cannot install what writes ONNX: pip install failed, see above');
  writeFileSync(marker, '');
  return target;
}

/** Of h5wasm: a tree of groups and datasets. */
export interface H5wasmGroup {
  keys(): string[];
  get(path: string): H5wasmGroup | { readonly value: unknown } | null;
}

export interface H5wasm {
  readonly ready: Promise<unknown>;
  readonly File: new (path: string, mode: 'r') => H5wasmGroup & { close(): unknown };
}

/** The build for Node, which reads from disk and not from a file system in memory. */
export async function openH5wasm(): Promise<H5wasm> {
  const url = pathToFileURL(`${folder}/node_modules/h5wasm/dist/node/hdf5_hl.js`).href;
  const h5wasm = (await import(url)) as { default: H5wasm };
  await h5wasm.default.ready;
  return h5wasm.default;
}

/** All packages of TensorFlow.js have to share one core: that is why each is taken as CommonJS. */
async function importPeer<T>(name: string): Promise<T> {
  return createRequire(import.meta.url)(name) as T;
}
