import { UnsupportedError } from '../errors.ts';
import { encodeJson } from '../formats/encode-json.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { encodeModel } from '../serialization/encode-model.ts';

/** The configuration of a model as Keras' `to_json` gives it, vocabularies included; see `KerasModel.toJSON`. */
export async function modelJson(model: KerasModel): Promise<string> {
  return encodeJson((await encodeModel(model, { inlineAssets: true })).topology);
}

/** The same; `undefined` for a model that has none. */
export async function modelJsonIfAny(model: KerasModel): Promise<string | undefined> {
  try {
    return await modelJson(model);
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}
