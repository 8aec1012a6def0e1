/** Names, order, configurations, connections and weights of every layer, against `keras.applications`. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { type ApplicationCase, applicationFixture, createApplication } from '../../test/support/application-case.ts';
import type { JsonObject } from '../formats/artifacts.ts';
import { clearSession } from '../layers/layer.ts';
import type { Model } from '../model/model.ts';
import { modelFromJSON } from '../serialization/build-model.ts';

interface Architecture extends ApplicationCase {
  readonly name: string;
  /** What `to_json` gives. */
  readonly config: JsonObject;
  readonly weights: readonly (readonly [path: string, shape: readonly number[]])[];
}

const architectures = JSON.parse(
  gunzipSync(readFileSync(applicationFixture('architectures.json.gz'))).toString(),
) as readonly Architecture[];

beforeEach(clearSession);

describe.each(architectures.map((each) => [`${each.function} ${JSON.stringify(each.arguments)}`, each] as const))(
  '%s',
  (_, architecture) => {
    test('has the weights of Keras, by path, order and shape', async () => {
      const model = await createApplication(architecture, null);
      expect(model.name).toBe(architecture.name);
      expect(architecture.weights.length).toBeGreaterThan(100);
      expect(model.weights.map(({ path, shape }) => [path, shape])).toEqual(architecture.weights);
    });

    test('has the layers of Keras, as they are configured and connected', async () => {
      const model = await createApplication(architecture, null);
      const expected = (await modelFromJSON(architecture.config)) as Model;
      expect(expected.layers.length).toBeGreaterThan(80);
      expect(describeLayers(model)).toEqual(describeLayers(expected));
      expect(model.inputShape).toEqual(expected.inputShape);
      expect(model.outputShape).toEqual(expected.outputShape);
    });
  },
);

test('the cases are those of all three functions, with and without the classifier', () => {
  const kinds = architectures.map((each) => `${each.function} ${each.arguments.include_top ?? true}`);
  expect(new Set(kinds).size).toBe(6);
});

/** Layers in their order: class, configuration, and the layers that each is applied to. */
function describeLayers(model: Model): unknown[] {
  return model.layers.map((layer) => ({
    name: layer.name,
    className: layer.className,
    // Functions are left out; each has its name beside it.
    config: JSON.parse(JSON.stringify(layer.config)) as unknown,
    inputs: model.layerCalls
      .filter((call) => call.layer === layer)
      .map((call) => call.inputs.map((tensor) => tensor.call.layer.name)),
  }));
}
