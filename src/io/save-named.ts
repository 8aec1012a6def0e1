/** Saving weights by name, in the formats of other libraries: `.safetensors` and `.npz`. */
import { textsOf } from '../formats/described-texts.ts';
import { writeNpz } from '../formats/npz/write-npz.ts';
import { writeSafetensors } from '../formats/safetensors/write-safetensors.ts';
import { KERAS_VERSION } from '../serialization/encode-model.ts';
import { weightsByPath } from '../serialization/layer-weights.ts';
import { descriptionOf } from './description.ts';
import { lostAssets } from './lost-assets.ts';
import type { SavedFiles, SaveRequest } from './save-formats.ts';

/** Weights by path, with what there is to say about the model in the texts that the format has room for. */
export async function encodeSafetensors(request: SaveRequest): Promise<SavedFiles> {
  const { model, trainableOnly } = request;
  const texts = { model_name: model.name, keras_version: KERAS_VERSION, ...textsOf(descriptionOf(request)) };
  const omitted = lostAssets(model, '.safetensors');
  return { file: writeSafetensors(weightsByPath(model, trainableOnly), texts), needs: [], omitted };
}

export async function encodeNpz({ model, trainableOnly }: SaveRequest): Promise<SavedFiles> {
  return { file: writeNpz(weightsByPath(model, trainableOnly)), needs: [], omitted: lostAssets(model, '.npz') };
}
