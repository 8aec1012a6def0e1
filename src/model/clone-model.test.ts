import { describe, expect, test } from 'vitest';
import type { Tensor } from '../array/tensor.ts';
import { referenceBackend } from '../backends/reference/reference-backend.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { MultiHeadAttention } from '../layers/attention/multi-head-attention.ts';
import { Dense } from '../layers/core/dense.ts';
import { Lambda } from '../layers/core/lambda.ts';
import { type Fields, positiveInteger } from '../layers/fields.ts';
import { InputLayer, input } from '../layers/input-layer.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import { Layer, type LayerConfig, layerFields } from '../layers/layer.ts';
import { Add } from '../layers/merging/merge.ts';
import { BatchNormalization } from '../layers/normalization/batch-normalization.ts';
import { Dropout } from '../layers/regularization/dropout.ts';
import { Bidirectional } from '../layers/rnn/bidirectional.ts';
import { LSTM } from '../layers/rnn/lstm.ts';
import { TimeDistributed } from '../layers/rnn/time-distributed.ts';
import { multiply } from '../ops/elementwise.ts';
import { cloneModel } from './clone-model.ts';
import type { KerasModel } from './keras-model.ts';
import { Model } from './model.ts';
import { Sequential } from './sequential.ts';

const backend = referenceBackend();

/** Two inputs by name; a shared layer; a nested model that is used twice. */
function branched(): Model {
  const a = input({ shape: [2], name: 'a' });
  const b = input({ shape: [2], name: 'b' });
  const shared = new Dense({ units: 2, name: 'shared' });
  const inner = new Sequential({
    layers: [new InputLayer({ batchShape: [null, 2] }), new Dense({ units: 2, name: 'inner_dense' })],
    name: 'inner',
  });
  const sum = new Add({ name: 'sum' }).apply([inner.apply(shared.apply(a)), inner.apply(shared.apply(b))]);
  return new Model({ inputs: { a, b }, outputs: { sum, first: shared.calls[0]?.outputs[0] as KerasTensor } });
}

const INPUTS = { a: [[1, -2]], b: [[0.5, 4]] };

async function answers(model: KerasModel, inputs: Parameters<KerasModel['predict']>[0]): Promise<unknown> {
  const output = await model.predict<Tensor | Tensor[] | Record<string, Tensor>>(inputs, { backend });
  return JSON.parse(JSON.stringify(output, (_, value) => (ArrayBuffer.isView(value) ? [...(value as never)] : value)));
}

/** The copy has the structure of the original, other weights, and with the same values the same answers. */
async function expectClone(model: KerasModel, inputs: Parameters<KerasModel['predict']>[0]): Promise<KerasModel> {
  const copy = cloneModel(model);
  expect(copy.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name));
  expect(copy.weights.map(({ path, shape }) => [path, shape])).toEqual(
    model.weights.map(({ path, shape }) => [path, shape]),
  );
  expect(copy.weights.filter((variable) => model.weights.includes(variable))).toEqual([]);
  copy.setWeights(model.getWeights());
  expect(await answers(copy, inputs)).toEqual(await answers(model, inputs));
  return copy;
}

/** A layer of a user's own, with a layer inside. */
class Doubled extends Layer<LayerConfig & { units: number }> {
  static readonly className = 'Doubled';
  static readonly fields: Fields<LayerConfig & { units: number }> = { ...layerFields, units: positiveInteger() };
  readonly dense: Dense;

  constructor(options: { readonly units: number; readonly name?: string }) {
    super(Doubled.className, Doubled.fields, options);
    this.dense = new Dense({ units: this.config.units, name: 'dense' });
  }

  override get sublayers(): { dense: Layer } {
    return { dense: this.dense as unknown as Layer };
  }

  protected override build(shapes: readonly (readonly (number | null)[])[]): void {
    this.dense.ensureBuilt(shapes);
  }

  override call(inputs: readonly SymbolicTensor[]): SymbolicTensor {
    return multiply(this.dense.call(inputs as readonly [SymbolicTensor]), 2);
  }
}

