import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../array/tensor.ts';
import { evaluate } from '../../backends/reference/evaluate.ts';
import { input as symbol } from '../../graph/apply.ts';
import { type SymbolicTensor, topologicalOrder } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { add, multiply } from '../../ops/elementwise.ts';
import type { Fields } from '../fields.ts';
import { input } from '../input-layer.ts';
import { type CallContext, type Layer, type LayerConfig, layerFields } from '../layer.ts';
import { Bidirectional } from './bidirectional.ts';
import { type CellStep, RNNCell } from './cell.ts';
import { ConvLSTM2D } from './conv-lstm.ts';
import { ConvLSTM2DCell } from './conv-lstm-cell.ts';
import { CuDNNGRU, CuDNNLSTM } from './cudnn.ts';
import { GRU, GRUCell } from './gru.ts';
import { LSTM, LSTMCell } from './lstm.ts';
import { RNN } from './rnn.ts';
import { SimpleRNN } from './simple-rnn.ts';

const X = tensor(
  Float32Array.from({ length: 2 * 3 * 4 }, (_, index) => Math.sin(index)),
  [2, 3, 4],
);

interface Run {
  readonly outputs: readonly Tensor[];
  readonly updates: ReadonlyMap<Variable, Tensor>;
}

/** Runs a layer with the interpreter; what it wants variables to become is computed, not assigned. */
function run(layer: Layer, values: readonly Tensor[], kwargs: Readonly<Record<string, unknown>> = {}): Run {
  const symbols = values.map((value, index) => symbol(`x${index}`, { shape: value.shape, dtype: value.dtype }));
  const updates = new Map<Variable, SymbolicTensor>();
  const traced = layer.trace(
    symbols.map((each) => ({ tensor: each })),
    { training: false, kwargs, update: (variable, value) => updates.set(variable, value) },
  );
  const outputs = traced.map((output) => output.tensor);
  const results = evaluate({ inputs: symbols, outputs: [...outputs, ...updates.values()] }, values);
  const states = results.slice(outputs.length);
  return {
    outputs: results.slice(0, outputs.length),
    updates: new Map([...updates.keys()].map((variable, index) => [variable, states[index] as Tensor])),
  };
}

function copyWeights(from: Layer, to: Layer): void {
  for (const [index, variable] of to.weights.entries()) variable.assign((from.weights[index] as Variable).value);
}

describe('a stateful layer', () => {
  test('begins each run with the states of the one before, until they are reset', () => {
    const layer = new LSTM({ units: 2, stateful: true });
    const plain = new LSTM({ units: 2, returnState: true });
    const first = run(layer, [X]);
    run(plain, [X]);
    copyWeights(layer, plain);
    const [expected, h, c] = run(plain, [X]).outputs as [Tensor, Tensor, Tensor];
    expect(first.outputs[0]?.data).toEqual(expected.data);
    expect([...first.updates.values()].map((state) => state.data)).toEqual([h.data, c.data]);

    for (const [variable, value] of first.updates) variable.assign(value);
    const second = run(layer, [X]).outputs[0];
    expect(second?.data).toEqual(run(plain, [X, h, c]).outputs[0]?.data);
    expect(second?.data).not.toEqual(expected.data);

    layer.resetStates();
    expect(run(layer, [X]).outputs[0]?.data).toEqual(expected.data);
  });

  test('keeps its states out of the weights', () => {
    const layer = new GRU({ units: 2, stateful: true });
    run(layer, [X]);
    expect(layer.states.map(({ name, shape }) => [name, shape])).toEqual([['rnn_state', [2, 2]]]);
    expect(layer.weights.map(({ name }) => name)).toEqual(['kernel', 'recurrent_kernel', 'bias']);
  });

  test('needs a known batch size', () => {
    expect(() => new SimpleRNN({ units: 2, stateful: true }).apply(input({ shape: [3, 4] }))).toThrow(
      /expected a known batch size/,
    );
  });
});

describe('cells', () => {
  test.each([
    ['LSTM', new LSTM({ units: 2 })],
    ['GRU', new GRU({ units: 2 })],
    ['GRU with resetAfter: false', new GRU({ units: 2, resetAfter: false })],
    ['SimpleRNN', new SimpleRNN({ units: 2 })],
  ])('called step by step give what %s gives', (_, layer) => {
    const expected = run(layer, [X]).outputs[0] as Tensor;
    const zero = tensor(new Float32Array(4), [2, 2]);
    let states: readonly Tensor[] = layer.cell.stateSizes.map(() => zero);
    let output: Tensor | undefined;
    for (let step = 0; step < 3; step++) {
      const rows = [0, 1].flatMap((row) => [
        ...(X.data.slice(row * 12 + step * 4, row * 12 + step * 4 + 4) as Float32Array),
      ]);
      [output, ...states] = run(layer.cell, [tensor(Float32Array.from(rows), [2, 4]), ...states]).outputs;
    }
    for (const [index, value] of (expected.data as Float32Array).entries())
      expect(output?.data[index]).toBeCloseTo(value, 6);
  });

  test('ConvLSTM2DCell in RNN is ConvLSTM2D', () => {
    const images = tensor(
      Float32Array.from({ length: 2 * 2 * 3 * 3 }, (_, index) => Math.cos(index)),
      [2, 2, 3, 3, 1],
    );
    const layer = new ConvLSTM2D({ filters: 2, kernelSize: 2, padding: 'same', returnSequences: true });
    const rnn = new RNN({
      cell: new ConvLSTM2DCell({ filters: 2, kernelSize: 2, padding: 'same' }),
      returnSequences: true,
    });
    run(rnn, [images]);
    run(layer, [images]);
    copyWeights(layer, rnn);
    expect(run(rnn, [images]).outputs[0]?.data).toEqual(run(layer, [images]).outputs[0]?.data);
  });
});

