import { describe, expect, test } from 'vitest';
import { tensor } from '../array/tensor.ts';
import { referenceBackend } from '../backends/reference/reference-backend.ts';
import type { JsonObject } from '../formats/artifacts.ts';
import { string } from '../layers/fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layers/layer.ts';
import { multiply } from '../ops/elementwise.ts';
import { buildModel, modelFromJSON } from './build-model.ts';
import { CustomObjectError } from './custom-objects.ts';

const backend = referenceBackend();

const dense = (name: string, more: JsonObject = {}): JsonObject => ({
  class_name: 'Dense',
  name,
  config: { name, units: 1, kernel_initializer: 'ones', ...more },
});

const inputLayer = (name: string, shape: readonly number[]): JsonObject => ({
  class_name: 'InputLayer',
  name,
  config: { name, batch_input_shape: [null, ...shape] },
  inbound_nodes: [],
});

/** A functional model of Keras 2 that calls a nested model twice: its calls are counted from 1. */
function nestedKeras2(): JsonObject {
  const inner: JsonObject = {
    class_name: 'Model',
    name: 'inner',
    config: {
      name: 'inner',
      layers: [inputLayer('inner_in', [2]), { ...dense('inner_dense'), inbound_nodes: [[['inner_in', 0, 0, {}]]] }],
      input_layers: [['inner_in', 0, 0]],
      output_layers: [['inner_dense', 0, 0]],
    },
    inbound_nodes: [[['a', 0, 0, {}]], [['b', 0, 0, {}]]],
  };
  const subtract = {
    class_name: 'Subtract',
    name: 'difference',
    config: { name: 'difference', trainable: true },
    inbound_nodes: [
      [
        ['inner', 2, 0, {}],
        ['inner', 1, 0, {}],
      ],
    ],
  };
  return {
    class_name: 'Model',
    keras_version: '2.2.4',
    config: {
      name: 'outer',
      layers: [inputLayer('a', [2]), inputLayer('b', [2]), inner, subtract],
      input_layers: [
        ['a', 0, 0],
        ['b', 0, 0],
      ],
      output_layers: [['difference', 0, 0]],
    },
  };
}

