/** Saving as `.h5`, the format that Keras 2 and 3 have in common. */
import { writeHdf5Model } from '../formats/hdf5-model/write-hdf5-model.ts';
import { encodeForBoth } from '../serialization/encode-for-both.ts';
import { encodeModel, KERAS_VERSION } from '../serialization/encode-model.ts';
import { layerWeightsOf } from '../serialization/layer-weights.ts';
import { lostAssets } from './lost-assets.ts';
import type { SavedFiles, SaveRequest } from './save-formats.ts';

/** Keras' own files name the library that computed; the numbers are those of TensorFlow. */
const ORIGIN = { kerasVersion: KERAS_VERSION, backend: 'tensorflow' } as const;

/** A whole model. Vocabularies are in its configuration, since there is no room for assets. */
export async function encodeHdf5File({ model }: SaveRequest): Promise<SavedFiles> {
  const { topology: keras3, needs, omitted } = await encodeModel(model, { inlineAssets: true });
  const { topology, keras3Only } = encodeForBoth(keras3);
  const file = writeHdf5Model({
    format: 'hdf5',
    source: model.name,
    topology,
    ...ORIGIN,
    weights: layerWeightsOf(model),
  });
  return { file, needs, omitted, keras3Only };
}

export async function encodeHdf5Weights({ model }: SaveRequest): Promise<SavedFiles> {
  const omitted = lostAssets(model, '.h5');
  const file = writeHdf5Model({
    format: 'hdf5-weights',
    source: model.name,
    ...ORIGIN,
    weights: layerWeightsOf(model),
  });
  return { file, needs: [], omitted };
}
