import { describe, expect, test } from 'vitest';
import { layersToRead, pathsOfLayers, selectLayers } from './select-layers.ts';

const layer = (name: string, ...from: readonly string[]) => ({
  class_name: 'Dense',
  name,
  config: { name },
  inbound_nodes: from.length === 0 ? [] : [from.map((source) => [source, 0, 0, {}])],
});

const tensor = (name: string) => ({ class_name: '__keras_tensor__', config: { keras_history: [name, 0, 0] } });

describe('selectLayers', () => {
  test('follows the nodes of Keras 2, other branches left out', () => {
    const layers = [layer('in'), layer('a', 'in'), layer('b', 'in'), layer('c', 'a'), layer('d', 'b', 'c')];
    const topology = { class_name: 'Functional', config: { layers } };
    expect(selectLayers(topology, { until: 'c' })).toEqual(new Set(['in', 'a', 'c']));
    expect(selectLayers(topology, { until: 'd', exclude: ['a'] })).toEqual(new Set(['in', 'b', 'c', 'd']));
    expect(selectLayers(topology, {})).toBeUndefined();
  });

  test('follows the tensors of Keras 3, those in keywords too', () => {
    const layers = [
      { name: 'in', class_name: 'InputLayer', inbound_nodes: [] },
      { name: 'mask', class_name: 'NotEqual', inbound_nodes: [{ args: [tensor('in'), 0], kwargs: {} }] },
      { name: 'other', class_name: 'Dense', inbound_nodes: [{ args: [tensor('in')], kwargs: {} }] },
      { name: 'rnn', class_name: 'LSTM', inbound_nodes: [{ args: [tensor('in')], kwargs: { mask: tensor('mask') } }] },
    ];
    const topology = { class_name: 'Functional', config: { layers } };
    expect(selectLayers(topology, { until: 'rnn' })).toEqual(new Set(['in', 'mask', 'rnn']));
  });

  test('takes the layers before it in a Sequential, also in a list of old', () => {
    const layers = ['a', 'b', 'c'].map((name) => ({ class_name: 'Dense', config: { name } }));
    for (const config of [layers, { layers }]) {
      const topology = { class_name: 'Sequential', config };
      expect(selectLayers(topology, { until: 'b' })).toEqual(new Set(['a', 'b']));
      expect(selectLayers(topology, { exclude: (name) => name === 'b' })).toEqual(new Set(['a', 'c']));
    }
  });
});

test('pathsOfLayers() counts layers by the names of their classes, operations left out', () => {
  const layers = [
    ['Conv2DTranspose', 'a'],
    ['PReLU', 'b'],
    ['Dense', 'c'],
    ['Dense', 'd'],
    ['LayerNormalization', 'e'],
    ['GroupQueryAttention', 'f'],
  ].map(([class_name = '', name = '']) => ({ class_name, config: { name } }));
  const multiply = { module: 'keras.src.ops.numpy', class_name: 'Multiply', config: { name: 'x' } };
  const topology = { config: { layers: [multiply, ...layers, { class_name: 'Multiply', config: { name: 'g' } }] } };
  expect(pathsOfLayers(topology, new Set(['a', 'b', 'd', 'e', 'f', 'g', 'x']))).toEqual(
    new Set([
      'layers/conv2d_transpose',
      'layers/p_re_lu',
      'layers/dense_1',
      'layers/layer_normalization',
      'layers/grouped_query_attention',
      'layers/multiply',
    ]),
  );
});

test('layersToRead() leaves out what has no weights, but not what only has the name of such a class', () => {
  const layers = [
    { name: 'in', class_name: 'InputLayer', module: 'keras.layers', registered_name: null },
    { name: 'dense', class_name: 'Dense', module: 'keras.layers' },
    { name: 'pool', class_name: 'GlobalAveragePooling2D' },
    { name: 'add', class_name: 'Add', module: 'keras.src.layers.merging.add' },
    { name: 'mine', class_name: 'Add', module: 'shapes', registered_name: 'shapes>Add' },
    { name: 'last', class_name: 'Dense' },
  ];
  const topology = { class_name: 'Sequential', config: { layers } };
  expect(layersToRead(topology, { until: 'mine' })).toEqual(new Set(['dense', 'mine']));
  expect(layersToRead(topology, {})).toBeUndefined();
});
