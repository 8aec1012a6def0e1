/** The form of the package for Node: its code in few files, which are loaded sooner. See docs/decisions/two-forms.md. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ExternalOptionFunction, type InputOptions, type OutputOptions, type Plugin, rolldown } from 'rolldown';

const source: string = fileURLToPath(new URL('../src', import.meta.url));

/**
 * Modules that are written together, with all that they import statically and that is in no file before: what the
 * names of the package need, and what loading a `.keras` file and the first prediction add.
 */
const FILES: Readonly<Record<string, readonly string[]>> = {
  core: ['index.ts', 'model/predictor.ts'],
  predict: [
    'formats/keras/zip-archive.ts',
    'formats/keras/read-keras.ts',
    'formats/keras/path-weights.ts',
    'formats/hdf5/open-hdf5.ts',
    'backends/wasm/crew.ts',
    'backends/wasm/pool.ts',
  ],
};

/** Packages stay packages, and are loaded where they are used. */
const isPackage: ExternalOptionFunction = (id, _importer, isResolved) => !isResolved && !/^[./]/.test(id);

/**
 * Of code that has ASCII alone the engine keeps a byte for each character, and reads it sooner. Others are in messages and
 * pictures of text, where they can be written by their numbers.
 */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  generateBundle: (_options, bundle) => {
    for (const file of Object.values(bundle)) {
      if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, escapeOf);
    }
  },
};

function escapeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const INPUT: InputOptions = {
  platform: 'node',
  plugins: [asciiOnly],
  external: isPackage,
  treeshake: { moduleSideEffects: false },
  onLog: (level, log) => {
    // What pages load late, Node has early: that is no mistake.
    if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') console.warn(`${level}: ${log.message}`);
  },
};

/** Code as it was written, without its comments: to shorten it further saves no time that can be measured. */
const OUTPUT: OutputOptions = {
  format: 'es',
  // The package has the sources themselves.
  sourcemap: true,
  sourcemapExcludeSources: true,
  entryFileNames: '[name].js',
  chunkFileNames: '[name].js',
  comments: { legal: false, annotation: false, jsdoc: false },
};

/** Writes `index.js` and `hornet.js`, the command line, with the files that they load when they need them, to a folder. */
export async function bundleForNode(folder: string): Promise<void> {
  await writeNames(folder);
  await writeCommandLine(folder);
}

async function writeNames(folder: string): Promise<void> {
  const bundle = await rolldown({ ...INPUT, input: { index: resolve(source, 'index.ts') } });
  const files = Object.entries(FILES);
  const groups = files.map(([name, modules], index) => {
    const ids = new Set(modules.map((path) => resolve(source, path)));
    return { name, test: (id: string) => ids.has(id), priority: files.length - index };
  });
  await bundle.write({ ...OUTPUT, dir: folder, codeSplitting: { groups } });
  await bundle.close();
}

/** It uses the public names alone, and so imports the other file. */
async function writeCommandLine(folder: string): Promise<void> {
  const names = resolve(source, 'index.ts');
  const bundle = await rolldown({
    ...INPUT,
    input: { hornet: resolve(source, 'cli/main.ts') },
    external: (id, importer, isResolved) => id === names || isPackage(id, importer, isResolved),
  });
  await bundle.write({ ...OUTPUT, dir: folder, chunkFileNames: 'hornet-[name].js', paths: { [names]: './index.js' } });
  await bundle.close();
}
