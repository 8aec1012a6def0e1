/**
 * One point of a growth curve, in a process of its own: `node --expose-gc growth-child.ts KIND SIZE` prints a `GrowthPoint`.
 *
 * KIND is a model whose batch has SIZE rows, or a chain of SIZE layers. One thread. Peak memory is the largest resident
 * set from before the model is compiled until after the first prediction, less that before.
 */

import { mobileNetV2 } from '../src/applications/mobile-net-v2.ts';
import { tensor } from '../src/array/tensor.ts';
import { wasmBackend } from '../src/backends/wasm/wasm-backend.ts';
import type { WasmProgram } from '../src/backends/wasm/wasm-program.ts';
import type { Backend } from '../src/compiler/backend.ts';
import { Conv2D } from '../src/layers/convolutional/conv.ts';
import { Dense } from '../src/layers/core/dense.ts';
import { input } from '../src/layers/input-layer.ts';
import type { KerasTensor } from '../src/layers/keras-tensor.ts';
import { Add } from '../src/layers/merging/merge.ts';
import { LayerNormalization } from '../src/layers/normalization/layer-normalization.ts';
import { GlobalAveragePooling2D } from '../src/layers/pooling/global-pooling.ts';
import { MaxPooling2D } from '../src/layers/pooling/pooling.ts';
import { Flatten } from '../src/layers/reshaping/reshape.ts';
import { LSTM } from '../src/layers/rnn/lstm.ts';
import type { KerasModel } from '../src/model/keras-model.ts';
import { Model } from '../src/model/model.ts';
import { median } from './measure.ts';
import { peakBytes, resetPeak } from './resident-set.ts';

export interface GrowthPoint {
  /** Of one prediction. */
  readonly ms: number;
  readonly compileMs: number;
  /** What the program keeps between runs: weights and constants. */
  readonly permanentBytes: number;
  /** What it needs for activations, inputs and outputs, and the bound below which no plan can get. */
  readonly activationBytes: number;
  readonly boundBytes: number;
  readonly peakBytes: number;
}

const REPEATS = 20;

/** The engine replaces its first code meanwhile, that of a kernel after some dozens of calls. */
const WARM_UPS = 60;
const LEAST_WARM_UP_MS = 700;
const MOST_WARM_UP_MS = 8000;

const kinds: Readonly<Record<string, (size: number) => Promise<{ model: KerasModel; batch: number }>>> = {
  cnn: async (batch) => ({ model: smallCnn(), batch }),
  mobilenet: async (batch) => ({
    model: await mobileNetV2({ inputShape: [96, 96, 3], weights: null, classes: 10 }),
    batch,
  }),
  lstm: async (batch) => ({ model: smallLstm(), batch }),
  dense: async (depth) => ({ model: denseChain(depth), batch: 1 }),
  residual: async (depth) => ({ model: residualChain(depth), batch: 1 }),
};

const [kind = '', size = ''] = process.argv.slice(2);
const make = kinds[kind];
if (make === undefined) throw new RangeError(`Cannot measure "${kind}": expected ${Object.keys(kinds).join(', ')}`);
const { model, batch } = await make(Number(size));
const inputShape = [batch, ...model.inputShape.slice(1).map((extent) => extent as number)];
const values = Float32Array.from({ length: inputShape.reduce((count, extent) => count * extent, 1) }, (_, index) =>
  Math.sin(index),
);
const inputs = tensor(values, inputShape);
const wasm = wasmBackend({ threads: 1 });
const programs: { program: WasmProgram; compileMs: number }[] = [];
const backend: Backend = {
  name: wasm.name,
  compile: async (...words) => {
    const started = performance.now();
    const program = await wasm.compile(...words);
    programs.push({ program, compileMs: performance.now() - started });
    return program;
  },
};
globalThis.gc?.();
const before = resetPeak();
await predict();
const peak = peakBytes() - before;
await warmUp();
const times: number[] = [];
for (let repeat = 0; repeat < REPEATS; repeat++) times.push(await predict());
const [{ program, compileMs }] = programs as [(typeof programs)[number]];
const { permanentBytes, totalBytes, lowerBoundBytes } = program.plan;
const point: GrowthPoint = {
  ms: median(times),
  compileMs,
  permanentBytes,
  activationBytes: totalBytes - permanentBytes,
  boundBytes: lowerBoundBytes - permanentBytes,
  peakBytes: peak,
};
console.log(JSON.stringify(point));
process.exit(0);

async function warmUp(): Promise<void> {
  const started = performance.now();
  for (let call = 0; ; call++) {
    const ms = performance.now() - started;
    if (ms > MOST_WARM_UP_MS || (ms > LEAST_WARM_UP_MS && call >= WARM_UPS)) return;
    await predict();
  }
}

async function predict(): Promise<number> {
  const started = performance.now();
  const output = await model.predict(inputs, { backend, batchSize: batch });
  if (!(output.data as Float32Array).every(Number.isFinite)) throw new Error('Cannot measure what is no number');
  return performance.now() - started;
}

function smallCnn(): KerasModel {
  const image = input({ shape: [32, 32, 3] });
  let x: KerasTensor = image;
  for (const filters of [32, 64]) {
    for (let index = 0; index < 2; index++) {
      x = new Conv2D({ filters, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(x);
    }
    x = new MaxPooling2D({ poolSize: 2 }).apply(x);
  }
  x = new Dense({ units: 256, activation: 'relu' }).apply(new Flatten().apply(x));
  return new Model({ inputs: image, outputs: new Dense({ units: 10, activation: 'softmax' }).apply(x) });
}

function smallLstm(): KerasModel {
  const steps = input({ shape: [50, 32] });
  return new Model({ inputs: steps, outputs: new LSTM({ units: 64 }).apply(steps) });
}

/** Layers that cannot be joined, small enough for the weights of a thousand to stay in caches. */
function denseChain(depth: number): KerasModel {
  const features = input({ shape: [32] });
  let x: KerasTensor = features;
  for (let index = 0; index < depth; index++) x = new Dense({ units: 32, activation: 'tanh' }).apply(x);
  return new Model({ inputs: features, outputs: x });
}

/** Blocks of a convolution, a normalization and a way around both, as deep networks have: three layers each. */
function residualChain(depth: number): KerasModel {
  const image = input({ shape: [16, 16, 16] });
  let x: KerasTensor = image;
  for (let index = 0; index < depth; index += 3) {
    const inner = new Conv2D({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(x);
    x = new LayerNormalization().apply(new Add().apply([x, inner]));
  }
  return new Model({ inputs: image, outputs: new GlobalAveragePooling2D().apply(x) });
}
