/**
 * What Node, a page and a worker of a page do alike: predictions of a large model, which is built or loaded, of one of large
 * weights, and of two in turn and at once, and a training of a small one.
 */
import {
  type Backend,
  Conv2D,
  Dense,
  Flatten,
  InputLayer,
  type KerasModel,
  loadModel,
  MaxPooling2D,
  type ModelSource,
  mobileNetV2,
  type Program,
  Sequential,
  setBackend,
  tensor,
  wasmBackend,
} from 'hornet';

export interface Outcome {
  /** Bits of outputs, losses or weights. */
  readonly bits: readonly number[];
  /** The most threads that took part in a run. */
  readonly threads: number;
}

/** Makes a model, its weights and its inputs, and gives what is measured. The file is what `largeModel` gives. */
type Prepare = (file: ModelSource) => Promise<() => Promise<Float32Array[]>>;

const IMAGE = 224 * 224 * 3;
const PREDICTIONS = 4;

const WIDTH = 4096;
const ROWS = 136;

const SAMPLES = 64;
const PIXELS = 24 * 24 * 3;

export const WORKS: Readonly<Record<'predict' | 'load' | 'wide' | 'train' | 'alternate', Prepare>> = {
  predict: async () => {
    const model = await largeModel();
    const images = Array.from({ length: PREDICTIONS }, (_, index) => waves(IMAGE, index));
    return async () => {
      const outputs: Float32Array[] = [];
      for (const image of images) outputs.push((await model.predict(image)).data as Float32Array);
      return outputs;
    };
  },
  load: async (file) => {
    const images = Array.from({ length: PREDICTIONS }, (_, index) => waves(IMAGE, index));
    return async () => {
      const model = await loadModel(file);
      const outputs: Float32Array[] = [];
      for (const image of images) outputs.push((await model.predict(image)).data as Float32Array);
      return outputs;
    };
  },
  wide: async () => {
    const model = new Sequential([new InputLayer({ batchShape: [null, WIDTH] }), new Dense({ units: WIDTH })]);
    fill(model);
    // More than goes in one message.
    const x = tensor(waves(ROWS * WIDTH, 1), [ROWS, WIDTH]);
    return async () => {
      for (let call = 1; call < PREDICTIONS; call++) await model.predict(x, { batchSize: ROWS });
      const last = (await model.predict(x, { batchSize: ROWS })).data as Float32Array;
      // The beginning and the end of what is computed: of all bits, comparing them would take longest.
      return [last.subarray(0, WIDTH), last.subarray(-WIDTH)];
    };
  },
  // Workers that wait for the next run of one program are called to another.
  alternate: async () => {
    const models = [512, 640].map((width) => {
      const model = new Sequential([new InputLayer({ batchShape: [null, width] }), new Dense({ units: width })]);
      fill(model);
      return { model, x: tensor(waves(256 * width, width), [256, width]) };
    });
    const options = { batchSize: 256 };
    return async () => {
      const outputs: Float32Array[] = [];
      for (let turn = 0; turn < PREDICTIONS; turn++) {
        for (const { model, x } of models) outputs.push((await model.predict(x, options)).data as Float32Array);
        const both = await Promise.all(models.map(({ model, x }) => model.predict(x, options)));
        outputs.push(...both.map(({ data }) => data as Float32Array));
      }
      return outputs.map((output) => output.subarray(-1024));
    };
  },
  train: async () => {
    const model = new Sequential([
      new InputLayer({ batchShape: [null, 24, 24, 3] }),
      new Conv2D({ filters: 24, kernelSize: 3, activation: 'relu' }),
      new Conv2D({ filters: 32, kernelSize: 3, activation: 'relu' }),
      new MaxPooling2D(),
      new Flatten(),
      new Dense({ units: 64, activation: 'relu' }),
      new Dense({ units: 10, activation: 'softmax' }),
    ]);
    fill(model);
    model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
    const x = tensor(waves(SAMPLES * PIXELS, 1), [SAMPLES, 24, 24, 3]);
    const y = tensor(Int32Array.from({ length: SAMPLES }, (_, index) => index % 10));
    return async () => {
      const { history } = await model.fit(x, y, { epochs: 3, batchSize: 16, shuffle: false });
      const losses = Float32Array.from(history.loss as number[]);
      return [
        losses,
        ...model.weights.map(({ value }) => value.data as Float32Array),
        (await model.predict(x)).data as Float32Array,
      ];
    };
  },
};

export type WorkName = keyof typeof WORKS;

/** A model of many layers. */
export async function largeModel(): Promise<KerasModel> {
  const model = await mobileNetV2({ weights: null });
  fill(model);
  return model;
}

/** The default backend, which says how many threads its programs had. */
export function watchThreads(): () => number {
  const backend = wasmBackend();
  const programs: (Program & { readonly threads: number })[] = [];
  const most: { threads: number } = { threads: 0 };
  const watching: Backend = {
    name: 'watched',
    compile: async (graph, options) => {
      const program = await backend.compile(graph, options);
      programs.push(program);
      return {
        run: async (inputs) => {
          const outputs = await program.run(inputs);
          most.threads = Math.max(most.threads, program.threads);
          return outputs;
        },
      };
    },
  };
  setBackend(watching);
  return () => most.threads;
}

export function bitsOf(outputs: readonly Float32Array[]): number[] {
  return outputs.flatMap(({ buffer, byteOffset, length }) => [...new Uint32Array(buffer, byteOffset, length)]);
}

/** Weights that are the same everywhere: a random start would not be. */
function fill(model: KerasModel): void {
  for (const [index, variable] of model.weights.entries()) {
    const size = variable.shape.reduce((product, extent) => product * extent, 1);
    const fanIn = size / (variable.shape.at(-1) ?? 1);
    const values = waves(size, index).map((value) => Math.fround(value / Math.sqrt(fanIn)));
    // Variances are positive.
    variable.assign(
      tensor(
        variable.name.includes('variance') ? values.map((value) => Math.abs(value) + 0.5) : values,
        variable.shape,
      ),
    );
  }
}

/** Numbers that need no function whose last bit an engine may choose. */
function waves(size: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 12345;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.fround(state / 2 ** 31);
  });
}
