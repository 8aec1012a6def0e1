/** The real models beside the repository, saved in every format as cases for the judges. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type KerasModel,
  loadModel,
  modelFromJSON,
  optimizers,
  type SaveOptions,
  type Tensor,
  tensor,
  UnsupportedError,
} from '../../src/index.ts';
import { predictSeeded } from '../../src/io/seeded-inputs.ts';
import { weightsByPath } from '../../src/serialization/layer-weights.ts';
import { withSmallInputs } from './small-inputs.ts';

/** Formats of weights alone, with what their files end in. */
const WEIGHT_ENDINGS = ['weights.h5', 'weights.json', 'old.h5', 'safetensors', 'npz'] as const;

/** Small, so that weights lie across shards. */
const SHARD_SIZE = 40_000_000;

/** Of a batch of two, a normalisation over one pixel would leave the signs alone, and rounding would decide them. */
const TRAINED_ROWS = 8;

/** Gradients of outputs that are larger are so large that SGD runs away. */
const HUGE_OUTPUT = 50;

/** Steps before a training is saved, and steps that are compared. */
const STEPS_BEFORE = 2;
const STEPS = 5;

/** Layers that a rate or a deviation of nought does not silence. */
const RANDOM_LAYERS =
  /"class_name":\s*"(?:Random(?!Normal|Uniform)\w+|MixUp|CutMix|AugMix|RandAugment|Solarization|Equalization)"/;

const HALF = /^(?:mixed_)?b?float16$/;

export interface Training {
  readonly x: readonly Tensor[];
  readonly y: readonly Tensor[];
  /** What the next steps cost. */
  readonly losses: readonly number[];
}

/** A model in all its files, `FOLDER/NAME.<format>`. */
export interface Case {
  readonly name: string;
  readonly source: string;
  /** Layers that Keras computes in half precision, and Hornet in single. */
  readonly isHalf: boolean;
  readonly keras3Only: readonly string[];
  /** Whether layers have their channels first. */
  readonly channelsFirst: boolean;
  /** The training, or why there is none. */
  readonly training: Training | string;
}

export class ZooCases {
  readonly cases: Map<string, Case> = new Map();
  readonly counts: Record<'found' | 'too large' | 'not loaded' | 'loaded' | 'no form' | 'distinct', number> = {
    found: 0,
    'too large': 0,
    'not loaded': 0,
    loaded: 0,
    'no form': 0,
    distinct: 0,
  };
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #digests = new Set<string>();

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** Saves the model of a file, unless it is one that was saved before. */
  async addFile(path: string): Promise<void> {
    this.counts.found++;
    if (statSync(path).isFile() && statSync(path).size > this.#maxBytes) {
      this.counts['too large']++;
      return;
    }
    const model = await loadModel(path).catch(() => undefined);
    if (model === undefined) this.counts['not loaded']++;
    else await this.add(model, path);
  }

  async add(given: KerasModel, source: string): Promise<void> {
    this.counts.loaded++;
    const model = await withSmallInputs(given);
    const name = String(this.cases.size).padStart(4, '0');
    const at = (ending: string): string => join(this.#folder, `${name}.${ending}`);
    let keras3Only: readonly string[];
    try {
      const report = await model.save(at('h5'), { includeOptimizer: false });
      keras3Only = report.keras3Only ?? [];
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      this.counts['no form']++;
      return;
    }
    // The same model is there in several formats, and gives the same bytes: one judgement is enough.
    const digest = createHash('sha256')
      .update(readFileSync(at('h5')))
      .digest('hex');
    const isKnown = this.#digests.has(digest);
    this.#digests.add(digest);
    if (isKnown) return rmSync(at('h5'));
    const prediction = await predictSeeded(model);
    this.counts.distinct++;
    await model.save(at('keras'), { includeOptimizer: false });
    await saveForKeras2(model, at('keras2.h5'), { includeOptimizer: false });
    for (const ending of WEIGHT_ENDINGS) {
      await model.saveWeights(at(ending), ending === 'weights.json' ? { shardSize: SHARD_SIZE } : {});
    }
    const weights = await digestsOf(model);
    const configuration = await model.toJSON();
    const isHalf = /"dtype":\s*"(?:mixed_)?b?float16"/.test(configuration);
    const channelsFirst = configuration.includes('"channels_first"');
    const training = await this.#train(model, configuration, at);
    const { inputs, outputs } = prediction;
    const written = {
      inputs: inputs.map(jsonOf),
      outputs: outputs.map(jsonOf),
      weights,
      isHalf,
      keras3Only,
      training:
        typeof training === 'string'
          ? null
          : { ...training, x: training.x.map(jsonOf), y: training.y.map(jsonOf), steps: STEPS },
    };
    writeFileSync(at('json'), JSON.stringify(written));
    this.cases.set(name, { name, source, isHalf, keras3Only, channelsFirst, training });
  }

  /** Begins a training, and saves it in every format that has room for the state of an optimizer. */
  async #train(model: KerasModel, configuration: string, at: (ending: string) => string): Promise<Training | string> {
    if (RANDOM_LAYERS.test(configuration)) return 'layers that are random in training';
    if (configuration.includes('"lora_rank"')) return 'low-rank adapters, which are merged here';
    if (model.trainableWeights.length === 0) return 'nothing to train';
    if (model.outputs.some(({ dtype }) => dtype !== 'float32')) return 'outputs that are no floats';
    const silent = silenced(configuration);
    let trained = model;
    if (silent !== undefined) {
      trained = await modelFromJSON(silent);
      trained.setWeights(model.getWeights());
    }
    const { inputs: x, outputs } = await predictSeeded(trained, TRAINED_ROWS);
    const y = targetsFor(outputs);
    if (y.some(({ data }) => (data as Float32Array).includes(NaN))) return 'predictions that are no numbers';
    trained.compile({ optimizer: optimizerOf(y, this.cases.size), loss: y.length > 1 ? y.map(() => 'mse') : 'mse' });
    try {
      await trainSteps(trained, { x, y }, STEPS_BEFORE);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      return error.message.replace(/"[^"]*"/g, '…');
    }
    await trained.save(at('trained.keras'));
    await trained.saveWeights(at('trained.weights.h5'));
    await trained.saveWeights(at('trained.weights.json'), { shardSize: SHARD_SIZE });
    await saveForKeras2(trained, at('trained.keras2.h5'));
    return { x, y, losses: await trainSteps(trained, { x, y }, STEPS) };
  }
}

