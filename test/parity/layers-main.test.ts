/** Layers of the common families, in many configurations, against what Keras computes: 3.15 on JAX, and 2 on TensorFlow for `keras2`. */
import { describe, expect, test } from 'vitest';
import { referenceBackend } from '../../src/backends/reference/reference-backend.ts';
import { wasmBackend } from '../../src/backends/wasm/wasm-backend.ts';
import * as activation from '../../src/layers/activations/activation.ts';
import * as prelu from '../../src/layers/activations/prelu.ts';
import * as rectifiers from '../../src/layers/activations/rectifiers.ts';
import * as softmax from '../../src/layers/activations/softmax.ts';
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
import * as activityRegularization from '../../src/layers/regularization/activity-regularization.ts';
import * as dropout from '../../src/layers/regularization/dropout.ts';
import * as noise from '../../src/layers/regularization/noise.ts';
import * as cropping from '../../src/layers/reshaping/cropping.ts';
import * as reshape from '../../src/layers/reshaping/reshape.ts';
import * as upSampling from '../../src/layers/reshaping/up-sampling.ts';
import * as zeroPadding from '../../src/layers/reshaping/zero-padding.ts';
import { checkInitializerCase, readInitializerCases } from '../support/initializer-case.ts';
import { checkLayerCase, type LayerClass, readLayerCases } from '../support/layer-case.ts';

const modules = [
  ...[
    activation,
    prelu,
    rectifiers,
    softmax,
    conv,
    convTranspose,
    depthwiseConv,
    separableConv,
    locallyConnected,
    dense,
    einsumDense,
  ],
  ...[embedding, identity, masking, concatenate, dot, merge, batchNormalization, groupNormalization],
  ...[layerNormalization, spectralNormalization, adaptivePooling, globalPooling, pooling],
  ...[activityRegularization, dropout, noise, cropping, reshape, upSampling, zeroPadding],
];
const classes = modules.flatMap((module) => Object.values(module)).filter(isLayerClass);

function isLayerClass(value: unknown): value is LayerClass {
  return typeof value === 'function' && 'className' in value;
}

const FAMILIES = [
  'core',
  'convolutional',
  'pooling',
  'normalization',
  'merging',
  'reshaping',
  'activations',
  'regularization',
  'keras2',
];

describe.each([referenceBackend(), wasmBackend()])('$name', (backend) => {
  describe.each(FAMILIES)('%s', (family) => {
    const cases = readLayerCases(`main/${family}.json`);
    test.each(cases.map((given) => [given.name, given] as const))('%s', (_, given) =>
      checkLayerCase(given, classes, backend),
    );
  });
});

test('every class has a case', () => {
  const covered = new Set(FAMILIES.flatMap((family) => readLayerCases(`main/${family}.json`).map((c) => c.class_name)));
  expect(classes.map(({ className }) => className).filter((name) => !covered.has(name))).toEqual([]);
});

describe('initializers', () => {
  const cases = readInitializerCases('main/initializers.json');
  test.each(cases.map((given) => [given.name, given] as const))('%s', (_, given) => checkInitializerCase(given));
});
