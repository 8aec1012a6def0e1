import { blobFile } from '../binary/ranged-file.ts';
import { FormatError, NotFoundError } from '../errors.ts';
import { reportingFile } from './reporting-file.ts';
import { baseNameOf, keysBelow, type Store } from './store.ts';

/**
 * Files that a user picked in a page. A key finds the file of the same path where the browser tells paths (a folder was
 * picked), else the file of the same name.
 *
 * @throws {FormatError} when two of them have the same name and path.
 */
export function blobStore(files: readonly File[]): Store {
  const byPath = new Map<string, File>();
  for (const file of files) {
    const path = pathOf(file);
    if (byPath.has(path)) {
      throw new FormatError(`Cannot read the files: two of them are named "${path}"`, { file: path });
    }
    byPath.set(path, file);
  }
  return {
    name: 'the picked files',
    open: async (key, options = {}) => {
      const file = byPath.get(key) ?? onlyFileNamed(files, baseNameOf(key));
      if (file === undefined) {
        const names = [...byPath.keys()].map((name) => `"${name}"`).join(', ');
        throw new NotFoundError(`Cannot read "${key}": it is not among the files ${names}; pass it too`, key);
      }
      return reportingFile(blobFile(file, pathOf(file)), options);
    },
    list: async (folder = '') => keysBelow(byPath.keys(), folder),
  };
}

/** The path below the folder that was picked, else the name. */
function pathOf(file: File): string {
  return file.webkitRelativePath === undefined || file.webkitRelativePath === '' ? file.name : file.webkitRelativePath;
}

function onlyFileNamed(files: readonly File[], name: string): File | undefined {
  const found = files.filter((file) => file.name === name);
  return found.length === 1 ? found[0] : undefined;
}
