/** Transfer learning in two stages, against two optimizers of Keras by hand. */
import { readFileSync } from 'node:fs';
import { modelFromJSON, optimizers, type Tensor, tensor } from 'hornet';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/formats/artifacts.ts';
import type { KerasModel } from '../../src/model/keras-model.ts';

interface Values {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Fixture {
  readonly topology: JsonObject;
  readonly rate: number;
  readonly multiplier: number;
  readonly stepsOfEachStage: number;
  readonly x: Values;
  readonly y: Values;
  readonly initial: readonly (readonly number[])[];
  readonly losses: readonly number[];
  readonly final: readonly (readonly number[])[];
}

const fixture = JSON.parse(readFileSync('test/fixtures/transfer/two-stages.json', 'utf8')) as Fixture;
const decode = ({ shape, data }: Values): Tensor => tensor(Float32Array.from(data), shape);

test('losses and weights of both stages are those of Keras', async () => {
  const model = await modelFromJSON(fixture.topology);
  model.setWeights(model.weights.map(({ shape }, index) => decode({ shape, data: fixture.initial[index] ?? [] })));
  const optimizer = new optimizers.Adam({ learningRate: fixture.rate });
  const losses: number[] = [];
  const train = async (): Promise<void> => {
    for (let step = 0; step < fixture.stepsOfEachStage; step++) {
      await model.resetMetrics();
      losses.push((await model.trainOnBatch(decode(fixture.x), decode(fixture.y))).loss as number);
    }
  };

  const base = model.getLayer('base') as unknown as KerasModel;
  base.trainable = false;
  model.compile({ optimizer, loss: 'categorical_crossentropy' });
  await train();
  for (const name of ['conv_2', 'norm_2']) base.getLayer(name).trainable = true;
  const learningRateMultipliers = { base: fixture.multiplier };
  model.compile({ optimizer, loss: 'categorical_crossentropy', learningRateMultipliers });
  await train();

  for (const [step, loss] of losses.entries()) {
    expect(Math.abs(loss - (fixture.losses[step] as number)), `loss of step ${step}`).toBeLessThanOrEqual(1e-5);
  }
  for (const [index, variable] of model.weights.entries()) {
    const expected = fixture.final[index] as readonly number[];
    const errors = Array.from(variable.value.data as Float32Array, (value, at) =>
      Math.abs(value - (expected[at] ?? 0)),
    );
    expect(Math.max(...errors), variable.path).toBeLessThanOrEqual(1e-4);
    // What stays frozen keeps its bits.
    const isFrozen = /base\/(conv|norm)_1\//.test(variable.path);
    if (isFrozen) expect(Array.from(variable.value.data)).toEqual(fixture.initial[index]?.map(Math.fround));
  }
});
