/** What is damaged: small models in every format, as files under keys, and what reading one means. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { bytesOfFile, writableBytes } from '../../src/binary/byte-sink.ts';
import { bytesFile } from '../../src/binary/ranged-file.ts';
import { Hdf5Dataset } from '../../src/formats/hdf5/hdf5-dataset.ts';
import type { Hdf5Group } from '../../src/formats/hdf5/hdf5-group.ts';
import { openHdf5 } from '../../src/formats/hdf5/open-hdf5.ts';
import { writeZip } from '../../src/formats/keras/write-zip.ts';
import { openZip } from '../../src/formats/keras/zip-archive.ts';
import { readSafetensors } from '../../src/formats/safetensors/read-safetensors.ts';
import { writeSafetensors } from '../../src/formats/safetensors/write-safetensors.ts';
import {
  Add,
  BatchNormalization,
  Bidirectional,
  Conv2D,
  clearSession,
  Dense,
  DepthwiseConv2D,
  Embedding,
  Flatten,
  GlobalAveragePooling2D,
  InputLayer,
  input,
  type KerasModel,
  LSTM,
  loadModel,
  MaxPooling2D,
  Model,
  type ModelArtifacts,
  memoryStore,
  modelFromJSON,
  optimizers,
  readArtifacts,
  type SaveOptions,
  Sequential,
  StringLookup,
  schedules,
  type WeightEntry,
} from '../../src/index.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import type { Random } from './random.ts';

export type Files = ReadonlyMap<string, Uint8Array>;

/** A sound model, and the key of the file that names the others. */
export interface Sound {
  readonly name: string;
  readonly files: Files;
  readonly main: string;
}

export interface Subject {
  readonly sounds: readonly Sound[];
  /** A damaged copy. */
  mutate(sound: Sound, random: Random): Promise<Files>;
  /** Reads all of it, as a user would; throws what a load throws. */
  read(files: Files, main: string): Promise<void>;
}

