/** Weights by name from the formats of other libraries, in the record that all formats give. */
import type { RangedFile } from '../binary/ranged-file.ts';
import type { ModelArtifacts } from '../formats/artifacts.ts';
import { describedBy } from '../formats/described-texts.ts';
import type { MemberFiles } from '../formats/keras/zip-archive.ts';
import { readNpz } from '../formats/npz/read-npz.ts';
import { readSafetensors } from '../formats/safetensors/read-safetensors.ts';

/** The texts of a file become its metadata; what Hornet has put there as JSON becomes that again. */
export async function readSafetensorsArtifacts(file: RangedFile): Promise<ModelArtifacts> {
  const { entries, metadata } = await readSafetensors(file);
  const { keras_version: kerasVersion, ...texts } = metadata;
  return {
    format: 'safetensors',
    source: file.name,
    weights: { kind: 'named', entries },
    ...describedBy(texts, file.name),
    ...(kerasVersion === undefined ? {} : { kerasVersion }),
  };
}

export async function readNpzArtifacts(members: MemberFiles, name: string): Promise<ModelArtifacts> {
  return { format: 'npz', source: name, weights: { kind: 'named', entries: await readNpz(members, name) } };
}
