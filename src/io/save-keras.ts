/** Saving as Keras 3 does: `.keras` and `.weights.h5`. */
import { writeKeras } from '../formats/keras/write-keras.ts';
import { writePathWeights } from '../formats/keras/write-path-weights.ts';
import { modelArtifacts, pathWeightsOf } from '../serialization/encode-model.ts';
import { descriptionOf } from './description.ts';
import { lostAssets } from './lost-assets.ts';
import type { SavedFiles, SaveRequest } from './save-formats.ts';
import { trainingRecordOf } from './training-record.ts';

export async function encodeKerasFile(request: SaveRequest): Promise<SavedFiles> {
  const { model, date } = request;
  const { artifacts, needs, omitted } = await modelArtifacts(model);
  const { omitted: untold, ...training } = await trainingRecordOf(request, 'keras3');
  // Keras' own editor of files asks for a date, whatever it is.
  const dateSaved = date === undefined ? null : date.toISOString().replace('T', '@').slice(0, 19);
  const metadata = { ...descriptionOf(request), date_saved: dateSaved };
  const file = await writeKeras({ ...artifacts, ...training, metadata });
  return { file, needs, omitted: [...omitted, ...untold] };
}

export async function encodeWeightsFile(request: SaveRequest): Promise<SavedFiles> {
  const { model } = request;
  const omitted = lostAssets(model, '.weights.h5', { keepsValues: true });
  // What the configuration would leave out is no loss here, where there is none.
  const { optimizerWeights } = await trainingRecordOf(request, 'keras3');
  const description = descriptionOf(request);
  return {
    file: writePathWeights(pathWeightsOf(model), model.name, { optimizerWeights, description }),
    needs: [],
    omitted,
  };
}
