/** Files that need what only their author has: with classes and functions written with ops they load and predict. */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadModel, Model, Tensor } from '../../src/index.ts';
import { customObjects } from '../support/author-classes.ts';

const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));
const VERSIONS = `${SHARED}/fixtures/keras-versions`;
const KONDUIT = `${SHARED}/models/KonduitAI__dl4j-test-resources/modelimport/keras`;

interface Answer {
  readonly inputs: readonly { readonly shape: number[]; readonly data: number[] }[];
  readonly outputs: readonly { readonly shape: number[]; readonly data: number[] }[];
}

function expectClose(actual: ArrayLike<unknown>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  const wrong = Array.from(expected).filter(
    (want, index) => !(Math.abs(Number(actual[index]) - want) <= 1e-4 + 1e-4 * Math.abs(want)),
  );
  expect(wrong).toEqual([]);
}

const files = existsSync(VERSIONS) ? globSync('*/custom.{keras,dir}', { cwd: VERSIONS }).sort() : [];
const weightsFiles = existsSync(VERSIONS)
  ? globSync('*/custom.{weights.h5,weights.json,legacy_weights.h5}', { cwd: VERSIONS }).sort()
  : [];

async function predictAnswer(model: Awaited<ReturnType<typeof loadModel>>, version: string): Promise<void> {
  const text = readFileSync(`${VERSIONS}/${version}/custom.expected.json`, 'utf8');
  const { inputs, outputs }: Answer = JSON.parse(text);
  const [input] = inputs;
  const values = new Tensor(input?.shape ?? [], 'float32', Float32Array.from(input?.data ?? []));
  const found = await model.predict<Tensor[]>(values);
  for (const [index, output] of outputs.entries()) expectClose((found[index] as Tensor).data, output.data);
}

describe.skipIf(files.length === 0)('a subclassed model of ../shared/fixtures/keras-versions', () => {
  test.each(files)('%s predicts what Keras predicted', async (file) => {
    const version = file.split('/')[0] as string;
    const model = await loadModel(`${VERSIONS}/${file}`, { customObjects: customObjects(file) });
    await predictAnswer(model, version);
  });

  test.each(weightsFiles)('%s fills the model', async (file) => {
    const version = file.split('/')[0] as string;
    const model = await loadModel(`${VERSIONS}/${version}/custom.keras`, { customObjects: customObjects(file) });
    model.setWeights(
      model.getWeights().map(({ shape, data }) => new Tensor(shape, 'float32', new Float32Array(data.length))),
    );
    const report = await model.loadWeights(`${VERSIONS}/${file}`);
    expect(report.matched.length).toBe(model.weights.length);
    await predictAnswer(model, version);
  });

  test('says which classes to pass', async () => {
    await expect(loadModel(`${VERSIONS}/${files[0]}`)).rejects.toThrow('customObjects: { "Custom"');
  });
});

const LAMBDAS = [
  'weights/space_to_depth_simple_tensorflow_1.h5',
  'weights/space_to_depth_simple_tensorflow_2.h5',
  'weights/space_to_depth_graph_tensorflow_2.h5',
];

describe.skipIf(!existsSync(KONDUIT))('Lambda layers of ../shared/models', () => {
  /** TensorFlow's space_to_depth in blocks of two, of samples of [6, 6, 4], element by element. */
  function spaceToDepth(x: Float32Array): Float32Array {
    const at = (row: number, column: number, channel: number): number => x[(row * 6 + column) * 4 + channel] as number;
    const output: number[] = [];
    for (let row = 0; row < 6; row += 2) {
      for (let column = 0; column < 6; column += 2) {
        for (const [down, right] of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ] as const) {
          for (let channel = 0; channel < 4; channel++) output.push(at(row + down, column + right, channel));
        }
      }
    }
    return Float32Array.from(output);
  }

  test.each(LAMBDAS)('%s', async (file) => {
    await expect(loadModel(`${KONDUIT}/${file}`)).rejects.toThrow('customObjects: { "space_to_depth_x2"');
    const model = await loadModel(`${KONDUIT}/${file}`, {
      customObjects: customObjects(file),
    });
    const x = Float32Array.from({ length: 144 }, (_, index) => index);
    const beside = Float32Array.from({ length: 144 }, (_, index) => -index);
    const output = await model.predict(model.inputs.length === 1 ? x : [x, beside]);
    const blocks = spaceToDepth(x);
    const found = output.data as Float32Array;
    const width = model.inputs.length * 16;
    for (let cell = 0; cell < 9; cell++) {
      expect(found.subarray(cell * width, cell * width + 16)).toEqual(blocks.subarray(cell * 16, cell * 16 + 16));
      if (width > 16) {
        const rest = found.subarray(cell * width + 16, (cell + 1) * width);
        expect(rest).toEqual(beside.subarray(cell * 16, cell * 16 + 16));
      }
    }
  });

  test('examples/lambda/model_lambda.h5: a square and a triple between dense layers', async () => {
    const model = await loadModel(`${KONDUIT}/examples/lambda/model_lambda.h5`, {
      customObjects: customObjects('model_lambda.h5'),
    });
    const x = Float32Array.from({ length: 784 }, (_, index) => Math.sin(index));
    const before = await predictUntil(model, 'dense_3', x);
    const after = await predictUntil(model, 'lambda_4', x);
    expectClose(
      after,
      Array.from(before, (value) => 3 * value * value),
    );
    expect((await model.predict(x)).data.every((value) => Number.isFinite(value))).toBe(true);
  });

  async function predictUntil(model: Awaited<ReturnType<typeof loadModel>>, name: string, x: Float32Array) {
    const part = new Model({ inputs: model.inputs, outputs: model.getLayer(name).output });
    const { data } = await part.predict(x);
    return data as Float32Array;
  }
});
