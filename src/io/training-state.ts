/** Storing a training: one safetensors file, with everything that is no tensor as JSON in its metadata. */
import type { Tensor } from '../array/tensor.ts';
import type { WritableFile } from '../binary/byte-sink.ts';
import type { RangedFile } from '../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { encodeJson } from '../formats/encode-json.ts';
import { decodeJsonObject, isJsonObject } from '../formats/json.ts';
import { readSafetensors } from '../formats/safetensors/read-safetensors.ts';
import { writeSafetensors } from '../formats/safetensors/write-safetensors.ts';
import type { CallbackState, Logs } from '../training/callbacks/callback.ts';
import type { OrderMark, SourceMark } from '../training/data-source.ts';
import type { TrainingPosition, TrainingState } from '../training/training-state.ts';
import { placeOf, type SaveDestination } from './places.ts';
import { accessOf, type ReadOptions } from './read-artifacts.ts';
import { readWeights } from './read-weights.ts';
import { type ModelSource, resolveSource } from './source.ts';

/** What of the metadata says that a file is the state of a training. */
const KIND_KEY = 'hornet.kind';
const KIND = 'training-state';
/** The JSON of what is no tensor. */
const STATE_KEY = 'hornet.state';
/** Raised when a reader of before would go wrong. */
const VERSION = 1;

/**
 * Stores the state of a training as one safetensors file: all of it, or, when that fails, what was there before stays.
 *
 * ```ts
 * import { Dense, loadTrainingState, memoryStore, saveTrainingState, Sequential, InputLayer } from 'hornet';
 *
 * const model = new Sequential({ layers: [new InputLayer({ batchShape: [null, 1] }), new Dense({ units: 1 })] });
 * model.compile({ optimizer: 'adam', loss: 'mse' });
 * await model.fit([[1], [2]], [[2], [4]], { epochs: 5 });
 * const store = memoryStore();
 * await saveTrainingState(await model.getTrainingState(), { store, key: 'run.safetensors' });
 *
 * const resume = await loadTrainingState({ store, key: 'run.safetensors' });
 * const { epoch } = await model.fit([[1], [2]], [[2], [4]], { epochs: 7, resume });
 * expect(epoch).toEqual([0, 1, 2, 3, 4, 5, 6]);
 * ```
 */
export async function saveTrainingState(state: TrainingState, destination: SaveDestination): Promise<void> {
  const { store, key } = await placeOf(destination);
  if (store.write === undefined) {
    throw new UnsupportedError(`Cannot save "${key}": ${store.name} cannot write`, `writing to ${store.name}`);
  }
  await store.write(key, trainingStateFile(state));
}

/**
 * Reads a state that `saveTrainingState` has stored.
 *
 * @throws {NotFoundError} when there is nothing at the source.
 * @throws {FormatError} when it is damaged, or something else.
 */
export async function loadTrainingState(
  source: ModelSource,
  options: Pick<ReadOptions, 'signal' | 'fetch' | 'requestInit' | 'retry'> = {},
): Promise<TrainingState> {
  const resolved = await resolveSource(source, accessOf({ ...options, wholeBelow: Number.POSITIVE_INFINITY }));
  if (resolved.kind !== 'file') {
    throw new TypeError(`Cannot load a training: found a ${resolved.kind}, expected a source that is one file`);
  }
  return await decodeTrainingState(resolved.file, options.signal);
}

/** The file that `saveTrainingState` writes. */
export function trainingStateFile({ tensors, position, callbacks }: TrainingState): WritableFile {
  const all = new Map(tensors);
  const told: Record<string, JsonObject> = {};
  for (const [name, state] of Object.entries(callbacks)) {
    told[name] = { values: state.values ?? {}, tensors: Object.keys(state.tensors ?? {}) };
    for (const [key, value] of Object.entries(state.tensors ?? {})) all.set(callbackTensor(name, key), value);
  }
  const state = { version: VERSION, position: position as JsonObject | null, callbacks: told };
  const entries = [...all].map(([name, tensor]) => {
    const { dtype, shape } = tensor;
    return { name, dtype, shape, read: async () => tensor };
  });
  return writeSafetensors(entries, { [KIND_KEY]: KIND, [STATE_KEY]: encodeJson(state) });
}

