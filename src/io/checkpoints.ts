/** Checkpoints: a directory of versions of a model, of which the last and the best are kept. */
import { writableBytes } from '../binary/byte-sink.ts';
import { NotFoundError, UnsupportedError } from '../errors.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { LoadReport } from '../serialization/report.ts';
import { joinKey, type Store } from '../storage/store.ts';
import type { Logs } from '../training/callbacks/callback.ts';
import type { TrainingState } from '../training/training-state.ts';
import {
  type CheckpointVersion,
  claimantOf,
  claimOf,
  type DamagedVersion,
  type DirectoryContents,
  idOf,
  readDirectory,
  recordKeyOf,
  writeIndex,
  writeRecord,
} from './checkpoint-records.ts';
import { CheckpointChoice, type CheckpointPolicy, type WhichCheckpoint } from './choose-checkpoints.ts';
import type { CheckpointComparison } from './compare-checkpoints.ts';
import type { LoadModelOptions, LoadWeightsOptions } from './load.ts';
import { placeOf, type SaveDestination } from './places.ts';
import type { FormatOptions, SaveFormat } from './save-formats.ts';
import { pathOf, type StoredModel } from './source.ts';

export interface CheckpointsOptions extends FormatOptions, CheckpointPolicy {
  /** In which format models are stored, `keras` unless given; it may be one for weights alone. */
  readonly format?: SaveFormat;
  /** Whether what `fit` needs to go on is stored too, of models that are compiled; true unless given. */
  readonly trainingState?: boolean;
}

/** What is said of a version when it is saved. */
export interface CheckpointDetails {
  /** By default the steps that the optimizer has done. A version of the same step is replaced. */
  readonly step?: number;
  /** From 0. */
  readonly epoch?: number;
  /** By default what the model's training measured last. */
  readonly metrics?: Logs;
  /** Versions with a name stay until they are removed; one of the same name is replaced. */
  readonly name?: string;
  /** In place of the format that all versions have. */
  readonly format?: SaveFormat;
}

type CheckpointStore = Store & Required<Pick<Store, 'write' | 'list' | 'remove'>>;

interface Directory {
  readonly store: CheckpointStore;
  readonly folder: string;
}

/** A version that is encoded and not yet written: training may go on. */
interface Snapshot {
  write(): Promise<CheckpointVersion>;
}

const FILE_NAMES: Readonly<Record<SaveFormat, string>> = {
  keras: 'model.keras',
  h5: 'model.h5',
  'layers-model': 'model.json',
  'weights.h5': 'model.weights.h5',
  'weights.json': 'model.weights.json',
  'h5-weights': 'model.h5',
  safetensors: 'model.safetensors',
  npz: 'model.npz',
};

const TRAINING_NAME = 'training.safetensors';

/**
 * A directory of versions of a model, on any store that can list and remove: a path, `opfs://runs`, a `Store`, a folder
 * of one.
 *
 * A version is there when all of it is, and others are removed only then; whatever fails or is killed on the way leaves
 * the versions that were there, and the next save removes what it left. The callbacks `ModelCheckpoint` and
 * `BackupAndRestore` take checkpoints as their destination and save in the background.
 *
 * ```ts
 * import { callbacks, Checkpoints, Dense, InputLayer, memoryStore, Sequential } from 'hornet';
 *
 * const model = new Sequential({ layers: [new InputLayer({ batchShape: [null, 1] }), new Dense({ units: 1 })] });
 * model.compile({ optimizer: 'adam', loss: 'mse' });
 * const versions = new Checkpoints(memoryStore(), { keep: 2, keepBest: 1, monitor: 'loss' });
 * await model.fit([[1], [2]], [[2], [4]], { epochs: 5, callbacks: [new callbacks.ModelCheckpoint(versions)] });
 *
 * const best = await versions.loadModel('best');
 * const { epoch } = await model.fit([[1], [2]], [[2], [4]], {
 *   epochs: 7,
 *   resume: await versions.loadTrainingState('latest'),
 * });
 *
 * expect((await versions.list()).map(({ step }) => step)).toEqual([4, 5]);
 * expect(best.countParams()).toBe(2);
 * expect(epoch).toEqual([0, 1, 2, 3, 4, 5, 6]);
 * ```
 */
