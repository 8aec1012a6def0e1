import { bytesOfFile, type WritableFile } from '../binary/byte-sink.ts';
import { bytesFile, type RangedFile } from '../binary/ranged-file.ts';
import { NotFoundError } from '../errors.ts';
import { objectId } from './object-id.ts';
import { reportingFile } from './reporting-file.ts';
import { keysBelow, type Store, type WriteOptions } from './store.ts';

/** Keeps files in a map that the caller may hold too. What is written is whole before the map has it. */
export function memoryStore(files: Map<string, Uint8Array> = new Map(), name = 'memory'): Store {
  const bytesOf = (key: string): Uint8Array => {
    const bytes = files.get(key);
    if (bytes === undefined) throw new NotFoundError(`Cannot read "${key}": ${name} has no file of that name`, key);
    return bytes;
  };
  const writeAll = async (
    written: ReadonlyMap<string, WritableFile>,
    { beforeSwap }: WriteOptions = {},
  ): Promise<void> => {
    const complete: [string, Uint8Array][] = [];
    for (const [key, file] of written) complete.push([key, await bytesOfFile(file)]);
    const last = complete.pop();
    if (last === undefined) return;
    const before = complete.map(([key]) => [key, files.get(key)] as const);
    for (const [key, bytes] of complete) files.set(key, bytes);
    try {
      await beforeSwap?.(bytesFile(last[1], last[0]));
    } catch (error) {
      for (const [key, bytes] of before) bytes === undefined ? files.delete(key) : files.set(key, bytes);
      throw error;
    }
    files.set(...last);
  };
  return {
    name,
    open: async (key, options = {}): Promise<RangedFile> => reportingFile(bytesFile(bytesOf(key), key), options),
    write: async (key, file, { beforeSwap } = {}) => {
      const bytes = await bytesOfFile(file);
      await beforeSwap?.(bytesFile(bytes, key));
      files.set(key, bytes);
    },
    writeAll,
    list: async (folder = '') => keysBelow(files.keys(), folder),
    remove: async (key) => {
      files.delete(key);
    },
    info: async (key) => ({ byteLength: bytesOf(key).byteLength }),
    placeOf: async (key) => `memory:${objectId(files)}/${key}`,
  };
}
