/** Dropout of recurrent layers: patterns are constant over time, scaled, seeded, and differentiated as what they are. */
import { describe, expect, test } from 'vitest';
import { numericalGradient, randomNumbers, weightedSum } from '../../../test/support/numerical-gradient.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import { Tensor, tensor } from '../../array/tensor.ts';
import { gradients } from '../../autodiff/gradients.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { wasmBackend } from '../../backends/wasm/wasm-backend.ts';
import { input, parameter } from '../../graph/apply.ts';
import { type SymbolicTensor, topologicalOrder } from '../../graph/node.ts';
import { RandomState } from '../../training/random-state.ts';
import type { Layer } from '../layer.ts';
import { Bidirectional } from './bidirectional.ts';
import { ConvLSTM1D, ConvLSTM2D, ConvLSTM3D } from './conv-lstm.ts';
import { GRU } from './gru.ts';
import { LSTM, LSTMCell } from './lstm.ts';
import { RNN } from './rnn.ts';
import { SimpleRNN, SimpleRNNCell } from './simple-rnn.ts';

function traced(layer: Layer, shape: Shape, state: RandomState = new RandomState(7), training = true) {
  const x = input('x', { shape, dtype: 'float32' });
  const outputs = layer.trace([{ tensor: x }], { training, random: state.step().draw });
  return { x, outputs: outputs.map((output) => output.tensor) };
}

function computed(layer: Layer, x: Tensor, state?: RandomState, training?: boolean): Float32Array {
  const graph = traced(layer, x.shape, state, training);
  return evaluate({ inputs: [graph.x], outputs: graph.outputs }, [x])[0]?.data as Float32Array;
}

const numbers = randomNumbers(11);
const some = (shape: Shape): Tensor =>
  new Tensor(
    shape,
    'float32',
    Float32Array.from({ length: sizeOf(shape) }, () => numbers() - 0.5),
  );
const filled = (shape: Shape, value: number): Tensor =>
  new Tensor(shape, 'float32', new Float32Array(sizeOf(shape)).fill(value));

const BOTH = { dropout: 0.3, recurrentDropout: 0.4 };
const CONV = { filters: 2, kernelSize: 2, padding: 'same', ...BOTH } as const;

const LAYERS: readonly (readonly [string, Shape, () => Layer])[] = [
  ['SimpleRNN', [3, 4, 5], () => new SimpleRNN({ units: 3, ...BOTH })],
  ['GRU', [3, 4, 5], () => new GRU({ units: 3, ...BOTH })],
  ['GRU with resetAfter: false', [3, 4, 5], () => new GRU({ units: 3, resetAfter: false, ...BOTH })],
  ['LSTM', [3, 4, 5], () => new LSTM({ units: 3, returnSequences: true, ...BOTH })],
  ['LSTM whose states alone are dropped', [3, 4, 5], () => new LSTM({ units: 3, recurrentDropout: 0.4 })],
  ['LSTM whose inputs alone are dropped', [3, 4, 5], () => new LSTM({ units: 3, dropout: 0.3, goBackwards: true })],
  ['Bidirectional', [3, 4, 5], () => new Bidirectional({ layer: new GRU({ units: 2, ...BOTH }) })],
  [
    'stacked cells',
    [3, 4, 5],
    () => new RNN({ cell: [new LSTMCell({ units: 3, ...BOTH }), new SimpleRNNCell({ units: 2, ...BOTH })] }),
  ],
  ['ConvLSTM1D', [2, 3, 4, 2], () => new ConvLSTM1D(CONV)],
  ['ConvLSTM2D', [2, 2, 3, 2, 2], () => new ConvLSTM2D({ ...CONV, dataFormat: 'channels_first' })],
  ['ConvLSTM3D', [2, 2, 2, 2, 2, 1], () => new ConvLSTM3D(CONV)],
];

describe.each(LAYERS)('%s', (_, shape, make) => {
  const x = some(shape);

  test('drops in training alone', () => {
    const layer = make();
    const plain = computed(layer, x, undefined, false);
    expect(computed(layer, x)).not.toEqual(plain);
    expect(computed(layer, x, undefined, false)).toEqual(plain);
  });

  test('drops by a pattern that key and step of the training decide', () => {
    const layer = make();
    const first = computed(layer, x, new RandomState(1));
    expect(computed(layer, x, new RandomState(1))).toEqual(first);
    expect(computed(layer, x, new RandomState(2))).not.toEqual(first);
    const later = new RandomState(1);
    later.counter.assign(tensor(Int32Array.of(1, 0), [2]));
    expect(computed(layer, x, later)).not.toEqual(first);
  });

  test('has the gradients of finite differences, compiled as well', async () => {
    const layer = make();
    layer.ensureBuilt([shape]);
    for (const variable of layer.weights) variable.assign(some(variable.shape));
    const graph = traced(layer, shape);
    const loss = weightedSum(graph.outputs, randomNumbers(5));
    const found = gradients(loss, [graph.x, ...layer.trainableWeights.map(parameter)]);
    const values = evaluate({ inputs: [graph.x], outputs: found }, [x]);
    const numerical = numericalGradient({ inputs: [graph.x], outputs: [loss] }, [x], 0);
    for (const [index, value] of numerical.entries()) expect(values[0]?.data[index]).toBeCloseTo(value, 3);
    for (const [index, variable] of layer.trainableWeights.entries()) {
      // A step along the gradient changes the loss by its square: one number that every element counts in.
      const gradient = values[index + 1]?.data as Float32Array;
      const square = gradient.reduce((sum, value) => sum + value * value, 0);
      const step = 2 ** -6 / Math.sqrt(square);
      const before = variable.value;
      const at = (offset: number): number => {
        const data = (before.data as Float32Array).map((value, element) => value + offset * (gradient[element] ?? 0));
        variable.assign(new Tensor(before.shape, 'float32', data));
        return evaluate({ inputs: [graph.x], outputs: [loss] }, [x])[0]?.data[0] as number;
      };
      const slope = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
      variable.assign(before);
      expect(Math.abs(slope / square - 1), variable.path).toBeLessThan(2e-3);
    }
    const compiled = await (await wasmBackend().compile({ inputs: [graph.x], outputs: found })).run([x]);
    for (const [index, value] of values.entries()) {
      for (let element = 0; element < value.data.length; element++) {
        expect(compiled[index]?.data[element]).toBeCloseTo(value.data[element] as number, 5);
      }
    }
  });
});

