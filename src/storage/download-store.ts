import { type WritableFile, writableBytes } from '../binary/byte-sink.ts';
import { UnsupportedError } from '../errors.ts';
import { blobOf } from './blob-of.ts';
import { joinShards } from './join-shards.ts';
import { baseNameOf, type Store } from './store.ts';

/** How long a browser may take to begin reading what it was told to download. */
const REVOKE_MS = 60_000;

/** Browsers take several downloads for one when they come at once. */
const PAUSE_MS = 200;

/**
 * Hands files to the user of the page: the browser stores each as a download, a layers-model as two, `name.json` and
 * `name.weights.bin`. Whether the user keeps them cannot be known.
 *
 * @throws {UnsupportedError} where there is no page.
 */
export function downloadStore(): Store {
  const write = async (key: string, file: WritableFile): Promise<void> => {
    if (typeof document !== 'object') {
      const feature = 'downloads';
      throw new UnsupportedError(`Cannot download "${key}": this host shows no page`, feature);
    }
    const url = URL.createObjectURL(await blobOf(file));
    const link = document.createElement('a');
    link.href = url;
    link.download = baseNameOf(key);
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
  };
  const writeAfterPause = async (key: string, file: WritableFile): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await write(key, file);
  };
  return {
    name: 'downloads',
    open: async (key) => {
      const feature = 'reading downloads';
      throw new UnsupportedError(`Cannot read "${key}" from downloads: let the user pick the files`, feature);
    },
    write,
    writeAll: async (files) => {
      const key = [...files.keys()].at(-1) ?? '';
      if (key.endsWith('.weights.json')) {
        for (const [path, file] of files) await writeAfterPause(path, file);
        return;
      }
      const { fields, weightSpecs, weights } = await joinShards(key, files);
      const name = baseNameOf(key).replace(/\.json$/, '');
      const weightsManifest = [{ paths: [`./${name}.weights.bin`], weights: weightSpecs }];
      await write(
        `${name}.json`,
        writableBytes(new TextEncoder().encode(JSON.stringify({ ...fields, weightsManifest }))),
      );
      await writeAfterPause(`${name}.weights.bin`, weights);
    },
  };
}
