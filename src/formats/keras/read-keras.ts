/**
 * The `.keras` format of Keras 2.12 and later: `config.json`, `metadata.json`, `model.weights.h5` and the files of
 * layers below `assets/`, in a zip archive or in a folder.
 */

import type { RangedFile } from '../../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import type { JsonObject, ModelArtifacts } from '../artifacts.ts';
import { openHdf5 } from '../hdf5/open-hdf5.ts';
import { decodeJsonObject, decodeText, MAX_JSON_BYTES, objectAt, stringAt } from '../json.ts';
import { type PathWeightsFile, presentPath, readPathWeights, type WantsPath } from './path-weights.ts';
import type { MemberFiles } from './zip-archive.ts';

/** Which objects are wanted, told from the model's configuration; all of them without. */
export type SelectPaths = (topology: JsonObject) => WantsPath | undefined;

/** A vocabulary of a million words takes some 10 MB. */
const MAX_ASSET_BYTES = 1 << 30;

/** Reads the record of a `.keras` archive or folder. */
export async function readKeras(
  members: MemberFiles,
  file: string,
  selectPaths: SelectPaths = () => undefined,
): Promise<ModelArtifacts> {
  const folder = findFolder(members, file);
  const open: MemberFiles['open'] = (path, maxBytes) => members.open(folder + path, maxBytes);
  const config = await readJson(open, 'config.json', file);
  if (config === undefined) throw new FormatError(`Cannot read "${file}": there is no config.json in it`, { file });
  const metadata = (await readJson(open, 'metadata.json', file)) ?? {};
  const kerasVersion = stringAt(metadata, 'keras_version');
  const userDefinedMetadata = objectAt(metadata, 'user_defined_metadata');
  const compileConfig = objectAt(config, 'compile_config');
  const weights = await readWeights(open, file, selectPaths(config));
  const assets = members.paths.filter((path) => path.startsWith(`${folder}assets/`));
  return {
    format: 'keras',
    source: file,
    topology: config,
    metadata,
    ...(kerasVersion === undefined ? {} : { kerasVersion }),
    ...(userDefinedMetadata === undefined ? {} : { userDefinedMetadata }),
    ...(compileConfig === undefined ? {} : { trainingConfig: compileConfig }),
    ...(weights === undefined ? {} : artifactsOfWeights(weights)),
    ...(assets.length === 0
      ? {}
      : {
          assets: new Map(
            assets.map((path) => [
              presentPath(path.slice(`${folder}assets/`.length)),
              async () => await readWhole(await openAsset(members, path), MAX_ASSET_BYTES),
            ]),
          ),
        }),
  };
}

/** The part of the record that a weights file of Keras 3 gives. */
export function artifactsOfWeights(
  file: PathWeightsFile,
): Pick<ModelArtifacts, 'weights' | 'optimizerWeights' | 'ignoredParts'> {
  const { weights, optimizerWeights, ignoredParts } = file;
  return {
    weights,
    ...(optimizerWeights === undefined ? {} : { optimizerWeights }),
    ...(ignoredParts.length === 0 ? {} : { ignoredParts }),
  };
}

/** The folder within the archive: people zip the folder of a model with its name. */
function findFolder(members: MemberFiles, file: string): string {
  if (members.paths.includes('config.json')) return '';
  const found = members.paths.filter((path) => /^[^/]+\/config\.json$/.test(path) && !path.startsWith('__MACOSX/'));
  if (found.length === 1) return (found[0] as string).slice(0, -'config.json'.length);
  const pickled = members.paths.some((path) => /(?:^|\/)data\.pkl$/.test(path));
  const arrays = members.paths.length > 0 && members.paths.every((path) => path.endsWith('.npy'));
  const kind = pickled ? ', a PyTorch file' : arrays ? ', NumPy arrays' : '';
  const some =
    members.paths
      .slice(0, 5)
      .map((path) => `"${path}"`)
      .join(', ') || 'nothing';
  throw new FormatError(`Cannot read "${file}": found an archive of ${some}${kind}, expected config.json`, { file });
}

async function readWeights(
  open: MemberFiles['open'],
  file: string,
  wantsPath: WantsPath | undefined,
): Promise<PathWeightsFile | undefined> {
  const weights = await open('model.weights.h5');
  if (weights !== undefined) return await readPathWeights(await openHdf5(weights), weights.name, wantsPath);
  if ((await open('model.weights.npz')) !== undefined) {
    const feature = 'model.weights.npz';
    throw new UnsupportedError(
      `Cannot read "${file}": ${feature} holds Python objects, which are not read; save the model with HDF5 weights`,
      feature,
    );
  }
  return undefined;
}

async function readJson(open: MemberFiles['open'], path: string, file: string): Promise<JsonObject | undefined> {
  const member = await open(path, MAX_JSON_BYTES);
  if (member === undefined) return undefined;
  return decodeJsonObject(decodeText(await readWhole(member, MAX_JSON_BYTES), member.name), file, path);
}

async function openAsset(members: MemberFiles, path: string): Promise<RangedFile> {
  const member = await members.open(path, MAX_ASSET_BYTES);
  if (member === undefined) throw new FormatError(`Cannot read "${path}": it is gone`, { file: path });
  return member;
}

async function readWhole(file: RangedFile, limit: number): Promise<Uint8Array> {
  if (file.byteLength <= limit) return await file.slice(0, file.byteLength);
  throw new FormatError(`Cannot read "${file.name}": it has ${file.byteLength} bytes, expected ${limit} at most`, {
    file: file.name,
  });
}