describe('CuDNNLSTM and CuDNNGRU', () => {
  test.each([
    ['LSTM', new CuDNNLSTM({ units: 3 }), new LSTM({ units: 3 })],
    ['GRU', new CuDNNGRU({ units: 3 }), new GRU({ units: 3 })],
  ])('have the weights and the numbers of %s', (_, fast, plain) => {
    run(fast, [X]);
    run(plain, [X]);
    const shapes = (layer: Layer) => layer.weights.map(({ name, shape }) => [name, shape]);
    expect(shapes(fast)).toEqual(shapes(plain));
    copyWeights(plain, fast);
    expect(run(fast, [X]).outputs[0]?.data).toEqual(run(plain, [X]).outputs[0]?.data);
  });
});

interface AccumulatorConfig extends LayerConfig {
  factor: number;
}

/** A cell as a user may write it: the state grows by the input and a constant of the call. */
class Accumulator extends RNNCell<AccumulatorConfig> {
  static readonly className = 'Accumulator';
  static readonly fields = {
    ...layerFields,
    factor: { kind: 'plain', expected: 'a number', parse: Number },
  } as Fields<AccumulatorConfig>;
  readonly stateSizes = [4];

  constructor(options: { factor: number }) {
    super(Accumulator.className, Accumulator.fields, options);
  }

  override step(x: SymbolicTensor, [sum]: readonly SymbolicTensor[], { kwargs }: CallContext): CellStep {
    const [constant] = (kwargs.constants ?? []) as readonly SymbolicTensor[];
    const added = multiply(x, this.config.factor);
    const next = add(sum as SymbolicTensor, constant === undefined ? added : add(added, constant));
    return { output: multiply(next, 2), states: [next] };
  }
}

describe('RNN', () => {
  const ones = tensor(new Float32Array(24).fill(1), [2, 3, 4]);

  test('runs a cell of the user', () => {
    const { outputs } = run(new RNN({ cell: new Accumulator({ factor: 0.5 }), returnState: true }), [ones]);
    expect(outputs.map(({ data }) => data[0])).toEqual([3, 1.5]);
  });

  test('hands constants to the cell', () => {
    const constant = tensor(new Float32Array(8).fill(10), [2, 4]);
    const layer = new RNN({ cell: new Accumulator({ factor: 1 }), numConstants: 1 });
    expect(run(layer, [ones, constant]).outputs[0]?.data[0]).toBe(66);
  });

  test('projects the inputs of all steps in one product before the loop', () => {
    const x = symbol('x', { shape: [2, 3, 4], dtype: 'float32' });
    const [output] = new RNN({ cell: new GRUCell({ units: 2 }) }).trace([{ tensor: x }], { training: false });
    const order = topologicalOrder([output?.tensor as SymbolicTensor]);
    const scan = order.find((node) => node.primitive === 'scan');
    const bodyProducts =
      scan?.primitive === 'scan'
        ? topologicalOrder(scan.attributes.body.outputs).filter((node) => node.primitive === 'dot').length
        : undefined;
    expect(order.filter((node) => node.primitive === 'dot').length).toBe(1);
    expect(bodyProducts).toBe(1);
  });
});

describe('Bidirectional', () => {
  test('names its copies as Keras does and leaves the given layer unbuilt', () => {
    const given = new RNN({ cell: new LSTMCell({ units: 2 }), name: 'memory' });
    const layer = new Bidirectional({ layer: given });
    run(layer, [X]);
    expect([layer.forwardLayer.name, layer.backwardLayer.name]).toEqual(['forward_memory', 'backward_memory']);
    expect(given.built).toBe(false);
    expect(new Set(layer.weights).size).toBe(6);
  });

  test('refuses two layers that run the same way', () => {
    const pair = { layer: new LSTM({ units: 2 }), backwardLayer: new LSTM({ units: 2 }) };
    expect(() => new Bidirectional(pair)).toThrow(/goBackwards is false in both layers/);
  });
});
