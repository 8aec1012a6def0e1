/** Cases of `interop/make-application-fixtures.py`: a function of the applications, its arguments, and Keras' answer. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { compareWithAnswer } from '../../scripts/zoo/compare.ts';
import type { NamedArray } from '../../scripts/zoo/read-answers.ts';
import { mobileNet } from '../../src/applications/mobile-net.ts';
import { mobileNetV2 } from '../../src/applications/mobile-net-v2.ts';
import { resNet50 } from '../../src/applications/res-net.ts';
import type { PartialShape, Shape } from '../../src/array/shape.ts';
import { Tensor } from '../../src/array/tensor.ts';
import type { ModelSource } from '../../src/io/source.ts';
import type { Model } from '../../src/model/model.ts';

/** A function and its arguments, by Keras' names. */
export interface ApplicationCase {
  readonly function: 'mobileNet' | 'mobileNetV2' | 'resNet50';
  readonly arguments: {
    readonly input_shape?: PartialShape;
    readonly include_top?: boolean;
    readonly alpha?: number;
    readonly depth_multiplier?: number;
    readonly dropout?: number;
    readonly pooling?: 'avg' | 'max';
    readonly classes?: number;
    readonly classifier_activation?: string | null;
    readonly name?: string;
  };
}

export interface AnsweredCase extends ApplicationCase {
  /** Shape, and pixels times 64. */
  readonly inputs: readonly [Shape, readonly number[]];
  readonly outputs: readonly [Shape, readonly number[]];
}

const FUNCTIONS = { mobileNet, mobileNetV2, resNet50 };
const PRECISION = { tolerance: 1e-4, why: 'float32' };

export function applicationFixture(name: string): URL {
  return new URL(`../fixtures/applications/${name}`, import.meta.url);
}

export function readAnswer(file: string | URL): AnsweredCase {
  return JSON.parse(readFileSync(file, 'utf8')) as AnsweredCase;
}

/** Calls the function with the arguments in camelCase. */
export async function createApplication(given: ApplicationCase, weights: ModelSource | null): Promise<Model> {
  const options = Object.entries(given.arguments).map(([key, value]) => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return await FUNCTIONS[given.function]({ ...Object.fromEntries(options), weights });
}

/** Compares the model's predictions with Keras'. */
export async function checkAnswer(model: Model, { inputs, outputs }: AnsweredCase): Promise<void> {
  const images = new Tensor(
    inputs[0],
    'float32',
    Float32Array.from(inputs[1], (value) => value / 64),
  );
  const expected = new Tensor(outputs[0], 'float32', Float32Array.from(outputs[1]));
  expect(model.outputShape.slice(1)).toEqual(expected.shape.slice(1));
  const alone = (tensor: Tensor): NamedArray => ({ name: undefined, tensor, dtype: 'float32' });
  const answer = {
    oracle: 'Keras',
    numbersOf: 'jax',
    inputs: [alone(images)],
    outputs: [alone(expected)],
  } as const;
  const { equal, reason } = await compareWithAnswer(model, answer, PRECISION);
  expect({ equal, reason }).toEqual({ equal: true, reason: undefined });
}
