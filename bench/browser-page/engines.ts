/** What runs a workload in a page: Hornet as an app bundles it, and its peers as their packages have them. */
import { loadModel, tensor, wasmBackend } from 'hornet';
import type { Onnxruntime, Tensorflow, TensorflowModel } from '../peers.ts';
import { type Contestant, contestantOf } from '../race.ts';

/** Where the files of a workload are; URLs. */
export interface Files {
  readonly title: string;
  readonly inputShape: readonly number[];
  readonly keras: string;
  readonly onnx: string;
  /** A `model.json`, where TensorFlow.js has the layers. */
  readonly layersModel: string | undefined;
  readonly input: string;
  /** What Keras answers. */
  readonly output: string;
  /** The folder of the peers' packages. */
  readonly packages: string;
}

type Ask = () => Promise<Float32Array>;

/** Loads the model; `predict` takes a host array and gives one, as with everybody here. */
export async function loadHornet(
  files: Files,
  threads: number,
): Promise<(values: Float32Array) => Promise<Float32Array>> {
  const model = await loadModel(files.keras, { compile: false });
  const options = { backend: wasmBackend({ threads }), batchSize: files.inputShape[0] as number };
  return async (values) => {
    return (await model.predict(tensor(values, files.inputShape), options)).data as Float32Array;
  };
}

export async function openHornet(files: Files, threads: number): Promise<Contestant> {
  const predict = await loadHornet(files, threads);
  const values = await readFloats(files.input);
  return contestantOf('Hornet', () => predict(values));
}

export async function openTensorflowJs(files: Files, url: string, threads: number): Promise<Contestant> {
  interface Global extends Omit<Tensorflow, 'loadLayersModel'> {
    readonly version_core: string;
    readonly wasm: {
      setWasmPaths(folder: string): void;
      setThreadsCount(count: number): void;
      getThreadsCount(): number;
    };
    setBackend(name: string): Promise<boolean>;
    loadLayersModel(url: string): Promise<TensorflowModel>;
  }
  const folder = `${files.packages}/@tensorflow`;
  for (const name of ['core', 'backend-cpu', 'backend-wasm', 'layers']) {
    await loadScript(`${folder}/tfjs-${name}/dist/tf-${name}.min.js`);
  }
  const { tf } = globalThis as unknown as { readonly tf: Global };
  tf.wasm.setWasmPaths(`${folder}/tfjs-backend-wasm/dist/`);
  tf.wasm.setThreadsCount(threads);
  // It takes half of the processors at most, unless it is told that there are more.
  Object.defineProperty(navigator, 'hardwareConcurrency', { configurable: true, value: 2 * threads });
  if (!(await tf.setBackend('wasm'))) throw new Error('Cannot start the backend wasm of TensorFlow.js');
  const model = await tf.loadLayersModel(url);
  const values = await readFloats(files.input);
  const found = crossOriginIsolated ? tf.wasm.getThreadsCount() : 1;
  if (found !== threads) throw new Error(`Cannot measure TensorFlow.js: it has ${found} threads, expected ${threads}`);
  return contestantOf(`TensorFlow.js ${tf.version_core} wasm`, () => {
    const input = tf.tensor(values, files.inputShape);
    const output = model.predict(input);
    const answer = output.dataSync();
    input.dispose();
    output.dispose();
    return answer;
  });
}

export async function openOnnxruntimeWeb(files: Files, threads: number): Promise<Contestant> {
  const folder = `${files.packages}/onnxruntime-web/dist/`;
  const address = `${folder}ort.wasm.min.mjs`;
  const runtime = (await import(/* @vite-ignore */ address)) as Onnxruntime;
  runtime.env.wasm.wasmPaths = folder;
  runtime.env.wasm.numThreads = threads;
  const session = await runtime.InferenceSession.create(new Uint8Array(await readBytes(files.onnx)), {
    graphOptimizationLevel: 'all',
    executionProviders: ['wasm'],
  });
  const values = await readFloats(files.input);
  const [inputName = ''] = session.inputNames;
  const [outputName = ''] = session.outputNames;
  const ask: Ask = async () => {
    const outputs = await session.run({ [inputName]: new runtime.Tensor('float32', values, files.inputShape) });
    return outputs[outputName]?.data as Float32Array;
  };
  return contestantOf(`onnxruntime-web ${runtime.env.versions.web}`, ask);
}

export async function readFloats(url: string): Promise<Float32Array> {
  return new Float32Array(await readBytes(url));
}

async function readBytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Cannot read ${url}: the server says ${response.status}`);
  return await response.arrayBuffer();
}

async function loadScript(url: string): Promise<void> {
  await new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`Cannot load ${url}`));
    document.head.append(script);
  });
}
