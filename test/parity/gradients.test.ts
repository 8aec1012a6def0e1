/** Gradients of every layer with respect to inputs and weights: what the rules give, compiled, against Keras on JAX. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Tensor } from '../../src/array/tensor.ts';
import { gradients } from '../../src/autodiff/gradients.ts';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import { wasmBackend } from '../../src/backends/wasm/wasm-backend.ts';
import { parameter } from '../../src/graph/apply.ts';
import type { Graph, SymbolicTensor } from '../../src/graph/node.ts';
import type { Variable } from '../../src/graph/variable.ts';
import * as activation from '../../src/layers/activations/activation.ts';
import * as prelu from '../../src/layers/activations/prelu.ts';
import * as rectifiers from '../../src/layers/activations/rectifiers.ts';
import * as softmax from '../../src/layers/activations/softmax.ts';
import * as attention from '../../src/layers/attention/attention.ts';
import * as groupedQueryAttention from '../../src/layers/attention/grouped-query-attention.ts';
import * as multiHeadAttention from '../../src/layers/attention/multi-head-attention.ts';
import * as conv from '../../src/layers/convolutional/conv.ts';
import * as convTranspose from '../../src/layers/convolutional/conv-transpose.ts';
import * as depthwiseConv from '../../src/layers/convolutional/depthwise-conv.ts';
import * as locallyConnected from '../../src/layers/convolutional/locally-connected.ts';
import * as separableConv from '../../src/layers/convolutional/separable-conv.ts';
import * as dense from '../../src/layers/core/dense.ts';
import * as einsumDense from '../../src/layers/core/einsum-dense.ts';
import * as embedding from '../../src/layers/core/embedding.ts';
import * as identity from '../../src/layers/core/identity.ts';
import * as masking from '../../src/layers/core/masking.ts';
import * as concatenate from '../../src/layers/merging/concatenate.ts';
import * as dot from '../../src/layers/merging/dot.ts';
import * as merge from '../../src/layers/merging/merge.ts';
import * as batchNormalization from '../../src/layers/normalization/batch-normalization.ts';
import * as groupNormalization from '../../src/layers/normalization/group-normalization.ts';
import * as layerNormalization from '../../src/layers/normalization/layer-normalization.ts';
import * as spectralNormalization from '../../src/layers/normalization/spectral-normalization.ts';
import * as adaptivePooling from '../../src/layers/pooling/adaptive-pooling.ts';
import * as globalPooling from '../../src/layers/pooling/global-pooling.ts';
import * as pooling from '../../src/layers/pooling/pooling.ts';
import * as normalization from '../../src/layers/preprocessing/normalization.ts';
import * as pipeline from '../../src/layers/preprocessing/pipeline.ts';
import * as rescaling from '../../src/layers/preprocessing/rescaling.ts';
import * as stftSpectrogram from '../../src/layers/preprocessing/stft-spectrogram.ts';
import * as cropping from '../../src/layers/reshaping/cropping.ts';
import * as reshape from '../../src/layers/reshaping/reshape.ts';
import * as upSampling from '../../src/layers/reshaping/up-sampling.ts';
import * as zeroPadding from '../../src/layers/reshaping/zero-padding.ts';
import * as bidirectional from '../../src/layers/rnn/bidirectional.ts';
import * as convLstm from '../../src/layers/rnn/conv-lstm.ts';
import * as gru from '../../src/layers/rnn/gru.ts';
import * as lstm from '../../src/layers/rnn/lstm.ts';
import * as rnn from '../../src/layers/rnn/rnn.ts';
import * as simpleRnn from '../../src/layers/rnn/simple-rnn.ts';
import * as stackedCells from '../../src/layers/rnn/stacked-rnn-cells.ts';
import * as timeDistributed from '../../src/layers/rnn/time-distributed.ts';
import { layerClassNames } from '../../src/serialization/registry.ts';
import {
  buildLayerCase,
  type LayerCase,
  type LayerClass,
  readLayerCases,
  traceLayerCase,
} from '../support/layer-case.ts';
import { numericalGradient, randomNumbers, weightedSum } from '../support/numerical-gradient.ts';

const modules: readonly object[] = [
  ...[activation, prelu, rectifiers, softmax, attention, groupedQueryAttention, multiHeadAttention],
  ...[conv, convTranspose, depthwiseConv, locallyConnected, separableConv, dense, einsumDense, embedding, identity],
  ...[masking, concatenate, dot, merge, batchNormalization, groupNormalization, layerNormalization],
  ...[spectralNormalization, adaptivePooling, globalPooling, pooling, cropping, reshape, upSampling, zeroPadding],
  ...[normalization, pipeline, rescaling, stftSpectrogram],
  ...[bidirectional, convLstm, gru, lstm, rnn, simpleRnn, stackedCells, timeDistributed],
];
const classes = modules
  .flatMap((module): unknown[] => Object.values(module))
  .filter((value): value is LayerClass => typeof value === 'function' && 'className' in value);

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  main: ['core', 'convolutional', 'normalization', 'pooling', 'activations', 'merging', 'reshaping'],
  sequence: [
    ...['simple-rnn', 'lstm', 'gru', 'rnn', 'bidirectional', 'conv-lstm', 'time-distributed'],
    ...['attention', 'multi-head-attention', 'grouped-query-attention', 'numbers', 'spectrograms'],
  ],
};

/** What `interop/make-gradient-fixtures.py` writes of a case. */
interface GradientCase {
  readonly class_name: string;
  readonly case: string;
  readonly training?: boolean;
  readonly inputs: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
}