const FIXTURES = fileURLToPath(new URL('../../test/fixtures/', import.meta.url));

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function fixture(path: string): Uint8Array {
  const bytes = readFileSync(FIXTURES + path);
  return new Uint8Array(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}

function models(): KerasModel[] {
  clearSession();
  const image = input({ shape: [8, 8, 2], name: 'image' });
  let x = new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(image);
  x = new Add().apply([
    x,
    new BatchNormalization().apply(new DepthwiseConv2D({ kernelSize: 3, padding: 'same' }).apply(x)),
  ]);
  const head = new Sequential({
    name: 'head',
    layers: [new Flatten(), new Dense({ units: 3, activation: 'softmax' })],
  });
  const outputs = [head.apply(new MaxPooling2D({ poolSize: 2 }).apply(x)), new GlobalAveragePooling2D().apply(x)];
  const text = input({ shape: [6], dtype: 'int32', name: 'text' });
  const embedded = new Embedding({ inputDim: 9, outputDim: 4, maskZero: true }).apply(text);
  const read = new Bidirectional({ layer: new LSTM({ units: 3 }) }).apply(embedded);
  const words = input({ shape: [2], dtype: 'string', name: 'words' });
  return [
    new Model({ inputs: image, outputs, name: 'images' }),
    new Model({ inputs: text, outputs: new Dense({ units: 1 }).apply(read), name: 'texts' }),
    new Model({
      inputs: words,
      outputs: new StringLookup({ vocabulary: ['a', 'b', 'c'] }).apply(words),
      name: 'words',
    }),
  ];
}

const alone = (name: string, bytes: Uint8Array): Sound => ({ name, files: new Map([[name, bytes]]), main: name });

/** Damages one of the files. */
async function mutateOne(sound: Sound, random: Random, others: readonly Uint8Array[]): Promise<Files> {
  const key = random.pick([...sound.files.keys()]);
  const bytes = sound.files.get(key) as Uint8Array;
  const isText = key.endsWith('.json') && random.chance(0.8);
  const changed = isText
    ? encoder.encode(mutateJson(decoder.decode(bytes), random))
    : mutateBytes(bytes, random, others);
  return new Map([...sound.files, [key, changed]]);
}

async function readAll({ weights, optimizerWeights = [], assets = new Map() }: ModelArtifacts): Promise<void> {
  const entries: WeightEntry[] = [...optimizerWeights];
  if (weights?.kind === 'named') entries.push(...weights.entries);
  if (weights?.kind === 'layers')
    entries.push(...weights.layers.flatMap((layer) => layer.entries), ...weights.topLevel);
  if (weights?.kind === 'paths')
    for (const { entries: some } of weights.groups.values()) entries.push(...some.values());
  for (const entry of entries) await entry.read();
  for (const read of assets.values()) await read();
}

async function storeOf(files: Files): Promise<ReturnType<typeof memoryStore>> {
  const store = memoryStore();
  for (const [key, bytes] of files) await store.write?.(key, writableBytes(bytes));
  return store;
}

/** Loads the model; what has no configuration is read array by array, and assigned to `into`. */
async function readModel(files: Files, main: string, into?: KerasModel): Promise<void> {
  const store = await storeOf(files);
  const artifacts = await readArtifacts({ store, key: main });
  if (artifacts.topology === undefined) {
    await readAll(artifacts);
    await into?.loadWeights({ store, key: main });
    return;
  }
  const model = await loadModel({ store, key: main });
  for (const variable of model.weights) {
    const size = variable.shape.reduce((product, extent) => product * extent, 1);
    if (variable.value.data.length !== size)
      throw new Error(`weight ${variable.path} has ${variable.value.data.length} of ${size}`);
  }
}

/** Loads a model with all that its file says of its training, which otherwise is read when it is first trained. */
async function readTrained(files: Files, main: string): Promise<void> {
  await readModel(files, main);
  const model = await loadModel({ store: await storeOf(files), key: main });
  await model.loadTrainer();
}

async function walkHdf5(files: Files, main: string): Promise<void> {
  let first: unknown;
  const note = (error: unknown): undefined => {
    first ??= error;
    return undefined;
  };
  const seen = new Set<number>();
  const visit = async (object: Hdf5Group | Hdf5Dataset): Promise<void> => {
    if (seen.has(object.address) || seen.size > 300) return;
    seen.add(object.address);
    await object.attributes().catch(note);
    if (object instanceof Hdf5Dataset) {
      await object.read().catch(note);
      return;
    }
    for (const name of ((await object.names().catch(note)) ?? []).slice(0, 300)) {
      const child = await object.get(name).catch(note);
      if (child !== undefined) await visit(child);
    }
  };
  await visit(await openHdf5(bytesFile(files.get(main) as Uint8Array, main)));
  if (first !== undefined) throw first;
}

/** Damages the archive, or a member of it, which then is packed with a right checksum. */
async function mutateKeras(sound: Sound, random: Random, others: readonly Uint8Array[]): Promise<Files> {
  const bytes = sound.files.get(sound.main) as Uint8Array;
  if (random.chance(0.5)) return new Map([[sound.main, mutateBytes(bytes, random, others)]]);
  const archive = await openZip(bytesFile(bytes, sound.main));
  const members = new Map<string, Uint8Array>();
  for (const path of archive.paths) {
    const file = await archive.open(path);
    if (file !== undefined) members.set(path, await file.slice(0, file.byteLength));
  }
  const path = random.pick([...members.keys()]);
  const changed = await mutateOne(
    { ...sound, files: new Map([[path, members.get(path) as Uint8Array]]) },
    random,
    others,
  );
  members.set(path, changed.get(path) as Uint8Array);
  if (random.chance(0.05)) {
    const escaped = random.pick([
      '../../escaped.txt',
      '/hornet-escaped',
      'assets/../../escaped',
      'a\\..\\b',
      '__proto__/x',
    ]);
    members.set(escaped, encoder.encode('escaped'));
  }
  if (random.chance(0.05)) members.delete(random.pick([...members.keys()]));
  const packed = writeZip([...members].map(([name, content]) => ({ path: name, file: writableBytes(content) })));
  return new Map([[sound.main, await bytesOfFile(packed)]]);
}

/** A layers-model in two shards, with every kind of weight that a manifest may have. */
function layersModel(): Sound {
  const dense = (name: string, units: number, more: object = {}) => ({
    class_name: 'Dense',
    config: { name, units, ...more },
  });
  const weights = [
    { name: 'first/kernel', shape: [3, 4], dtype: 'float32', quantization: { dtype: 'uint8', min: -1, scale: 0.01 } },
    { name: 'first/bias', shape: [4], dtype: 'float32', quantization: { dtype: 'float16' } },
    { name: 'second/kernel', shape: [4, 2], dtype: 'float32', quantization: { dtype: 'uint16', min: 0, scale: 0.001 } },
    { name: 'second/bias', shape: [2], dtype: 'float32' },
  ];
  const json = {
    format: 'layers-model',
    generatedBy: 'keras v2.15.0',
    convertedBy: null,
    modelTopology: {
      keras_version: '2.15.0',
      backend: 'tensorflow',
      model_config: {
        class_name: 'Sequential',
        config: { name: 'served', layers: [dense('first', 4, { batch_input_shape: [null, 3] }), dense('second', 2)] },
      },
    },
    weightsManifest: [{ paths: ['a.bin', 'b.bin'], weights }],
  };
  const bytes = new Uint8Array(12 + 8 + 16 + 8).map((_, index) => index * 5);
  const files = new Map([
    ['model.json', encoder.encode(JSON.stringify(json))],
    ['a.bin', bytes.slice(0, 17)],
    ['b.bin', bytes.slice(17)],
  ]);
  return { name: 'layers-model', files, main: 'model.json' };
}

/** Models that were trained for a step, so that their files say how, and have the state of an optimizer. */
async function trainedModels(): Promise<KerasModel[]> {
  clearSession();
  const flat = input({ shape: [3], name: 'flat' });
  const deep = new BatchNormalization().apply(new Dense({ units: 4, activation: 'relu' }).apply(flat));
  const adam = new Model({ inputs: flat, outputs: new Dense({ units: 2 }).apply(deep), name: 'adam' });
  adam.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae'] });
  const momentum = new Sequential({
    name: 'momentum',
    layers: [new InputLayer({ batchShape: [null, 3] }), new Dense({ units: 2, name: 'only' })],
  });
  const learningRate = new schedules.ExponentialDecay({ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.9 });
  momentum.compile({ optimizer: new optimizers.SGD({ learningRate, momentum: 0.9 }), loss: 'mse' });
  for (const model of [adam, momentum]) await model.trainOnBatch([[1, 2, 3]], [[1, 0]]);
  return [adam, momentum];
}

/** What our own writer makes of a model, in as many files as it takes. */
async function saved(model: KerasModel, main: string, options: SaveOptions = {}): Promise<Sound> {
  const files = new Map<string, Uint8Array>();
  await model.save({ store: memoryStore(files), key: main }, options);
  return { name: `${model.name} as ${main}`, files, main };
}

/** The subjects by the name of their format. */
export async function subjects(): Promise<ReadonlyMap<string, Subject>> {
  const built = models();
  const kerasFiles = await Promise.all(
    built.map(async (model) => alone(`${model.name}.keras`, await model.toBytes({ format: 'keras' }))),
  );
  kerasFiles.push(...['tiny.keras', 'deflated.keras'].map((name) => alone(name, fixture(`formats/${name}`))));
  const hdf5Models = ['tiny.h5', 'numbered.h5', 'dtypes.h5'].map((name) => alone(name, fixture(`formats/${name}`)));
  hdf5Models.push(
    ...readdirSync(`${FIXTURES}hdf5`)
      .filter((name) => /^keras.*\.h5$/.test(name))
      .map((name) => alone(name, fixture(`hdf5/${name}`))),
  );
  const weightsFiles = await Promise.all(
    built.map(async (model) => alone(`${model.name}.weights.h5`, await model.toBytes({ format: 'weights.h5' }))),
  );
  const generations = readdirSync(`${FIXTURES}hdf5`)
    .filter((name) => /\.h5(\.gz)?$/.test(name))
    .map((name) => alone(name, fixture(`hdf5/${name}`)));
  const configs = await Promise.all(
    kerasFiles.slice(0, 3).map(async ({ files, main }) => {
      const { topology } = await readArtifacts(files.get(main) as Uint8Array);
      return alone(`${main}.json`, encoder.encode(JSON.stringify(topology)));
    }),
  );
  const shards = [
    'sharded.weights.json',
    'sharded_00000.weights.h5',
    'sharded_00001.weights.h5',
    'sharded_00002.weights.h5',
  ];
  const sharded: Sound = {
    name: 'sharded',
    files: new Map(shards.map((name) => [name, fixture(`formats/${name}`)])),
    main: 'sharded.weights.json',
  };
  const tensors = await Promise.all(
    built.slice(0, 2).map(async (model) => {
      const entries = model.weights.map((variable) => ({
        name: variable.path,
        dtype: variable.dtype,
        shape: variable.shape,
        read: async () => variable.value,
      }));
      return alone(
        `${model.name}.safetensors`,
        await bytesOfFile(await writeSafetensors(entries as never, { made: 'for this' })),
      );
    }),
  );
  const trained = await trainedModels();
  const [images, texts] = built as [KerasModel, KerasModel];
  const ownHdf5 = await Promise.all([
    saved(images, 'images.h5'),
    saved(texts, 'texts.h5'),
    ...trained.map((model) => saved(model, `${model.name}.h5`)),
    ...trained.map((model) => saved(model, `${model.name}-2.h5`, { kerasVersion: 2 })),
  ]);
  const ownLayersModels = await Promise.all([
    saved(images, 'model.json', { splitByLayer: true, quantize: 'float16' }),
    ...trained.map((model) => saved(model, 'model.json', { shardSize: 64, metadata: { epoch: 3, tags: ['a'] } })),
  ]);
  const archives = await Promise.all(
    [images, texts, ...trained].map(async (model) =>
      alone(`${model.name}.npz`, await model.toBytes({ format: 'npz' })),
    ),
  );
  const plain = (sounds: readonly Sound[], read: Subject['read'] = readModel): Subject => {
    const others = sounds.flatMap(({ files }) => [...files.values()]);
    return { sounds, read, mutate: async (sound, random) => await mutateOne(sound, random, others) };
  };
  return new Map<string, Subject>([
    [
      'keras',
      {
        ...plain(kerasFiles),
        mutate: async (sound, random) =>
          await mutateKeras(
            sound,
            random,
            kerasFiles.map(({ files, main }) => files.get(main) as Uint8Array),
          ),
      },
    ],
    ['h5', plain(hdf5Models)],
    [
      'weights.h5',
      plain(weightsFiles, async (files, main) => {
        const into = built.find(({ name }) => main === `${name}.weights.h5`);
        await readModel(files, main, into);
      }),
    ],
    ['hdf5', plain(generations, walkHdf5)],
    ['layers-model', plain([layersModel()])],
    ['own-layers-model', plain(ownLayersModels, readTrained)],
    ['own-h5', plain(ownHdf5, readTrained)],
    [
      'npz',
      {
        ...plain(archives, async (files, main) => {
          const into = [...built, ...trained].find(({ name }) => main === `${name}.npz`);
          await readModel(files, main, into);
        }),
        mutate: async (sound, random) =>
          await mutateKeras(
            sound,
            random,
            archives.map(({ files, main }) => files.get(main) as Uint8Array),
          ),
      },
    ],
    ['weights.json', plain([sharded])],
    [
      'safetensors',
      plain(tensors, async (files, main) => {
        const { entries } = await readSafetensors(bytesFile(files.get(main) as Uint8Array, main));
        for (const entry of entries) await entry.read();
      }),
    ],
    [
      'config',
      plain(configs, async (files, main) => {
        await modelFromJSON(decoder.decode(files.get(main)));
      }),
    ],
  ]);
}