describe('cloneModel()', () => {
  test('copies a graph with shared layers, nested models and named inputs and outputs', async () => {
    const copy = await expectClone(branched(), INPUTS);
    expect(copy.getLayer('shared').calls.length).toBe(2);
    expect(copy.getLayer('inner').calls.length).toBe(2);
  });

  test('copies a Sequential, built or not', async () => {
    const layers = (): Layer[] => [new Dense({ units: 3 }), new Dropout({ rate: 0.5 }), new BatchNormalization()];
    const start = new InputLayer({ batchShape: [null, 2], name: 'start' });
    const copy = await expectClone(new Sequential({ layers: [start, ...layers()], name: 'chain' }), [[1, 2]]);
    expect(copy.name).toBe('chain');
    expect(copy.inputs[0]?.name).toBe('start');
    const unbuilt = cloneModel(new Sequential({ layers: layers() }));
    expect(unbuilt.hasShape).toBe(false);
    expect((await unbuilt.predict([[1, 2, 3, 4]], { backend })).shape).toEqual([1, 3]);
  });

  test('copies wrappers, recurrent layers, attention, functions and layers of a user', async () => {
    const x = input({ shape: [4, 3] });
    const both = new Bidirectional({ layer: new LSTM({ units: 2, returnSequences: true }) }).apply(x);
    const wrapped = new TimeDistributed({ layer: new Sequential({ layers: [new Dense({ units: 4 })] }) }).apply(both);
    const attended = new MultiHeadAttention({ numHeads: 2, keyDim: 2 }).apply([wrapped, wrapped]);
    const twice = new Lambda({ function: ([each]: SymbolicTensor[]) => multiply(each as SymbolicTensor, 2) });
    const y = new Doubled({ units: 3, name: 'mine' }).apply(twice.apply(attended));
    const model = new Model({ inputs: x, outputs: y });
    await expectClone(model, [Array.from({ length: 4 }, (_, step) => [step, step / 2, -step])]);
  });

  test('keeps what is frozen, inside other layers too, and does not touch the original', async () => {
    const model = branched();
    model.getLayer('inner').trainable = false;
    model.getLayer('inner').children[0]?.children;
    const copy = cloneModel(model);
    expect(copy.getLayer('inner').trainable).toBe(false);
    expect(copy.trainableWeights.map(({ path }) => path)).toEqual(['shared/kernel', 'shared/bias']);
    copy.trainable = true;
    expect(copy.trainableWeights.length).toBe(4);
    expect(model.trainableWeights.length).toBe(2);
  });

  test('copies a model that begins in the middle of another', async () => {
    const whole = branched();
    const middle = whole.getLayer('shared').calls[1]?.outputs[0] as KerasTensor;
    const tail = new Model({ inputs: middle, outputs: whole.getLayer('inner').calls[1]?.outputs[0] as KerasTensor });
    const copy = cloneModel(tail);
    copy.setWeights(tail.getWeights());
    expect(await answers(copy, [[1, 2]])).toEqual(await answers(tail, [[1, 2]]));
    expect(tail.layers.map(({ name }) => name)).toEqual(['inner']);
  });

  test('begins with the tensors that are given', async () => {
    const model = branched();
    const x = input({ shape: [2], name: 'one' });
    const copy = cloneModel(model, { inputTensors: [x, x] });
    copy.setWeights(model.getWeights());
    const expected = (await answers(model, { a: [[1, 2]], b: [[1, 2]] })) as object;
    expect(await answers(copy, [[[1, 2]], [[1, 2]]])).toEqual(expected);
    expect(() => cloneModel(model, { inputTensors: x })).toThrow('found 1 input tensors, expected 2');
    const wide = input({ shape: [2, 2], name: 'wide' });
    expect(() => cloneModel(model, { inputTensors: [x, wide] })).toThrow('"wide" has shape [null, 2, 2]');
  });

  test('asks a function for each layer, once; recursively if wanted', () => {
    const seen = (recursive: boolean): string[] => {
      const names: string[] = [];
      const model = branched();
      const copy = cloneModel(model, {
        recursive,
        cloneFunction: (layer) => {
          names.push(layer.name);
          return layer;
        },
      });
      expect(copy.getLayer('inner') === model.getLayer('inner')).toBe(!recursive);
      expect(copy.weights).toEqual(model.weights);
      return names;
    };
    expect(seen(false)).toEqual(['shared', 'inner', 'sum']);
    expect(seen(true)).toEqual(['shared', 'inner_dense', 'sum']);
  });

  test('puts layers behind others by a function for calls', () => {
    const model = branched();
    const copy = cloneModel(model, {
      cloneFunction: (layer) => layer,
      callFunction: (layer, inputs, kwargs) => {
        const outputs = layer.applyAll(inputs, kwargs);
        return layer instanceof Dense ? outputs.map((output) => new Dropout({ rate: 0.5 }).apply(output)) : outputs;
      },
    });
    expect(copy.layers.filter(({ className }) => className === 'Dropout').length).toBe(2);
    expect(copy.weights).toEqual(model.weights);
    const chain = new Sequential({ layers: [new Dense({ units: 1 })] });
    expect(() => cloneModel(chain, { callFunction: (layer, inputs) => layer.applyAll(inputs) })).toThrow(
      'with callFunction: a Sequential calls its layers one after the other',
    );
  });
});

