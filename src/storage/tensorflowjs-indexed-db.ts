import { FormatError } from '../errors.ts';
import { Database, pageDatabases, placeOfDatabase } from './indexed-db.ts';
import { asQuotaError, checkQuota } from './quota.ts';
import type { TensorFlowJsInfo, TensorFlowJsTable } from './tensorflowjs-models.ts';

const MODELS = 'models_store';
const INFOS = 'model_info_store';

interface InfoRow {
  readonly modelPath: string;
  readonly modelArtifactsInfo: TensorFlowJsInfo;
}

interface ModelRow extends InfoRow {
  readonly modelArtifacts: Readonly<Record<string, unknown>>;
}

/** The models that TensorFlow.js keeps in IndexedDB. Both rows of a model are written in one transaction. */
export function indexedDbModels(databaseName?: string): TensorFlowJsTable {
  const database = new Database(pageDatabases(), databaseName ?? 'tensorflowjs', {
    [MODELS]: { keyPath: 'modelPath' },
    [INFOS]: { keyPath: 'modelPath' },
  });
  /** Only looking for models makes no database. */
  const read = async <T>(make: (transaction: IDBTransaction) => IDBRequest<T>): Promise<T | undefined> =>
    (await database.exists()) ? (await database.run('readonly', make)).result : undefined;
  return {
    name: 'IndexedDB',
    place: placeOfDatabase(databaseName),
    read: async (name) => {
      const row = (await read((transaction) => transaction.objectStore(MODELS).get(name))) as ModelRow | undefined;
      if (row === undefined) return undefined;
      const { weightData, weightSpecs = [], ...fields } = row.modelArtifacts ?? {};
      if (fields.modelTopology === undefined || !Array.isArray(weightSpecs)) {
        throw new FormatError(`Cannot read the model "${name}" of TensorFlow.js in IndexedDB: it is damaged`, {
          file: name,
        });
      }
      const dateSaved = new Date(row.modelArtifactsInfo?.dateSaved ?? 0);
      return { fields, weightSpecs, weightData: joined(weightData), dateSaved };
    },
    write: async (name, { fields, weightSpecs, weightData }, modelArtifactsInfo) => {
      const artifacts = { ...fields, weightSpecs, weightData: weightData.buffer };
      await checkQuota('IndexedDB', weightData.byteLength);
      try {
        await database.run('readwrite', (transaction) => {
          transaction.objectStore(INFOS).put({ modelPath: name, modelArtifactsInfo });
          transaction.objectStore(MODELS).put({ modelPath: name, modelArtifacts: artifacts, modelArtifactsInfo });
        });
      } catch (cause) {
        throw await asQuotaError('IndexedDB', weightData.byteLength, cause);
      }
    },
    remove: async (name) => {
      if (!(await database.exists())) return;
      await database.run('readwrite', (transaction) => {
        transaction.objectStore(INFOS).delete(name);
        transaction.objectStore(MODELS).delete(name);
      });
    },
    // A model whose info alone was written is none.
    list: async () => ((await read((transaction) => transaction.objectStore(MODELS).getAllKeys())) ?? []).map(String),
    info: async (name) => {
      const row = (await read((transaction) => transaction.objectStore(INFOS).get(name))) as InfoRow | undefined;
      const isThere = await read((transaction) => transaction.objectStore(MODELS).getKey(name));
      if (row === undefined || isThere === undefined) return undefined;
      const { dateSaved, weightDataBytes } = row.modelArtifactsInfo;
      return { dateSaved: new Date(dateSaved), weightDataBytes };
    },
  };
}

/** Weights are one buffer, or in old releases several. */
function joined(data: unknown): Uint8Array {
  const pieces = (Array.isArray(data) ? data : data === undefined ? [] : [data]) as readonly ArrayBuffer[];
  if (pieces.length === 1) return new Uint8Array(pieces[0] as ArrayBuffer);
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let filled = 0;
  for (const piece of pieces) {
    bytes.set(new Uint8Array(piece), filled);
    filled += piece.byteLength;
  }
  return bytes;
}