interface Drops {
  readonly dropout?: number;
  readonly recurrentDropout?: number;
  readonly seed?: number;
}

/** A linear layer of which the inputs come out, or go round. */
function identity(options: Drops, round: boolean): Layer {
  const layer = new SimpleRNN({ units: 50, activation: 'linear', useBias: false, returnSequences: true, ...options });
  layer.ensureBuilt([[40, 4, 50]]);
  const eye = Float32Array.from({ length: 2500 }, (_, index) => (index % 51 === 0 ? 1 : 0));
  layer.weights[0]?.assign(new Tensor([50, 50], 'float32', eye));
  layer.weights[1]?.assign(round ? new Tensor([50, 50], 'float32', eye) : filled([50, 50], 0));
  return layer;
}

/** The outputs `[40, 4, 50]` of one step for all samples. */
function stepOf(outputs: Float32Array, step: number): number[] {
  return [...outputs].filter((_, index) => Math.floor(index / 50) % 4 === step);
}

describe('a pattern', () => {
  // Four deviations of a share of 2000.
  const margin = 4 * Math.sqrt((0.25 * 0.75) / 2000);
  const shareOf = (values: readonly number[], wanted: number): number =>
    values.filter((value) => value === wanted).length / values.length;

  test('of the inputs is the same at every step, other for each sample, and scales up what it keeps', () => {
    const outputs = computed(identity({ dropout: 0.25 }, false), filled([40, 4, 50], 1));
    const [first, ...others] = [0, 1, 2, 3].map((step) => stepOf(outputs, step)) as [number[], ...number[][]];
    for (const other of others) expect(other).toEqual(first);
    expect(new Set(first)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    expect(Math.abs(shareOf(first, 0) - 0.25)).toBeLessThan(margin);
    expect(first.slice(0, 50)).not.toEqual(first.slice(50, 100));
  });

  test('of the states is the same at every step', () => {
    const x = filled([40, 4, 50], 0);
    for (let sample = 0; sample < 40; sample++) (x.data as Float32Array).fill(1, sample * 200, sample * 200 + 50);
    const outputs = computed(identity({ recurrentDropout: 0.25 }, true), x);
    const scale = Math.fround(1 / 0.75);
    expect(new Set(stepOf(outputs, 0))).toEqual(new Set([1]));
    const last = stepOf(outputs, 3);
    // Three other patterns would leave 42 % of the elements.
    expect(Math.abs(shareOf(last, 0) - 0.25)).toBeLessThan(margin);
    for (const value of last) if (value !== 0) expect(value).toBeCloseTo(scale ** 3, 5);
  });

  test('comes from the stream of the seed, when the layer has one', () => {
    const make = (seed: number): Layer => identity({ dropout: 0.5, seed }, false);
    const x = filled([40, 4, 50], 1);
    const first = computed(make(3), x, new RandomState(1));
    expect(computed(make(3), x, new RandomState(2))).toEqual(first);
    expect(computed(make(4), x, new RandomState(1))).not.toEqual(first);
  });

  test('is shared by the gates unless states are dropped too', () => {
    const draws = (options: Drops): number => {
      const { outputs } = traced(new LSTM({ units: 2, returnSequences: true, ...options }), [2, 3, 4]);
      return topologicalOrder(outputs as SymbolicTensor[]).filter(({ primitive }) => primitive === 'randomBits').length;
    };
    expect(draws({ dropout: 0.5 })).toBe(1);
    expect(draws({ recurrentDropout: 0.5 })).toBe(4);
    expect(draws({ dropout: 0.5, recurrentDropout: 0.5 })).toBe(8);
  });

  test('needs random numbers', () => {
    const x = input('x', { shape: [2, 3, 4], dtype: 'float32' });
    const layer = new LSTM({ units: 2, dropout: 0.5 });
    expect(() => layer.trace([{ tensor: x }], { training: true })).toThrow('LSTMCell needs random numbers, found none');
  });
});