/** Saves a model that Keras 2 has a form for. */
async function saveForKeras2(model: KerasModel, path: string, options: SaveOptions = {}): Promise<void> {
  await model.save(path, { ...options, kerasVersion: 2 }).catch((error: unknown) => {
    if (!(error instanceof UnsupportedError)) throw error;
  });
}

/** Trains on one batch, and gives what each step cost. */
export async function trainSteps(
  model: KerasModel,
  { x, y }: Pick<Training, 'x' | 'y'>,
  steps: number = STEPS,
): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    await model.resetMetrics();
    losses.push((await model.trainOnBatch(x, y)).loss as number);
  }
  return losses;
}

/**
 * In turn. The large epsilon keeps gradients that are nothing but rounding from becoming whole steps; with larger steps a
 * MobileNetV2 of Keras in single precision is 3e-4 off from the same in double precision after five. Adam's steps do
 * not grow with gradients.
 */
function optimizerOf(targets: readonly Tensor[], index: number): optimizers.Optimizer {
  const isHuge = targets.some(({ data }) => (data as Float32Array).some((value) => Math.abs(value) > HUGE_OUTPUT));
  switch (isHuge ? 0 : index % 3) {
    case 0:
      return new optimizers.Adam({ learningRate: 1e-3, epsilon: 1e-3 });
    case 1:
      return new optimizers.SGD({ learningRate: 3e-4, momentum: 0.9 });
    default:
      return new optimizers.RMSprop({ learningRate: 2e-5, epsilon: 1e-3, momentum: 0.5 });
  }
}

/** The predictions, and some way off them: losses that rounding does not decide. */
function targetsFor(predictions: readonly Tensor[]): Tensor[] {
  return predictions.map(({ data, shape }, place) => {
    const values = Float32Array.from(data as Float32Array);
    const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
    return tensor(
      values.map((value, index) => value + 0.5 * scale * Math.sin((index + 1) * (place + 1) * 12.9898)),
      shape,
    );
  });
}

/** The configuration without chance (dropout, noise) and halves, in which nobody agrees; `undefined` where there is none. */
function silenced(configuration: string): string | undefined {
  const silent = JSON.stringify(
    JSON.parse(configuration, (key, value: unknown) => {
      if (HALF.test(String(value)) && /^(?:dtype|name)$/.test(key)) return 'float32';
      const isChance = /^(?:rate|dropout|recurrent_dropout)$/.test(key) && typeof value === 'number';
      if (isChance) return 0;
      const { class_name: name, config } = (value ?? {}) as { class_name?: unknown; config?: object };
      return name === 'GaussianNoise' ? { ...(value as object), config: { ...config, stddev: 0 } } : value;
    }),
  );
  return silent === JSON.stringify(JSON.parse(configuration)) ? undefined : silent;
}

async function digestsOf(model: KerasModel): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const entry of weightsByPath(model)) {
    const { data } = await entry.read();
    const { buffer, byteOffset, byteLength } = data as Float32Array;
    digests[entry.name] = createHash('sha256')
      .update(new Uint8Array(buffer, byteOffset, byteLength))
      .digest('hex');
  }
  return digests;
}

const jsonOf = ({ shape, dtype, data }: Tensor): object => ({
  shape,
  dtype: dtype === 'string' ? 'object' : dtype,
  data: Array.from(data as Float32Array),
});
