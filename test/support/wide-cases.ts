/** What vectors of 256 bits must compute to the same bits as those of 128: kernels, graphs, a training. */
import { createHash } from 'node:crypto';
import { planConvolve, planConvolveInputGradient } from '../../src/backends/wasm/contract-convolve.ts';
import { planDot } from '../../src/backends/wasm/contract-dot.ts';
import { planConvolveFilterGradient } from '../../src/backends/wasm/contract-filter-gradient.ts';
import { loadRareModules } from '../../src/backends/wasm/rare-code.ts';
import { wasmBackend } from '../../src/backends/wasm/wasm-backend.ts';
import {
  BatchNormalization,
  Conv2D,
  Dense,
  DepthwiseConv2D,
  GlobalAveragePooling2D,
  InputLayer,
  LSTM,
  Reshape,
  Sequential,
  tensor,
} from '../../src/index.ts';
import { outputShape } from './naive-convolve.ts';
import { Random, randomGraph } from './random-graph.ts';
import { runContract } from './run-contract.ts';
import { SeededNumbers } from './seeded-numbers.ts';

/** The bits of everything, by what it is. */
export async function wideCases(wide: boolean): Promise<Record<string, string>> {
  await loadRareModules('winograd');
  return {
    ...products(wide),
    ...convolutions(wide),
    ...(await graphs(wide)),
    ...(await training(wide)),
  };
}

function digest(...arrays: readonly ArrayBufferView[]): string {
  const hash = createHash('sha1');
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex').slice(0, 12);
}

function products(wide: boolean): Record<string, string> {
  const numbers = new SeededNumbers(3);
  const rows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17, 25, 49, 100];
  const columns = [1, 4, 7, 8, 9, 12, 13, 15, 16, 17, 20, 24, 31, 32, 40, 56, 100];
  const found: Record<string, string> = {};
  for (let round = 0; round < 120; round++) {
    const [m, k, n] = [numbers.pick(rows), numbers.pick([1, 3, 4, 9, 32, 77, 1500]), numbers.pick(columns)];
    const [transposeLeft, transposeRight, packed] = [round % 2 === 1, round % 4 > 1, round % 8 > 3];
    const plan = planDot({ batch: 1, m, k, n, transposeLeft, transposeRight, packed });
    const [left, right] = [numbers.floats(m * k), numbers.floats(k * n)];
    const finish = round % 3 === 0 ? { bias: numbers.floats(n), lower: -0.5, upper: 2 } : {};
    const { output } = runContract({ plan, left, right, outputLength: m * n, packed, wide, ...finish });
    found[`product ${round}: ${m} x ${k} x ${n}`] = digest(output);
  }
  return found;
}

function convolutions(wide: boolean): Record<string, string> {
  const numbers = new SeededNumbers(4);
  const found: Record<string, string> = {};
  for (let round = 0; round < 36; round++) {
    const isDepthwise = round % 3 === 0;
    const [inputs, outputs] = [numbers.pick([3, 8, 12, 16, 20, 32]), numbers.pick([5, 8, 12, 16, 24, 40])];
    const channels = isDepthwise ? inputs : outputs;
    const inputShape = [numbers.pick([1, 2]), numbers.integer(7, 19), numbers.integer(7, 19), inputs];
    const kernelShape = [3, round % 4 === 0 ? 2 : 3, isDepthwise ? 1 : inputs, channels];
    const stride = round % 5 === 0 ? 2 : 1;
    const groups = isDepthwise ? inputs : 1;
    const padding = [[1, 1] as const, [0, 1] as const];
    const attributes = { strides: [stride, stride], padding, dilation: [1, 1], groups };
    const given = { inputShape, kernelShape, attributes, packed: round % 2 === 0 };
    const length = (shape: readonly number[]): number => shape.reduce((size, extent) => size * extent, 1);
    const shape = outputShape(inputShape, kernelShape.slice(0, -2), attributes, channels);
    const [x, kernel, dy] = [inputShape, kernelShape, shape].map((each) => numbers.floats(length(each))) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const { packed } = given;
    const finish = { packed, wide, bias: numbers.floats(channels), lower: 0, upper: 6 };
    const forward = runContract({
      plan: planConvolve(given),
      left: x,
      right: kernel,
      outputLength: dy.length,
      ...finish,
    });
    const backward = runContract({
      plan: planConvolveInputGradient(given),
      left: dy,
      right: kernel,
      outputLength: x.length,
      packed,
      wide,
    });
    const filter = runContract({
      plan: planConvolveFilterGradient(given),
      left: x,
      right: dy,
      outputLength: kernel.length,
      wide,
    });
    found[`convolution ${round}: ${inputShape} with ${kernelShape}`] = digest(
      forward.output,
      backward.output,
      filter.output,
    );
  }
  return found;
}

async function graphs(wide: boolean): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (let seed = 1000; seed < 1060; seed++) {
    const random = new Random(seed);
    const graph = randomGraph(random);
    const inputs = graph.inputs.map((symbol) => random.floats(symbol.shape));
    const program = await wasmBackend({ wide }).compile(graph);
    const outputs = await program.run(inputs);
    found[`graph ${seed}`] = digest(...outputs.map(({ data }) => data as Float32Array));
  }
  return found;
}

/** Three epochs of a network with layers of all kinds that have products, on two threads. */
async function training(wide: boolean): Promise<Record<string, string>> {
  const model = new Sequential({
    layers: [
      new InputLayer({ batchShape: [null, 16, 16, 3] }),
      new Conv2D({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }),
      new Conv2D({ filters: 24, kernelSize: 3, padding: 'same' }),
      new BatchNormalization(),
      new DepthwiseConv2D({ kernelSize: 3, strides: 2, activation: 'relu6' }),
      new Conv2D({ filters: 32, kernelSize: 1, activation: 'tanh' }),
      new Reshape({ targetShape: [7, 7, 32] }),
      new GlobalAveragePooling2D(),
      new Reshape({ targetShape: [4, 8] }),
      new LSTM({ units: 20 }),
      new Dense({ units: 4, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy' });
  const numbers = new SeededNumbers(5);
  // Between 0 and 0.2: a variance is among them.
  const weightsOf = (shape: readonly number[], length: number) =>
    tensor(
      numbers.floats(length).map((value) => Math.abs(value) / 5),
      shape,
    );
  model.setWeights(model.getWeights().map(({ shape, data }) => weightsOf(shape, data.length)));
  const x = tensor(numbers.floats(40 * 16 * 16 * 3), [40, 16, 16, 3]);
  const y = tensor(
    Int32Array.from({ length: 40 }, (_, index) => index % 4),
    [40],
  );
  const backend = wasmBackend({ wide, threads: 2 });
  await model.fit(x, y, { epochs: 3, batchSize: 10, shuffle: false, backend });
  const weights = model.getWeights().map(({ data }) => data as Float32Array);
  const predicted = await model.predict(x, { backend });
  return { training: digest(...weights), prediction: digest(predicted.data as Float32Array) };
}