export class Checkpoints {
  readonly #destination: SaveDestination | Store;
  readonly #options: CheckpointsOptions;
  readonly #choice: CheckpointChoice;
  #directory: Promise<Directory> | undefined;
  /** Ends when the write under way does, and never rejects. */
  #underWay: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @throws {RangeError} when an option is not what it may be. */
  constructor(destination: SaveDestination | Store, options: CheckpointsOptions = {}) {
    this.#destination = destination;
    this.#options = options;
    this.#choice = new CheckpointChoice(options);
  }

  /** Where the versions are, for messages. */
  get name(): string {
    const place = this.#destination;
    if (typeof place === 'string') return place;
    if (place instanceof URL) return place.href;
    return 'store' in place ? joinKey(place.store.name, place.key) : place.name;
  }

  /** The versions, the oldest first. */
  async list(): Promise<readonly CheckpointVersion[]> {
    return (await this.#read()).versions;
  }

  /** Versions of which there are files, and a record that cannot be read, or names files that are not there. */
  async listDamaged(): Promise<readonly DamagedVersion[]> {
    return (await this.#read()).damaged;
  }

  /** @throws {NotFoundError} when there is no such version. */
  async find(which: WhichCheckpoint = 'latest'): Promise<CheckpointVersion> {
    const { versions, damaged } = await this.#read();
    return this.#choice.find(versions, damaged, which, this.name);
  }

  /** Saves a version, and gives it when all of it is there and those that go are gone. */
  async save(model: KerasModel, details: CheckpointDetails = {}): Promise<CheckpointVersion> {
    await this.settle();
    return await (await this.#snapshot(model, details)).write();
  }

  /**
   * Begins to save a version as the model is now. When the promise resolves, the model may be trained on, while the
   * version is written; one is at a time, so this waits for the one before.
   *
   * @throws What the save before failed with, if it did.
   */
  async saveInBackground(model: KerasModel, details: CheckpointDetails = {}): Promise<void> {
    await this.settle();
    const snapshot = await this.#snapshot(model, details);
    this.#underWay = snapshot.write().then(
      () => {},
      (error: unknown) => {
        this.#failure = { error };
      },
    );
  }

  /** Waits for what is being written in the background, and throws what it failed with. */
  async settle(): Promise<void> {
    await this.#underWay;
    this.throwFailure();
  }

  /** Throws what a save in the background has failed with, once; waits for nothing. */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  /**
   * Makes sure that versions can be kept here.
   *
   * @throws {UnsupportedError} when the store cannot write, list or remove.
   */
  async check(): Promise<void> {
    await this.#open();
  }

  /** The file of a version's model, for all that takes a stored model: `loadModel`, `copyModel`, `modelInfo`. */
  async place(which: WhichCheckpoint = 'latest'): Promise<StoredModel> {
    const { id, files } = await this.find(which);
    const { store, folder } = await this.#open();
    return { store, key: joinKey(joinKey(folder, id), files.model) };
  }

  /** Loads the model of a version; those of several may be loaded side by side. */
  async loadModel(which: WhichCheckpoint = 'latest', options: LoadModelOptions = {}): Promise<KerasModel> {
    const { loadModel } = await import('./load.ts');
    return await loadModel(await this.place(which), options);
  }

  /** Loads the weights of a version into a model that is there already. */
  async loadWeights(
    model: KerasModel,
    which: WhichCheckpoint = 'latest',
    options: LoadWeightsOptions = {},
  ): Promise<LoadReport> {
    return await model.loadWeights(await this.place(which), options);
  }

  /**
   * Loads what `fit` takes as `resume`.
   *
   * @throws {NotFoundError} when the version was saved without.
   */
  async loadTrainingState(which: WhichCheckpoint = 'latest'): Promise<TrainingState> {
    const version = await this.find(which);
    const { store, folder } = await this.#open();
    if (version.files.training === undefined) {
      const problem = `checkpoint ${version.id} of ${this.name} was saved without the state of its training`;
      throw new NotFoundError(`Cannot resume: ${problem}`, version.id);
    }
    const { loadTrainingState } = await import('./training-state.ts');
    return await loadTrainingState({ store, key: joinKey(joinKey(folder, version.id), version.files.training) });
  }

  /** What two versions say of their metrics, and how far their weights are apart, read one by one. */
  async compare(first: WhichCheckpoint, second: WhichCheckpoint): Promise<CheckpointComparison> {
    const { compareCheckpoints } = await import('./compare-checkpoints.ts');
    const sides = [first, second].map(async (which) => {
      const version = await this.find(which);
      return { version, place: await this.place(version.id) };
    });
    const [a, b] = await Promise.all(sides);
    return await compareCheckpoints(a as NonNullable<typeof a>, b as NonNullable<typeof b>);
  }

  /** @throws {NotFoundError} when there is no such version. */
  async remove(which: WhichCheckpoint): Promise<void> {
    const directory = await this.#open();
    const { versions, damaged } = await this.#read();
    const isDamaged = damaged.some(({ id }) => id === which);
    const { id } = isDamaged ? { id: String(which) } : this.#choice.find(versions, damaged, which, this.name);
    await removeVersion(directory, id);
    await writeIndex(
      directory.store,
      directory.folder,
      versions.filter((version) => version.id !== id),
    );
  }

  /** The best of some versions; `undefined` when none has the metric. */
  bestOf(versions: readonly CheckpointVersion[]): CheckpointVersion | undefined {
    return this.#choice.bestFirst(versions)[0];
  }

  async #open(): Promise<Directory> {
    this.#directory ??= directoryOf(this.#destination);
    return await this.#directory;
  }

  async #read(): Promise<DirectoryContents> {
    const { store, folder } = await this.#open();
    return await readDirectory(store, folder);
  }

