/** Files of weights that Keras wrote, loaded strictly, and what Keras predicted with them. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { applicationFixture, checkAnswer, createApplication, readAnswer } from '../../test/support/application-case.ts';
import { LoadError } from '../serialization/load-error.ts';
import { mobileNet } from './mobile-net.ts';
import { mobileNetV2 } from './mobile-net-v2.ts';
import { resNet50 } from './res-net.ts';

const FILES = [
  'mobile-net.h5',
  'mobile-net-multiplied.weights.h5',
  'mobile-net-v2.weights.h5',
  'mobile-net-v2-odd.h5',
] as const;

test.each(FILES)('%s: predictions are those of Keras', async (file) => {
  const answer = readAnswer(applicationFixture(`${file.replace(/(\.weights)?\.h5$/, '')}.json`));
  const weights = readWeights(file);
  const model = await createApplication(answer, weights);
  await checkAnswer(model, answer);
  const report = await model.loadWeights(weights);
  expect(report).toMatchObject({ missing: [], unexpected: [], mismatched: [] });
});

describe('mobileNet()', () => {
  test('refuses the weights of another width', async () => {
    const loading = mobileNet({ weights: readWeights('mobile-net.h5'), alpha: 0.5, classes: 5 });
    await expect(loading).rejects.toThrow(LoadError);
  });

  test('refuses the weights of another number of classes', async () => {
    const loading = mobileNet({ weights: readWeights('mobile-net.h5'), alpha: 0.25, classes: 6 });
    await expect(loading).rejects.toThrow(/conv_preds/);
  });

  test('refuses to download weights by name', async () => {
    await expect(mobileNet({ weights: 'imagenet' })).rejects.toThrow(
      'Cannot create MobileNet: found weights "imagenet", expected null or a source, such as the path or address of ' +
        "Keras' file of weights; nothing is downloaded by name",
    );
  });

  test('refuses options without weights', async () => {
    await expect(mobileNet({} as { weights: null })).rejects.toThrow(
      'Cannot create MobileNet: found weights undefined',
    );
  });
});

describe('mobileNetV2()', () => {
  test('refuses images that are too small', async () => {
    await expect(mobileNetV2({ weights: null, inputShape: [32, 31, 3] })).rejects.toThrow(
      'Cannot create MobileNetV2: found the input shape [32, 31, 3], expected a height and width of at least 32',
    );
  });

  test('refuses an unknown extent under a classifier', async () => {
    await expect(mobileNetV2({ weights: null, inputShape: [null, null, 3] })).rejects.toThrow(/includeTop: false$/);
  });

  test('refuses an unknown number of channels, and other than three extents', async () => {
    const includeTop = false;
    await expect(mobileNetV2({ weights: null, includeTop, inputShape: [64, 64, null] })).rejects.toThrow(/channels$/);
    await expect(mobileNetV2({ weights: null, includeTop, inputShape: [64, 64] })).rejects.toThrow(/channels$/);
  });
});

describe('resNet50()', () => {
  test('refuses a pooling that Keras has not', async () => {
    await expect(resNet50({ weights: null, includeTop: false, pooling: 'mean' as 'avg' })).rejects.toThrow(
      'Cannot create ResNet50: found pooling "mean", expected "avg", "max" or null',
    );
  });
});

function readWeights(file: string): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(applicationFixture(`${file}.gz`))));
}
