/** Saving as Keras 3 does: `.keras` and `.weights.h5`. */
import { writeKeras } from '../formats/keras/write-keras.ts';
import { writePathWeights } from '../formats/keras/write-path-weights.ts';
import { modelArtifacts, pathWeightsOf } from '../serialization/encode-model.ts';
import { lostAssets } from './lost-assets.ts';
import type { SavedFiles, SaveRequest } from './save-formats.ts';

export async function encodeKerasFile({ model, metadata, date }: SaveRequest): Promise<SavedFiles> {
  const { artifacts, needs, omitted } = await modelArtifacts(model);
  const told = {
    ...(date === undefined ? {} : { date_saved: date.toISOString().replace('T', '@').slice(0, 19) }),
    ...(metadata === undefined ? {} : { user_defined_metadata: metadata }),
  };
  return { file: await writeKeras({ ...artifacts, metadata: { ...artifacts.metadata, ...told } }), needs, omitted };
}

export async function encodeWeightsFile({ model }: SaveRequest): Promise<SavedFiles> {
  const omitted = lostAssets(model, '.weights.h5', { keepsValues: true });
  return { file: writePathWeights(pathWeightsOf(model), model.name), needs: [], omitted };
}