describe('Sequential.pop()', () => {
  const chain = (): Sequential =>
    new Sequential({
      layers: [
        new InputLayer({ batchShape: [null, 3] }),
        new Dense({ units: 4, name: 'a' }),
        new Dense({ units: 5, name: 'b' }),
      ],
    });

  test('takes off the last layer; a new head stands on the same weights', async () => {
    const model = chain();
    const [kernel] = model.weights;
    await model.predict([[1, 2, 3]], { backend });
    expect(model.pop().name).toBe('b');
    expect(model.outputShape).toEqual([null, 4]);
    expect((await model.predict([[1, 2, 3]], { backend })).shape).toEqual([1, 4]);
    model.add(new Dense({ units: 2, name: 'head' }));
    expect(model.outputShape).toEqual([null, 2]);
    expect(model.weights[0]).toBe(kernel);
    expect(model.weights.map(({ path }) => path)).toEqual(['a/kernel', 'a/bias', 'head/kernel', 'head/bias']);
    expect((await model.predict([[1, 2, 3]], { backend })).shape).toEqual([1, 2]);
  });

  test('leaves the shapes open when it is not to rebuild', () => {
    const model = chain();
    model.pop({ rebuild: false });
    expect(model.hasShape).toBe(false);
    model.build([[null, 3]]);
    expect(model.outputShape).toEqual([null, 4]);
  });

  test('works on models without shapes, and refuses one without layers', () => {
    const model = new Sequential({ layers: [new Dense({ units: 4 }), new Dense({ units: 5 })] });
    model.pop();
    expect(model.hasShape).toBe(false);
    model.build([[null, 7]]);
    expect(model.outputShape).toEqual([null, 4]);
    model.pop();
    expect(() => model.pop()).toThrow('Cannot take a layer off model');
  });

  test('a model in front tells the shape; a chain is cut to nothing and begun anew', async () => {
    const base = chain();
    const model = new Sequential({ layers: [base, new Dense({ units: 2, name: 'head' })] });
    expect(model.outputShape).toEqual([null, 2]);
    expect(model.weights.map(({ path }) => path)[0]).toBe(`${base.name}/a/kernel`);
    model.pop();
    expect(model.pop()).toBe(base);
    model.add(new Dense({ units: 6 }));
    expect(model.hasShape).toBe(false);
    expect((await model.predict([[1, 2]], { backend })).shape).toEqual([1, 6]);
  });
});

describe('getWeights() and setWeights() of any layer', () => {
  test('copy a layer, a nested model, or nothing', () => {
    const [from, to] = [branched(), branched()];
    const inner = from.getLayer('inner');
    to.getLayer('inner').setWeights(inner.getWeights());
    expect(to.getLayer('inner').getWeights()).toEqual(inner.getWeights());
    expect(to.getLayer('shared').getWeights()).not.toEqual(from.getLayer('shared').getWeights());
    to.getLayer('sum').setWeights([]);
    expect(() => to.getLayer('shared').setWeights(inner.getWeights().slice(1))).toThrow('found 1 values, expected 2');
    expect(() => to.getLayer('shared').setWeights(inner.getWeights().toReversed())).toThrow(
      'Cannot set the weights of "shared": "shared/kernel" is float32[2, 2], its value float32[2]; ' +
        '"shared/bias" is float32[2], its value float32[2, 2]',
    );
  });
});
