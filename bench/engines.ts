/** What runs a workload: Hornet, and each of its peers. */
import { readFileSync } from 'node:fs';
import { tensor } from '../src/array/tensor.ts';
import { wasmBackend } from '../src/backends/wasm/wasm-backend.ts';
import { loadModel } from '../src/io/load.ts';
import { type AskedChild, startChild } from './asked-child.ts';
import { layersModelFile } from './layers-model-file.ts';
import { type Onnxruntime, openOnnxruntime, openTensorflow, pythonWithTensorflow } from './peers.ts';
import { type Contestant, contestantOf } from './race.ts';
import { readInput, type Workload } from './workloads.ts';

/** Calls `predict` on a host array and reads a host array, as everybody here does. */
export async function openHornet(folder: string, work: Workload, threads: number): Promise<Contestant> {
  const model = await loadModel(`${folder}/${work.name}.keras`, { compile: false });
  const backend = wasmBackend({ threads });
  const input = tensor(readInput(folder, work), work.inputShape);
  const options = { backend, batchSize: work.inputShape[0] as number };
  const name = threads === 1 ? 'Hornet' : `Hornet, ${threads} threads`;
  return contestantOf(name, async () => (await model.predict(input, options)).data as Float32Array);
}

/** With kernels of 256 bits, in a process of its own: the engine's flag is for all of a process. */
export async function openWideHornet(folder: string, work: Workload, threads: number): Promise<Contestant> {
  const words = [folder, work.name, String(threads)];
  const child = startChild(process.execPath, 'predict-child.ts', words, { HORNET_WIDE: '1' });
  await child.next();
  return askedContestant('Hornet, wide', child);
}

/** The WebAssembly backend, which has one thread in Node. */
export async function openTensorflowJs(folder: string, work: Workload): Promise<Contestant> {
  const tensorflow = await openTensorflow('wasm');
  const model = await tensorflow.loadLayersModel(layersModelFile(`${folder}/${work.name}/model.json`));
  const values = readInput(folder, work);
  return contestantOf(`TensorFlow.js ${tensorflow.version} wasm`, () => {
    const input = tensorflow.tensor(values, work.inputShape);
    const output = model.predict(input);
    const answer = output.dataSync();
    input.dispose();
    output.dispose();
    return answer;
  });
}

export async function openOnnxruntimeWeb(folder: string, work: Workload): Promise<Contestant> {
  const runtime = await openOnnxruntime('web');
  runtime.env.wasm.numThreads = 1;
  return await openSession(runtime, `onnxruntime-web ${runtime.env.versions.web}`, folder, work, {
    executionProviders: ['wasm'],
  });
}

export async function openOnnxruntimeNode(folder: string, work: Workload, threads: number): Promise<Contestant> {
  const runtime = await openOnnxruntime('node');
  return await openSession(runtime, `onnxruntime-node ${runtime.env.versions.node}`, folder, work, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
}

async function openSession(
  { InferenceSession, Tensor }: Onnxruntime,
  name: string,
  folder: string,
  work: Workload,
  options: Readonly<Record<string, unknown>>,
): Promise<Contestant> {
  const session = await InferenceSession.create(readFileSync(`${folder}/${work.name}.onnx`), {
    graphOptimizationLevel: 'all',
    ...options,
  });
  const values = readInput(folder, work);
  const [inputName = ''] = session.inputNames;
  const [outputName = ''] = session.outputNames;
  const ask = async (): Promise<Float32Array> => {
    const outputs = await session.run({ [inputName]: new Tensor('float32', values, work.inputShape) });
    return outputs[outputName]?.data as Float32Array;
  };
  return contestantOf(name, ask, () => session.release());
}

/** Keras on TensorFlow: the model as a `tf.function`, on as many cores as `threads` says. */
export async function openKeras(folder: string, work: Workload, python: string, threads: number): Promise<Contestant> {
  const words = [`${folder}/${work.name}.keras`, `${folder}/${work.name}-input.bin`, String(threads)];
  const child = startChild(pythonWithTensorflow(folder, python), 'predict-child.py', words);
  const { version } = await child.next<{ version: string }>();
  return askedContestant(`Keras ${version}, tf.function`, child);
}

/** A contestant in a process that answers `answer` and `turn N`. */
function askedContestant(name: string, child: AskedChild): Contestant {
  const ask = async <T>(line: string): Promise<T> => {
    child.send(line);
    return await child.next<T>();
  };
  return {
    name,
    answer: async () => Float32Array.from(await ask<number[]>('answer')),
    turn: async (calls) => await ask<number>(`turn ${calls}`),
    close: child.close,
  };
}