  /** Encodes the model as it is now. Nothing is written before that is done. */
  async #snapshot(model: KerasModel, details: CheckpointDetails): Promise<Snapshot> {
    const directory = await this.#open();
    const { keep: _, keepBest, monitor, mode, trainingState = true, format = 'keras', ...options } = this.#options;
    const trainer = await model.loadTrainer();
    const { keepValues } = await import('../serialization/kept-values.ts');
    const { encodeFiles } = await import('./save-formats.ts');
    const release = keepValues([
      ...model.weights,
      ...(trainer?.optimizer.variablesInKerasOrder(trainer.trainable) ?? []),
    ]);
    try {
      const chosen = details.format ?? format;
      const key = FILE_NAMES[chosen];
      const measured = details.metrics ?? { ...model.trainingLogs };
      const saved = await encodeFiles(chosen, model, { ...options, measured, destination: key });
      const isResumable = trainingState && trainer !== undefined;
      const training = isResumable
        ? (await import('./training-state.ts')).trainingStateFile(await model.getTrainingState())
        : undefined;
      const steps = trainer && Number(trainer.optimizer.iterations.value.data[0]);
      const write = async (): Promise<CheckpointVersion> => {
        try {
          return await this.#write(directory, {
            saved,
            training,
            format: chosen,
            step: steps,
            ...details,
            metrics: measured,
          });
        } finally {
          release();
        }
      };
      return { write };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #write(directory: Directory, encoded: EncodedVersion): Promise<CheckpointVersion> {
    const { store, folder } = directory;
    const { asWriter, newWriterId } = await import('../storage/live-writers.ts');
    const { uniqueId } = await import('./unique-id.ts');
    const { writeFiles } = await import('./write-files.ts');
    const { saved, training, format, epoch, name, metrics } = encoded;
    const contents = await this.#read();
    const { versions } = contents;
    await removeAbandoned(directory, contents);
    const number = (versions.at(-1)?.number ?? 0) + 1;
    const step = encoded.step ?? number;
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new RangeError(`Cannot save a checkpoint: step is ${step}, expected a whole number of at least 0`);
    }
    const id = idOf(step, uniqueId());
    const files = [saved.file, ...(saved.beside?.values() ?? []), ...(training === undefined ? [] : [training])];
    const version: CheckpointVersion = {
      id,
      number,
      step,
      ...(epoch === undefined ? {} : { epoch }),
      ...(name === undefined ? {} : { name }),
      metrics: { ...metrics },
      savedAt: new Date(),
      byteLength: files.reduce((sum, { byteLength }) => sum + byteLength, 0),
      format,
      files: { model: FILE_NAMES[format], ...(training === undefined ? {} : { training: TRAINING_NAME }) },
      monitor: this.#choice.monitorOf(versions),
    };
    const writer = newWriterId();
    return await asWriter(writer, async () => {
      const inFolder = (file: string): string => joinKey(joinKey(folder, id), file);
      const claim = claimOf(folder, id, writer);
      try {
        await store.write(claim, writableBytes(new Uint8Array(0)));
        await writeFiles({ store, key: inFolder(version.files.model) }, saved);
        if (training !== undefined) await store.write(inFolder(TRAINING_NAME), training);
        await writeRecord(store, folder, version);
      } catch (error) {
        await removeVersion(directory, id).catch(() => {});
        await store.remove(claim).catch(() => {});
        throw error;
      }
      await this.#tidy(directory, version);
      await store.remove(claim);
      return version;
    });
  }

  /** Removes the versions that the new one makes needless. */
  async #tidy(directory: Directory, added: CheckpointVersion): Promise<void> {
    const { versions } = await this.#read();
    const kept = this.#choice.kept(versions, added);
    const staying = versions.filter(({ id }) => kept.has(id));
    await writeIndex(directory.store, directory.folder, staying);
    for (const { id } of versions) if (!kept.has(id)) await removeVersion(directory, id);
  }
}

