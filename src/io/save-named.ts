/** Saving weights by name, in the formats of other libraries: `.safetensors` and `.npz`. */
import { encodeJson } from '../formats/encode-json.ts';
import { writeNpz } from '../formats/npz/write-npz.ts';
import { writeSafetensors } from '../formats/safetensors/write-safetensors.ts';
import { KERAS_VERSION } from '../serialization/encode-model.ts';
import { weightsByPath } from '../serialization/layer-weights.ts';
import { lostAssets } from './lost-assets.ts';
import type { SavedFiles, SaveRequest } from './save-formats.ts';
import { GENERATED_BY } from './version.ts';

/** Weights by path, with what there is to say about the model in the texts that the format has room for. */
export async function encodeSafetensors({ model, metadata, date, trainableOnly }: SaveRequest): Promise<SavedFiles> {
  const texts = {
    model_name: model.name,
    generated_by: GENERATED_BY,
    keras_version: KERAS_VERSION,
    ...(date === undefined ? {} : { date_saved: date.toISOString() }),
    ...(metadata === undefined ? {} : { user_defined_metadata: encodeJson(metadata) }),
  };
  const omitted = lostAssets(model, '.safetensors');
  return { file: writeSafetensors(weightsByPath(model, trainableOnly), texts), needs: [], omitted };
}

export async function encodeNpz({ model, trainableOnly }: SaveRequest): Promise<SavedFiles> {
  return { file: writeNpz(weightsByPath(model, trainableOnly)), needs: [], omitted: lostAssets(model, '.npz') };
}
