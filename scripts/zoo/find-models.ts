/** Finds the model files below a folder, by what they are: there is no list of names. */
import { existsSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A JSON file that starts like a model is looked into; the samples of whole data sets are not. */
const MODEL_KEYS = /"(?:modelTopology|weightsManifest|weight_map)"/;

export interface FoundModel {
  /** The file, or the folder of an unzipped `.keras`, a SavedModel or a checkpoint. */
  readonly path: string;
  /** What the file looks like, until a reader says better. */
  readonly guess: string;
}

/** Every model below the folders, in the order of their paths. Folders named `_expected` hold answers, not models. */
export function findModels(folders: readonly string[]): FoundModel[] {
  const found = folders.flatMap((folder) => modelsBelow(folder.replace(/\/+$/, '')));
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function modelsBelow(path: string): FoundModel[] {
  if (statSync(path).isFile()) return [modelOfFile(path)].filter((model) => model !== undefined);
  const names = readdirSync(path).sort();
  const whole = modelOfFolder(path, names);
  if (whole !== undefined) return [whole];
  const shards = new Set(names.filter((name) => name.endsWith('.json')).flatMap((name) => shardsOf(join(path, name))));
  return names.flatMap((name) => {
    const inner = join(path, name);
    const stats: Stats = statSync(inner);
    if (stats.isDirectory()) return name === '_expected' || name === 'node_modules' ? [] : modelsBelow(inner);
    if (shards.has(name)) return [];
    return [modelOfFile(inner)].filter((model) => model !== undefined);
  });
}

/** Folders that are one model. */
function modelOfFolder(path: string, names: readonly string[]): FoundModel | undefined {
  if (names.includes('config.json') && names.some((name) => name.endsWith('.weights.h5'))) {
    return { path, guess: '.keras folder' };
  }
  if (names.some((name) => /^saved_model\.pb(txt)?$/.test(name))) return { path, guess: 'SavedModel' };
  return undefined;
}

function modelOfFile(path: string): FoundModel | undefined {
  const name = basename(path);
  if (/_inputs_and_outputs\.h5$/.test(name)) return undefined;
  if (/\.keras$/.test(name)) return { path, guess: '.keras' };
  if (/\.weights\.h5$/.test(name)) return { path, guess: '.weights.h5' };
  if (/\.(?:h5|hdf5)$/.test(name)) return { path, guess: '.h5' };
  if (/\.(?:ckpt|data-00000-of-\d+)?\.?index$/.test(name)) return { path, guess: 'checkpoint' };
  return name.endsWith('.json') ? modelOfJson(path) : undefined;
}

function modelOfJson(path: string): FoundModel | undefined {
  const text = readFileSync(path, 'utf8');
  if (!MODEL_KEYS.test(text)) return undefined;
  if (/"weight_map"/.test(text)) return { path, guess: '.weights.json' };
  const isGraph = /"format"\s*:\s*"graph-model"/.test(text) || /"modelTopology"\s*:\s*\{\s*"node"/.test(text);
  return { path, guess: isGraph ? 'graph-model' : 'layers-model' };
}

/** Files that belong to a table of sharded weights. */
function shardsOf(path: string): string[] {
  if (!path.endsWith('.weights.json')) return [];
  const { weight_map: map = {} } = JSON.parse(readFileSync(path, 'utf8')) as { weight_map?: Record<string, unknown> };
  return Object.values(map)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .map((file) => basename(String(file)));
}

/** Endings of names that say what a file is of a model, longest first. */
const ENDINGS = /(?:_model|_weights|\.legacy_weights|\.weights|\.model)?\.(?:h5|hdf5|keras|json|dir)$/;

/** The name that a file shares with its companions: `mlp` of `mlp.legacy_weights.h5`. */
export function stemOf(path: string): string {
  return basename(path)
    .replace(ENDINGS, '')
    .replace(/\.(?:h5|hdf5|keras)$/, '');
}

/**
 * Where the architecture of a weights-only file may be found: its configuration, or a whole model of the same name. A
 * folder with one configuration and one file of weights needs no names.
 */
export function architecturesBeside(path: string): string[] {
  const folder = dirname(path);
  const stem = stemOf(path);
  const candidates = [`${stem}_config.json`, `${stem}.model.json`, `${stem}.json`, `${stem}.keras`, `${stem}_model.h5`];
  const named = [...candidates, `${stem}.h5`, `${stem}.dir`]
    .map((name) => join(folder, name))
    .filter((file) => file !== path && existsSync(file));
  if (named.length > 0) return named;
  const names = readdirSync(folder);
  const configurations = names.filter((name) => name.endsWith('.json') && isConfiguration(join(folder, name)));
  const weights = names.filter((name) => /\.(?:h5|hdf5)$/.test(name));
  return configurations.length === 1 && weights.length === 1 ? configurations.map((name) => join(folder, name)) : [];
}

function isConfiguration(path: string): boolean {
  return /^\s*\{[\s\S]{0,2000}"class_name"/.test(readFileSync(path, 'utf8'));
}
