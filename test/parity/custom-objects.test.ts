/** Files that need what only their author has: with classes and functions written with ops they load and predict. */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  BatchNormalization,
  type CustomObjects,
  Dense,
  fields,
  Layer,
  type LayerConfig,
  layerFields,
  loadModel,
  Model,
  ops,
  type PartialShape,
  Sequential,
  type SymbolicTensor,
  Tensor,
} from '../../src/index.ts';

const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));
const VERSIONS = `${SHARED}/fixtures/keras-versions`;
const KONDUIT = `${SHARED}/models/KonduitAI__dl4j-test-resources/modelimport/keras`;

interface ScaleConfig extends LayerConfig {
  factor: number;
}

/** `Scale` of `custom.py`: inputs · w · factor + b. */
class Scale extends Layer<ScaleConfig> {
  static readonly className = 'Scale';
  static readonly fields = { ...layerFields, factor: fields.number(1) };

  constructor(options: { readonly factor?: number }) {
    super(Scale.className, Scale.fields, options);
  }

  protected override build([shape]: readonly PartialShape[]): void {
    const features = shape?.at(-1) ?? Number.NaN;
    this.addWeight('w', [features], { initializer: 'ones' });
    this.addWeight('b', [features], { initializer: 'zeros', trainable: false });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return ops.add(ops.multiply(ops.multiply(x, this.weight('w')), this.config.factor), this.weight('b'));
  }
}

interface CustomConfig extends LayerConfig {
  units: number;
}

/** `Custom` of `custom.py`: a subclassed model, with layers in attributes, a list and a dictionary. */
class Custom extends Layer<CustomConfig> {
  static readonly className = 'Custom';
  static readonly fields = { ...layerFields, units: fields.positiveInteger(4) };
  protected readonly headOrder: readonly ('a' | 'b')[] = ['b', 'a'];
  readonly #units = this.config.units;
  readonly #zout = new Dense({ units: 2 });
  readonly #adense = new Dense({ units: this.#units, activation: 'relu' });
  readonly #blocks = [
    new Dense({ units: this.#units }),
    new Scale({ factor: 0.5 }),
    new Dense({ units: this.#units, activation: 'tanh' }),
  ];
  readonly #heads = { b: new Dense({ units: 3 }), a: new Dense({ units: this.#units }) };
  readonly #norm = new BatchNormalization({});
  readonly #sub = new Sequential({ layers: [new Dense({ units: this.#units }), new Scale({ factor: 2 })] });

  constructor(options: { readonly units?: number }) {
    super(Custom.className, Custom.fields, options);
  }

  /** In the order of the assignments in Python. */
  override get sublayers(): Record<string, Layer | readonly Layer[]> {
    return {
      zout: this.#zout,
      adense: this.#adense,
      blocks: this.#blocks,
      heads: this.headOrder.map((key) => this.#heads[key]),
      norm: this.#norm,
      sub: this.#sub,
    } as unknown as Record<string, Layer | readonly Layer[]>;
  }

  override call([x]: readonly [SymbolicTensor], options: Parameters<Layer['call']>[1]): readonly SymbolicTensor[] {
    const run = (layer: { trace: Layer['trace'] }, input: SymbolicTensor): SymbolicTensor =>
      layer.trace([{ tensor: input }], options)[0]?.tensor as SymbolicTensor;
    let hidden = run(this.#adense, x);
    for (const block of this.#blocks) hidden = run(block, hidden);
    hidden = run(this.#norm, hidden);
    hidden = ops.add(hidden, run(this.#sub, run(this.#heads.a, hidden)));
    return [run(this.#zout, hidden), run(this.#heads.b, hidden)];
  }
}

/** tf.keras lists what a dictionary holds by its keys, Keras 3 in the order in which it was put in. */
class TfCustom extends Custom {
  protected override readonly headOrder = ['a', 'b'] as const;
}

function customObjects(version: string): CustomObjects {
  return { Custom: version.startsWith('tf-keras') ? TfCustom : Custom, Scale };
}

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
    const model = await loadModel(`${VERSIONS}/${file}`, { customObjects: customObjects(version) });
    await predictAnswer(model, version);
  });

  test.each(weightsFiles)('%s fills the model', async (file) => {
    const version = file.split('/')[0] as string;
    const model = await loadModel(`${VERSIONS}/${version}/custom.keras`, { customObjects: customObjects(version) });
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
      customObjects: { space_to_depth_x2: ([x]) => ops.spaceToDepth(x as SymbolicTensor, 2) },
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
      customObjects: {
        lambda_3: ([x]) => ops.square(x as SymbolicTensor),
        lambda_4: ([x]) => ops.multiply(x as SymbolicTensor, 3),
      },
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