type EncodedVersion = Omit<CheckpointDetails, 'step' | 'metrics'> & {
  readonly metrics: Logs;
  readonly saved: Parameters<typeof import('./write-files.ts').writeFiles>[1];
  readonly training: ReturnType<typeof import('./training-state.ts').trainingStateFile> | undefined;
  readonly format: SaveFormat;
  readonly step: number | undefined;
};

/** A path is the root of its store, so that no empty folders are left in it. */
async function directoryOf(destination: SaveDestination | Store): Promise<Directory> {
  const { store, folder } = await storeOf(destination);
  for (const method of ['write', 'list', 'remove'] as const) {
    if (store[method] !== undefined) continue;
    const problem = `${store.name} cannot ${method}${method === 'list' ? ' what it holds' : ''}`;
    throw new UnsupportedError(`Cannot keep checkpoints: ${problem}`, `${method} in ${store.name}`);
  }
  return { store: store as CheckpointStore, folder };
}

async function storeOf(destination: SaveDestination | Store): Promise<{ store: Store; folder: string }> {
  if (typeof destination === 'object' && 'open' in destination) return { store: destination, folder: '' };
  const address = destination instanceof URL ? destination.href : destination;
  const path = typeof address === 'string' ? await pathOf(address) : undefined;
  if (path !== undefined) {
    const { fileSystemStore } = await import('../storage/file-system-store.ts');
    return { store: fileSystemStore(path), folder: '' };
  }
  const { store, key } = await placeOf(destination);
  return { store, folder: key.replace(/\/+$/, '') };
}

/** Removes the record first: what is left when this is interrupted is no version with parts missing. */
async function removeVersion({ store, folder }: Directory, id: string): Promise<void> {
  await store.remove(recordKeyOf(folder, id));
  for (const key of await store.list(joinKey(folder, id))) await store.remove(key);
}

/** Removes what killed writers left. */
async function removeAbandoned(directory: Directory, { versions, damaged, claims }: DirectoryContents): Promise<void> {
  if (claims.size === 0) return;
  const { abandonedWriters } = await import('../storage/live-writers.ts');
  const recorded = new Set([...versions, ...damaged].map(({ id }) => id));
  for (const [id, keys] of claims) {
    const gone = await abandonedWriters(keys.map(claimantOf), directory.store.isPrivate);
    if (gone.length < keys.length) continue;
    if (!recorded.has(id)) await removeVersion(directory, id);
    for (const key of keys) await directory.store.remove(key);
  }
}
