/** How long MobileNetV2 takes for one image, on one thread, in turn with TensorFlow.js in the same process. */
import { readFileSync } from 'node:fs';
import { wasmBackend } from '../src/backends/wasm/wasm-backend.ts';
import { loadModel } from '../src/io/load.ts';
import { setBackend } from '../src/model/default-backend.ts';
import { layersModelFile } from './layers-model-file.ts';
import { type Findings, makeRow, median, spread } from './measure.ts';
import { openTensorflow } from './peers.ts';

const WARM_UPS = 8;
const REPEATS = 40;

/** Of the largest output: both sides, and Keras, have to agree to this before a time is told. */
const TOLERANCE = 1e-4;

const SHAPE = [1, 224, 224, 3];

/** Measures the model in `folder`. @throws when the answers differ. */
export async function measurePredict(folder: string): Promise<Findings> {
  const tensorflow = await openTensorflow('wasm');
  setBackend(wasmBackend({ threads: 1 }));
  const ours = await loadModel(`${folder}/mobilenet-v2.keras`);
  const theirs = await tensorflow.loadLayersModel(layersModelFile(`${folder}/mobilenet-v2/model.json`));
  const image = readFloats(`${folder}/mobilenet-v2-input.bin`);
  const askOurs = async (): Promise<Float32Array> => (await ours.predict(image)).data as Float32Array;
  const askTheirs = (): Float32Array => {
    const input = tensorflow.tensor(image, SHAPE);
    const output = theirs.predict(input);
    const answer = output.dataSync();
    input.dispose();
    output.dispose();
    return answer;
  };
  const started = performance.now();
  const answer = await askOurs();
  const first = performance.now() - started;
  checkEqual(answer, readFloats(`${folder}/mobilenet-v2-output.bin`), 'Keras');
  checkEqual(answer, askTheirs(), 'TensorFlow.js');

  for (let round = 0; round < WARM_UPS; round++) {
    await askOurs();
    askTheirs();
  }
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < REPEATS; round++) {
    times.ours.push(await timeOf(askOurs));
    times.theirs.push(await timeOf(askTheirs));
  }
  const peerName = `TensorFlow.js ${tensorflow.version}, backend wasm`;
  const name = 'predict MobileNetV2, one image, one thread';
  return {
    rows: [makeRow(name, median(times.ours), median(times.theirs), peerName, 'ms')],
    notes: [
      `${name}: ${REPEATS} times in turn, the middle half: Hornet ${spread(times.ours)} ms, ` +
        `TensorFlow.js ${spread(times.theirs)} ms; Hornet's first, with compilation, ${first.toFixed(0)} ms`,
    ],
  };
}

async function timeOf(task: () => unknown): Promise<number> {
  const started = performance.now();
  await task();
  return performance.now() - started;
}

function readFloats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function checkEqual(ours: Float32Array, theirs: Float32Array, peer: string): void {
  const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const error = theirs.reduce((most, value, index) => Math.max(most, Math.abs(value - (ours[index] as number))), 0);
  if (ours.length === theirs.length && error <= TOLERANCE * largest) return;
  throw new Error(
    `Cannot compare times with ${peer}: the answers differ by ${error / largest} of the largest output, expected ${TOLERANCE} at most`,
  );
}
