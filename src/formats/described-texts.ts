/**
 * What a file says of itself in texts: who wrote it, when, what was measured, and what the user has added. Texts are all
 * that some formats have room for; objects are JSON there.
 */
import type { JsonObject, JsonValue, ModelArtifacts } from './artifacts.ts';
import { encodeJson } from './encode-json.ts';
import { decodeJsonObject, isJsonObject } from './json.ts';

/** Where Keras' `user_defined_metadata` and what was measured are in all formats of its own words. */
const OBJECT_KEYS = ['user_defined_metadata', 'metrics'] as const;

/** The keys of a description. */
export const DESCRIPTION_KEYS: readonly string[] = ['generated_by', 'date_saved', ...OBJECT_KEYS];

export function textsOf(description: JsonObject): Record<string, string> {
  const textOf = (value: JsonValue): string => (typeof value === 'string' ? value : encodeJson(value));
  return Object.fromEntries(Object.entries(description).map(([key, value]) => [key, textOf(value)]));
}

/** The parts of a record that texts give; those that others have put under the same keys stay texts. */
export function describedBy(
  texts: Readonly<Record<string, string>>,
  file: string,
): Pick<ModelArtifacts, 'metadata' | 'userDefinedMetadata'> {
  const metadata: Record<string, JsonValue> = { ...texts };
  for (const key of OBJECT_KEYS) {
    const object = texts[key] === undefined ? undefined : objectOf(texts[key], file);
    if (object !== undefined) metadata[key] = object;
  }
  return withUserDefined(metadata);
}

/** The same of objects. */
export function withUserDefined({
  user_defined_metadata: own,
  ...metadata
}: Readonly<Record<string, JsonValue>>): Pick<ModelArtifacts, 'metadata' | 'userDefinedMetadata'> {
  if (own === undefined) return { metadata };
  return isJsonObject(own)
    ? { metadata, userDefinedMetadata: own }
    : { metadata: { ...metadata, user_defined_metadata: own } };
}

function objectOf(text: string, file: string): JsonObject | undefined {
  try {
    return decodeJsonObject(text, file, 'the metadata');
  } catch {
    return undefined;
  }
}
