import { bytesOfFile } from '../binary/byte-sink.ts';
import { bytesFile, type RangedFile } from '../binary/ranged-file.ts';
import { NotFoundError } from '../errors.ts';
import { reportingFile } from './reporting-file.ts';
import type { Store } from './store.ts';

/** Keeps files in a map that the caller may hold too. What is written is whole before the map has it. */
export function memoryStore(files: Map<string, Uint8Array> = new Map(), name = 'memory'): Store {
  return {
    name,
    open: async (key, options = {}): Promise<RangedFile> => {
      const bytes = files.get(key);
      if (bytes === undefined) throw new NotFoundError(`Cannot read "${key}": ${name} has no file of that name`, key);
      return reportingFile(bytesFile(bytes, key), options);
    },
    write: async (key, file) => {
      files.set(key, await bytesOfFile(file));
    },
    list: async (folder = '') => {
      const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
      return [...files.keys()].filter((key) => key.startsWith(prefix));
    },
  };
}
