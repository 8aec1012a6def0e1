import { UnsupportedError } from '../errors.ts';
import { encodeJson } from '../formats/encode-json.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { modelArtifacts } from '../serialization/encode-model.ts';

/** The configuration of a model as Keras' `to_json` gives it; `undefined` for a model that has none. */
export async function modelJson(model: KerasModel): Promise<string | undefined> {
  try {
    const { topology } = (await modelArtifacts(model)).artifacts;
    return topology && encodeJson(topology);
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}
