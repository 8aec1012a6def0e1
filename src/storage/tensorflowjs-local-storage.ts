import { base64Length, decodeBase64, encodeBase64 } from '../binary/base64.ts';
import { FormatError } from '../errors.ts';
import { itemNames, placeOfStorage, quotaError } from './local-storage.ts';
import { isQuotaFailure } from './quota.ts';
import type { TensorFlowJsTable } from './tensorflowjs-models.ts';

const PREFIX = 'tensorflowjs_models/';

/** The items of a model. `info` is what makes it one; old releases wrote no `model_metadata`. */
const ITEMS = ['info', 'model_topology', 'weight_specs', 'weight_data', 'model_metadata'] as const;

type Item = (typeof ITEMS)[number];

/**
 * The models that TensorFlow.js keeps in `localStorage`. The layout has one place for a model: a save is put there in one
 * turn, and when it does not fit, what was there is put back.
 */
export function localStorageModels(storage: Storage): TensorFlowJsTable {
  const nameOf = (name: string, item: Item): string => `${PREFIX}${name}/${item}`;
  const jsonOf = (name: string, item: Item): unknown => {
    const text = storage.getItem(nameOf(name, item));
    if (text === null) return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw damaged(name, item, cause);
    }
  };
  const infoOf = (name: string): { dateSaved: Date; weightDataBytes: number } | undefined => {
    const info = jsonOf(name, 'info') as { dateSaved?: string; weightDataBytes?: number } | undefined;
    if (info === undefined || info === null) return undefined;
    return { dateSaved: new Date(info.dateSaved ?? 0), weightDataBytes: Number(info.weightDataBytes ?? 0) };
  };
  return {
    name: 'localStorage',
    place: placeOfStorage(storage),
    read: async (name) => {
      const info = infoOf(name);
      if (info === undefined) return undefined;
      const modelTopology = jsonOf(name, 'model_topology');
      const weightSpecs = jsonOf(name, 'weight_specs') ?? [];
      const weightData = decodeBase64(storage.getItem(nameOf(name, 'weight_data')) ?? '');
      if (modelTopology === undefined || modelTopology === null) throw damaged(name, 'model_topology');
      if (!Array.isArray(weightSpecs)) throw damaged(name, 'weight_specs');
      if (weightData === undefined) throw damaged(name, 'weight_data');
      const metadata = (jsonOf(name, 'model_metadata') ?? {}) as Readonly<Record<string, unknown>>;
      return { fields: { ...metadata, modelTopology }, weightSpecs, weightData, dateSaved: info.dateSaved };
    },
    write: async (name, { fields, weightSpecs, weightData }, info) => {
      const { modelTopology, ...metadata } = fields;
      const texts: Readonly<Record<Item, string>> = {
        info: JSON.stringify(info),
        model_topology: JSON.stringify(modelTopology),
        weight_specs: JSON.stringify(weightSpecs),
        weight_data: encodeBase64(weightData),
        model_metadata: JSON.stringify(metadata),
      };
      replaceItems(storage, new Map(ITEMS.map((item) => [nameOf(name, item), texts[item]])), weightData.byteLength);
    },
    remove: async (name) => {
      for (const item of ITEMS) storage.removeItem(nameOf(name, item));
    },
    list: async () =>
      itemNames(storage)
        .filter((key) => key.startsWith(PREFIX) && key.endsWith('/info'))
        .map((key) => key.slice(PREFIX.length, -'/info'.length)),
    info: async (name) => infoOf(name),
  };
}

/** Sets items in one turn; when one does not fit, all are as they were. */
function replaceItems(storage: Storage, items: ReadonlyMap<string, string>, weightBytes: number): void {
  const before = [...items.keys()].map((key) => [key, storage.getItem(key)] as const);
  const characters = [...items].reduce((sum, [key, text]) => sum + key.length + text.length, 0);
  try {
    for (const key of items.keys()) storage.removeItem(key);
    for (const [key, text] of items) storage.setItem(key, text);
  } catch (cause) {
    for (const key of items.keys()) storage.removeItem(key);
    const neededBytes = Math.max(weightBytes, Math.floor((characters / base64Length(3)) * 3));
    // What is free is what this model could have, in place of the one that it replaces.
    const error = isQuotaFailure(cause) ? quotaError(storage, neededBytes, characters, cause) : cause;
    for (const [key, text] of before) if (text !== null) storage.setItem(key, text);
    throw error;
  }
}

function damaged(name: string, item: Item, cause?: unknown): FormatError {
  const problem = `"${item}" is missing or damaged`;
  return new FormatError(`Cannot read the model "${name}" of TensorFlow.js in localStorage: ${problem}`, {
    file: name,
    cause,
  });
}