/** Larger gradients are stored as every seventh of their elements. */
const WHOLE = 300;
const STRIDE = 7;

const SEED = 20261121;

/** Relative to the greatest element of a gradient, or to LEAST_SCALE: some are nothing but rounding errors. */
const TOLERANCE = { keras: 1e-4, interpreter: 1e-5 };

/** Elements of the outputs are weighted by numbers of this size. */
const LEAST_SCALE = 0.1;

function readGradientCases(family: string): GradientCase[] {
  return JSON.parse(
    readFileSync(new URL(`../fixtures/gradients/${family}.json`, import.meta.url), 'utf8'),
  ) as GradientCase[];
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  expect(found.length, what).toBe(expected.length);
  const scale = Math.max(LEAST_SCALE, ...Array.from(expected, Math.abs));
  for (let index = 0; index < expected.length; index++) {
    const [actual, wanted] = [found[index] as number, expected[index] as number];
    if (!(Math.abs(actual - wanted) <= tolerance * scale)) {
      expect(`${what}, element ${index}: ${actual}`).toBe(`${what}, element ${index}: ${wanted}`);
    }
  }
}

function kept(data: Float32Array): Float32Array {
  return data.length > WHOLE ? data.filter((_, index) => index % STRIDE === 0) : data;
}

async function checkGradients(given: LayerCase, expected: GradientCase): Promise<void> {
  const layer = buildLayerCase(given, classes);
  const { inputs, symbols, values, outputs } = traceLayerCase(given, layer, expected.training ?? false);
  const random = randomNumbers(SEED);
  const loss = weightedSum(
    outputs.map(({ tensor }) => tensor),
    () => random() - 0.75,
  );
  const floats = inputs.map(({ tensor }) => tensor).filter(({ dtype }) => dtype === 'float32');
  const weights = layer.trainableWeights;
  const graph = { inputs: symbols, outputs: gradients(loss, [...floats, ...weights.map(parameter)]) };
  const results = evaluate(graph, values).map(({ data }) => data as Float32Array);
  const names = [...floats.map((_, index) => `input ${index}`), ...weights.map(({ path }) => path)];
  const stored = [...expected.inputs, ...expected.weights];
  expect(results.length, 'number of gradients').toBe(stored.length);
  for (const [index, result] of results.entries()) {
    expectClose(kept(result), stored[index] as readonly number[], TOLERANCE.keras, names[index] as string);
  }
  const compiled = await (await wasmBackend().compile(graph)).run(values);
  for (const [index, { data }] of compiled.entries()) {
    expectClose(data as Float32Array, results[index] as Float32Array, TOLERANCE.interpreter, `wasm: ${names[index]}`);
  }
}

for (const [part, families] of Object.entries(FAMILIES)) {
  describe.each(families)(`${part}/%s`, (family) => {
    const cases = readLayerCases(`${part}/${family}.json`);
    const named = readGradientCases(family).map((expected) => {
      const mode = expected.training ? ' in training' : '';
      return [`${expected.class_name}: ${expected.case}${mode}`, expected] as const;
    });
    test.each(named)('%s', (_, expected) => {
      const given = cases.find((each) => each.class_name === expected.class_name && each.name === expected.case);
      return checkGradients(given as LayerCase, expected);
    });
  });
}

