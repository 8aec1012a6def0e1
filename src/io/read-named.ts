/** Weights by name from the formats of other libraries, in the record that all formats give. */
import type { RangedFile } from '../binary/ranged-file.ts';
import type { JsonObject, ModelArtifacts } from '../formats/artifacts.ts';
import { decodeJsonObject } from '../formats/json.ts';
import type { MemberFiles } from '../formats/keras/zip-archive.ts';
import { readNpz } from '../formats/npz/read-npz.ts';
import { readSafetensors } from '../formats/safetensors/read-safetensors.ts';

/** The texts of a file become its metadata; what Hornet has put there as JSON becomes that again. */
export async function readSafetensorsArtifacts(file: RangedFile): Promise<ModelArtifacts> {
  const { entries, metadata } = await readSafetensors(file);
  const { user_defined_metadata: own, keras_version: kerasVersion, ...texts } = metadata;
  const userDefinedMetadata = own === undefined ? undefined : jsonOf(own, file.name);
  return {
    format: 'safetensors',
    source: file.name,
    weights: { kind: 'named', entries },
    metadata: userDefinedMetadata === undefined && own !== undefined ? { ...texts, user_defined_metadata: own } : texts,
    ...(kerasVersion === undefined ? {} : { kerasVersion }),
    ...(userDefinedMetadata === undefined ? {} : { userDefinedMetadata }),
  };
}

export async function readNpzArtifacts(members: MemberFiles, name: string): Promise<ModelArtifacts> {
  return { format: 'npz', source: name, weights: { kind: 'named', entries: await readNpz(members, name) } };
}

/** A text that is a JSON object; others may have put something else under the same name. */
function jsonOf(text: string, file: string): JsonObject | undefined {
  try {
    return decodeJsonObject(text, file, 'the metadata');
  } catch {
    return undefined;
  }
}