describe('buildModel()', () => {
  test('counts the calls of nested models from 1 in files of Keras 2', async () => {
    const model = await modelFromJSON(nestedKeras2());
    const output = await model.predict([tensor([[1, 2]]), tensor([[10, 20]])], { backend });
    expect(output.toArray()).toEqual([[27]]);
  });

  test('counts them from 0 between layers and from 1 in the outputs of Keras 3', async () => {
    const history = (name: string): JsonObject => ({
      class_name: '__keras_tensor__',
      config: { shape: [null, 2], dtype: 'float32', keras_history: [name, 0, 0] },
    });
    const call = (name: string): JsonObject[] => [{ args: [history(name)], kwargs: {} }];
    const inner: JsonObject = {
      module: 'keras.src.models.functional',
      class_name: 'Functional',
      registered_name: 'Functional',
      name: 'inner',
      config: {
        name: 'inner',
        layers: [
          { ...inputLayer('x', [2]), config: { name: 'x', batch_shape: [null, 2] } },
          { ...dense('d'), inbound_nodes: call('x') },
        ],
        input_layers: ['x', 0, 0],
        output_layers: ['d', 0, 0],
      },
      inbound_nodes: call('a'),
    };
    const model = await modelFromJSON({
      module: 'keras.src.models.functional',
      class_name: 'Functional',
      registered_name: 'Functional',
      config: {
        name: 'outer',
        layers: [
          { ...inputLayer('a', [2]), config: { name: 'a', batch_shape: [null, 2] } },
          inner,
          { ...dense('head', { units: 3 }), inbound_nodes: call('inner') },
        ],
        input_layers: ['a', 0, 0],
        output_layers: [
          ['inner', 1, 0],
          ['head', 0, 0],
        ],
      },
    });
    const outputs = await model.predict<ReturnType<typeof tensor>[]>([[1, 2]], { backend });
    expect(outputs.map((output) => output.toArray())).toEqual([[[3]], [[3, 3, 3]]]);
  });

  test('reads the bare list of layers of an old Sequential', async () => {
    const first = dense('first', { batch_input_shape: [null, 4], units: 2 });
    const model = await modelFromJSON({
      class_name: 'Sequential',
      keras_version: '2.1.0',
      config: [first, dense('second')],
    });
    expect(model.inputShape).toEqual([null, 4]);
    expect(model.layers.map((layer) => layer.name)).toEqual(['first', 'second']);
  });

  test('reports configuration keys that no layer has, and drops those without meaning', async () => {
    const layer = dense('d', {
      batch_input_shape: [null, 1],
      spline_order: 3,
      expects_training_arg: true,
      quantization_config: null,
    });
    const { report } = await buildModel({
      format: 'hdf5',
      source: 'test',
      kerasVersion: '2.2.4',
      topology: { class_name: 'Sequential', config: { name: 's', layers: [layer] } },
    });
    expect(report.unknownKeys).toEqual([{ layer: 'd', className: 'Dense', key: 'spline_order', value: 3 }]);
    expect(report.ignored).toContain('key "expects_training_arg" of Dense "d"');
  });

  test('keeps the meaning that hard_sigmoid had in the time of the file', async () => {
    const layer = dense('d', { batch_input_shape: [null, 1], activation: 'hard_sigmoid' });
    const config = { name: 's', layers: [layer] };
    const activationAt1 = async (version: string): Promise<unknown> => {
      const model = await modelFromJSON({ class_name: 'Sequential', keras_version: version, config });
      return (await model.predict([[1]], { backend })).data[0];
    };
    expect(await activationAt1('2.2.4')).toBeCloseTo(0.7, 6);
    expect(await activationAt1('3.0.0')).toBeCloseTo(4 / 6, 6);
  });

  test('names every class and function that only the author has, all at once', async () => {
    const config = {
      layers: [
        inputLayer('x', [1]),
        { class_name: 'Custom>Scale', registered_name: 'fixture>Scale', config: { name: 'scale' } },
        { class_name: 'Lambda', config: { name: 'twice', function: ['4wEAAAA=', null, null] } },
      ],
    };
    let error: unknown;
    try {
      await modelFromJSON({ class_name: 'Sequential', config });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(CustomObjectError);
    expect((error as CustomObjectError).needs).toEqual(['Scale', 'twice']);
    expect((error as CustomObjectError).message).toContain('holds Python code, which is never run');
  });

  test('takes them from customObjects: a class, or a function of the inputs', async () => {
    class Scale extends Layer<LayerConfig & { label: string }> {
      static readonly className = 'Scale';
      static readonly fields = { ...layerFields, label: string('') };
      constructor(options: object) {
        super(Scale.className, Scale.fields, options as Record<string, unknown>);
      }
      override call([x]: Parameters<Layer['call']>[0]): ReturnType<Layer['call']> {
        return multiply(x ?? 0, 10);
      }
    }
    const config = {
      layers: [
        inputLayer('x', [1]),
        { class_name: 'Scale', registered_name: 'fixture>Scale', config: { name: 'scale', label: 'snake_case' } },
        { class_name: 'Lambda', config: { name: 'twice', function: ['4wEAAAA=', null, null] } },
      ],
    };
    const model = await modelFromJSON(
      { class_name: 'Sequential', config },
      {
        customObjects: { Scale, twice: ([x]) => multiply(x ?? 0, 2) },
      },
    );
    expect((await model.predict([[1.5]], { backend })).toArray()).toEqual([[30]]);
    expect(model.getLayer('scale').config).toMatchObject({ label: 'snake_case' });
  });

  test('says when a file refers to a layer that it does not have', async () => {
    const broken = nestedKeras2();
    const config = broken.config as JsonObject;
    const model = { ...broken, config: { ...config, output_layers: [['gone', 0, 0]] } };
    await expect(modelFromJSON(model)).rejects.toThrow('name [gone, 0, 0], which no layer gives');
  });

  test('ends with an error where calls go in a circle', async () => {
    const layers = [
      inputLayer('x', [1]),
      { ...dense('a'), inbound_nodes: [[['b', 0, 0, {}]]] },
      { ...dense('b'), inbound_nodes: [[['a', 0, 0, {}]]] },
    ];
    const config = { name: 'm', layers, input_layers: [['x', 0, 0]], output_layers: [['b', 0, 0]] };
    await expect(modelFromJSON({ class_name: 'Model', config })).rejects.toThrow('layer "a" needs [b, 0, 0]');
  });

  test('refuses models nested deeper than any is', async () => {
    let json: JsonObject = dense('d', { batch_input_shape: [null, 1] });
    for (let depth = 0; depth < 80; depth++) {
      json = { class_name: 'Sequential', config: { name: `s${depth}`, layers: [json] } };
    }
    await expect(modelFromJSON(json)).rejects.toThrow('nested deeper than 64');
  });

  test('names quantized weights', async () => {
    const dtype = { class_name: 'QuantizedDTypePolicy', config: { mode: 'int8', source_name: 'float32' } };
    const config = { layers: [inputLayer('x', [1]), dense('d', { dtype })] };
    await expect(modelFromJSON({ class_name: 'Sequential', config })).rejects.toThrow('quantized as int8');
  });
});