/** All cases of layers, of all families: those of classes without weights tell that they have none. */
function everyLayerCase(): LayerCase[] {
  const folder = new URL('../fixtures/layers/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return files.flatMap((file) => readLayerCases(file)).filter((each) => 'weights' in each);
}

/** Names of the classes of a case: its own, and those of layers in its configuration. */
function classNamesIn({ class_name, config }: LayerCase): string[] {
  const nested = [...JSON.stringify(config).matchAll(/"class_name":"(\w+)"/g)];
  return [class_name, ...nested.map(([, name]) => name as string)];
}

/** Classes without cases of their own: inputs have no weights, the others are those of tested classes by another name. */
const OTHERWISE: Readonly<Record<string, string | null>> = {
  InputLayer: null,
  RandomHeight: null,
  RandomWidth: null,
  ConvLSTM2DCell: 'ConvLSTM2D',
  CuDNNGRU: 'GRU',
  CuDNNLSTM: 'LSTM',
};

test('every layer class with weights is tested', () => {
  const cases = everyLayerCase();
  const differences = cases.filter(({ class_name: name }) => name.startsWith('Locally'));
  const gradientCases = Object.values(FAMILIES).flat().flatMap(readGradientCases);
  const withGradient = new Set(gradientCases.map((each) => `${each.class_name}: ${each.case}`));
  const compared = cases.filter(({ class_name, name }) => withGradient.has(`${class_name}: ${name}`));
  const tested = new Set([...compared, ...differences].flatMap(classNamesIn));
  const withoutWeights = new Set(cases.map(({ class_name }) => class_name).filter((name) => !hasWeights(cases, name)));
  const missing = layerClassNames().filter((name) => {
    const other = OTHERWISE[name] === undefined ? name : OTHERWISE[name];
    return other !== null && !tested.has(other) && !withoutWeights.has(other);
  });
  expect(missing).toEqual([]);
});

function hasWeights(cases: readonly LayerCase[], className: string): boolean {
  return cases.some(({ class_name, weights }) => class_name === className && weights.length > 0);
}

/** By differences of a graph that is linear in its weights, so that any step is as good. */
function weightDifferences(graph: Graph, values: readonly Tensor[], variable: Variable): Float64Array {
  const { value } = variable;
  const at = (element: number, offset: number): number => {
    const data = Float32Array.from(value.data as Float32Array);
    data[element] = (data[element] as number) + offset;
    variable.assign(new Tensor(value.shape, 'float32', data));
    return evaluate(graph, values)[0]?.data[0] as number;
  };
  const differences = Float64Array.from(
    { length: value.data.length },
    (_, element) => at(element, 1) - at(element, -1),
  );
  variable.assign(value);
  return differences.map((difference) => difference / 2);
}

describe('layers that Keras 3 has not, against finite differences', () => {
  const cases = readLayerCases('main/keras2.json').filter(
    ({ class_name, config }) => class_name.startsWith('Locally') && config.activation === 'linear',
  );
  test.each(cases.map((given) => [given.name, given] as const))('%s', async (_, given) => {
    const layer = buildLayerCase(given, classes);
    const { inputs, symbols, values, outputs } = traceLayerCase(given, layer, false);
    const loss = weightedSum(
      outputs.map(({ tensor }) => tensor),
      randomNumbers(SEED),
    );
    const x = inputs[0]?.tensor as SymbolicTensor;
    const wrt = [x, ...layer.trainableWeights.map(parameter)];
    const program = await wasmBackend().compile({ inputs: symbols, outputs: gradients(loss, wrt) });
    const [dx, ...found] = (await program.run(values)).map(({ data }) => data as Float32Array);
    const graph = { inputs: symbols, outputs: [loss] };
    expectClose(dx as Float32Array, numericalGradient(graph, values, 0), 1e-3, 'input');
    for (const [index, variable] of layer.trainableWeights.entries()) {
      expectClose(found[index] as Float32Array, weightDifferences(graph, values, variable), 1e-4, variable.path);
    }
  });
});
