/**
 * Models as TensorFlow.js keeps them in a page, as a store: each is a `model.json` under its name, and beside it the file
 * of its weights. So they are read, listed, copied and written as any other layers-model.
 *
 * TensorFlow.js keeps a model as a whole, its weights as one piece: reading and writing take them into memory.
 */
import { bytesOfFile, type WritableFile } from '../binary/byte-sink.ts';
import { bytesFile, type RangedFile } from '../binary/ranged-file.ts';
import { NotFoundError } from '../errors.ts';
import { joinShards } from './join-shards.ts';
import { reportingFile } from './reporting-file.ts';
import { baseNameOf, keysBelow, type Store } from './store.ts';

type JsonFields = Readonly<Record<string, unknown>>;

/** A model as TensorFlow.js has it. */
export interface TensorFlowJsModel {
  /** `modelTopology`, and what describes the model: `format`, `generatedBy`, `trainingConfig`, `userDefinedMetadata`, … */
  readonly fields: JsonFields;
  readonly weightSpecs: readonly unknown[];
  readonly weightData: Uint8Array;
  readonly dateSaved: Date;
}

/** What TensorFlow.js says of a model when it lists its models. */
export interface TensorFlowJsInfo {
  readonly dateSaved: Date;
  readonly modelTopologyType: 'JSON';
  readonly modelTopologyBytes: number;
  readonly weightSpecsBytes: number;
  readonly weightDataBytes: number;
}

/** Where TensorFlow.js keeps models. */
export interface TensorFlowJsTable {
  /** For messages. */
  readonly name: string;
  /** What tells this table from others; see `Store.placeOf`. */
  readonly place: string;
  /** `undefined` when there is none of that name. */
  read(name: string): Promise<TensorFlowJsModel | undefined>;
  /** Puts a model in place of the one of that name, in one step as far as the layout allows. */
  write(name: string, model: TensorFlowJsModel, info: TensorFlowJsInfo): Promise<void>;
  remove(name: string): Promise<void>;
  list(): Promise<string[]>;
  /** Date and bytes without reading the model. */
  info(name: string): Promise<{ readonly dateSaved: Date; readonly weightDataBytes: number } | undefined>;
}

/** The weights of the model `name` are the file `name.weights.bin`, as those that TensorFlow.js downloads. */
const WEIGHTS_ENDING = '.weights.bin';

/** The models of TensorFlow.js as files. */
export function tensorFlowJsStore(table: TensorFlowJsTable): Store {
  const fileAt = async (key: string): Promise<RangedFile> => {
    const model = await table.read(key);
    if (model !== undefined) return bytesFile(new TextEncoder().encode(JSON.stringify(jsonOf(key, model))), key);
    const owner = key.endsWith(WEIGHTS_ENDING) ? await table.read(key.slice(0, -WEIGHTS_ENDING.length)) : undefined;
    if (owner !== undefined) return bytesFile(owner.weightData, key);
    throw new NotFoundError(`Cannot read "${key}": ${table.name} has no model of that name`, key);
  };
  const writeAll = async (files: ReadonlyMap<string, WritableFile>): Promise<void> => {
    const name = [...files.keys()].at(-1) ?? '';
    const model = await modelOf(name, files);
    await table.write(name, model, infoOf(model));
  };
  return {
    name: table.name,
    open: async (key, options = {}) => reportingFile(await fileAt(key), options),
    write: async (key, file) => await writeAll(new Map([[key, file]])),
    writeAll,
    list: async (folder = '') => {
      const names = await table.list();
      return keysBelow(new Set(names.flatMap((name) => [name, name + WEIGHTS_ENDING])), folder);
    },
    placeOf: async (key) => `${table.place}/${key}`,
    remove: async (key) => {
      // The weights go with their model, and never without it.
      await table.remove(key);
    },
    info: async (key) => {
      const info = await table.info(key);
      if (info !== undefined) {
        return { byteLength: (await fileAt(key)).byteLength, modifiedAt: info.dateSaved };
      }
      const owner = key.endsWith(WEIGHTS_ENDING) ? await table.info(key.slice(0, -WEIGHTS_ENDING.length)) : undefined;
      if (owner !== undefined) return { byteLength: owner.weightDataBytes, modifiedAt: owner.dateSaved };
      throw new NotFoundError(`Cannot read "${key}": ${table.name} has no model of that name`, key);
    },
  };
}

/** The JSON of a layers-model. */
function jsonOf(name: string, { fields, weightSpecs }: TensorFlowJsModel): JsonFields {
  const paths = [baseNameOf(name) + WEIGHTS_ENDING];
  return { ...fields, weightsManifest: weightSpecs.length === 0 ? [] : [{ paths, weights: weightSpecs }] };
}

/** The model with its weights in memory. */
async function modelOf(name: string, files: ReadonlyMap<string, WritableFile>): Promise<TensorFlowJsModel> {
  const { fields, weightSpecs, weights } = await joinShards(name, files);
  const bytes = await bytesOfFile(weights);
  // The buffer is stored as it is, so that nothing else may be in it.
  const weightData = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
  return { fields, weightSpecs, weightData, dateSaved: new Date() };
}

/** What TensorFlow.js counts: the bytes of each part as JSON in UTF-8. */
function infoOf({ fields, weightSpecs, weightData, dateSaved }: TensorFlowJsModel): TensorFlowJsInfo {
  const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).byteLength;
  return {
    dateSaved,
    modelTopologyType: 'JSON',
    modelTopologyBytes: bytesOf(fields.modelTopology),
    weightSpecsBytes: bytesOf(weightSpecs),
    weightDataBytes: weightData.byteLength,
  };
}