function callbackTensor(callback: string, name: string): string {
  return `callbacks/${callback}/${name}`;
}

async function decodeTrainingState(file: RangedFile, signal: AbortSignal | undefined): Promise<TrainingState> {
  const { entries, metadata } = await readSafetensors(file);
  const text = metadata[STATE_KEY];
  if (metadata[KIND_KEY] !== KIND || text === undefined) {
    throw damaged(file.name, 'found safetensors of something else, expected what saveTrainingState has stored');
  }
  const { version, position, callbacks } = decodeJsonObject(text, file.name, 'the state');
  if (version !== VERSION) throw damaged(file.name, `found version ${String(version)}, expected ${VERSION}`);
  const tensors = new Map<string, Tensor>();
  await readWeights(entries, {
    ...(signal === undefined ? {} : { signal }),
    accept: ({ name }, tensor) => tensors.set(name, tensor),
  });
  return {
    callbacks: decodeCallbacks(callbacks, tensors, file.name),
    position: position === null ? null : decodePosition(position, file.name),
    tensors,
  };
}

/** Takes the tensors of callbacks out of the others. */
function decodeCallbacks(
  callbacks: JsonValue | undefined,
  tensors: Map<string, Tensor>,
  file: string,
): Record<string, CallbackState> {
  if (!isJsonObject(callbacks)) throw damaged(file, 'the states of callbacks are missing');
  const states = Object.entries(callbacks).map(([name, state]): [string, CallbackState] => {
    if (!isJsonObject(state) || !isJsonObject(state.values) || !isTexts(state.tensors)) {
      throw damaged(file, `the state of the callback "${name}" is not as it was written`);
    }
    const own = state.tensors.map((key): [string, Tensor] => {
      const stored = callbackTensor(name, key);
      const tensor = tensors.get(stored);
      if (tensor === undefined) throw damaged(file, `the tensor "${stored}" is missing`);
      tensors.delete(stored);
      return [key, tensor];
    });
    return [name, { values: state.values, ...(own.length === 0 ? {} : { tensors: Object.fromEntries(own) }) }];
  });
  return Object.fromEntries(states);
}

function decodePosition(position: JsonValue | undefined, file: string): TrainingPosition {
  if (!isJsonObject(position)) throw damaged(file, 'the position is missing');
  const { epoch, step, logs, telling, stopTraining, training, validation } = position;
  if (!isCount(epoch) || !isCount(step) || typeof stopTraining !== 'boolean' || !isLogs(logs)) {
    throw damaged(file, 'the position has no epoch, step or logs');
  }
  return {
    epoch,
    step,
    logs,
    telling: telling === null ? null : decodeTelling(telling, file),
    stopTraining,
    training: decodeMark(training, file),
    validation: validation === null ? null : decodeMark(validation, file),
  };
}

function decodeTelling(telling: JsonValue | undefined, file: string): NonNullable<TrainingPosition['telling']> {
  if (isJsonObject(telling) && (telling.of === 'batch' || telling.of === 'epoch') && isTexts(telling.told)) {
    return { of: telling.of, told: telling.told };
  }
  throw damaged(file, 'it does not say which callbacks were told');
}

function decodeMark(mark: JsonValue | undefined, file: string): SourceMark {
  if (isJsonObject(mark)) {
    const { kind, taken, rows, batchSize, order } = mark;
    if (kind === 'dataset' && isCount(taken)) return { kind, taken };
    if (kind === 'arrays' && isCount(rows) && isCount(batchSize) && (order === null || isOrder(order))) {
      return { kind, rows, batchSize, order };
    }
  }
  throw damaged(file, 'it does not say where it is in the samples');
}

function isOrder(value: JsonValue | undefined): value is JsonObject & OrderMark {
  if (!isJsonObject(value)) return false;
  return isCount(value.drawn) && typeof value.seed === 'number';
}

function isLogs(value: JsonValue | undefined): value is JsonObject & Logs {
  const isLog = (log: JsonValue): boolean =>
    typeof log === 'number' || (Array.isArray(log) && log.every((each) => typeof each === 'number'));
  return isJsonObject(value) && Object.values(value).every(isLog);
}

function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTexts(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function damaged(file: string, problem: string): FormatError {
  return new FormatError(`Cannot read the training "${file}": ${problem}`, { file });
}
