/** Saving as `.h5`, the format that Keras 2 and 3 have in common. */
import { UnsupportedError } from '../errors.ts';
import { writeHdf5Model } from '../formats/hdf5-model/write-hdf5-model.ts';
import { encodeForBoth } from '../serialization/encode-for-both.ts';
import { KERAS_2_HARD_SIGMOID } from '../serialization/encode-layers.ts';
import { encodeModel, KERAS_VERSION } from '../serialization/encode-model.ts';
import { layerWeightsOf, withUniqueNames } from '../serialization/layer-weights.ts';
import { lostAssets } from './lost-assets.ts';
import type { SavedFiles, SaveRequest } from './save-formats.ts';
import { trainingRecordOf } from './training-record.ts';

/** The last release of Keras 2, which tf_keras goes on from. */
const KERAS_2_VERSION = '2.15.0';

/** Keras' own files name the library that computed; the numbers are those of TensorFlow. */
const BACKEND = 'tensorflow';

/** A whole model. Vocabularies are in its configuration, since there is no room for assets. */
export async function encodeHdf5File(request: SaveRequest): Promise<SavedFiles> {
  const { model, kerasVersion: generation = 3 } = request;
  const { topology: keras3, needs, omitted } = await encodeModel(model, { inlineAssets: true });
  const { topology, keras3Only, omitted: lost } = encodeForBoth(keras3, generation);
  if (generation === 2 && keras3Only.length > 0) {
    throw new UnsupportedError(
      `Cannot save model "${model.name}" for Keras 2: found ${keras3Only.join('; ')}, which it does not have; ` +
        'save it for Keras 3',
      'parts of Keras 3 in a file of Keras 2',
    );
  }
  const layout = generation === 2 ? 'tf_keras' : 'keras3';
  const { omitted: untold, optimizerWeights = [], ...training } = await trainingRecordOf(request, 'tf_keras', layout);
  const file = writeHdf5Model({
    format: 'hdf5',
    source: model.name,
    topology,
    kerasVersion: generation === 2 ? KERAS_2_VERSION : KERAS_VERSION,
    backend: BACKEND,
    weights: layerWeightsOf(model),
    ...training,
    // Without a configuration nothing tells whose state it is.
    ...(training.trainingConfig === undefined ? {} : { optimizerWeights: withUniqueNames(optimizerWeights) }),
  });
  return {
    file,
    needs: needs.filter((name) => generation === 3 || name !== KERAS_2_HARD_SIGMOID),
    omitted: [...omitted, ...lost, ...untold],
    keras3Only,
  };
}

export async function encodeHdf5Weights({ model }: SaveRequest): Promise<SavedFiles> {
  const omitted = lostAssets(model, '.h5');
  const file = writeHdf5Model({
    format: 'hdf5-weights',
    source: model.name,
    kerasVersion: KERAS_VERSION,
    backend: BACKEND,
    weights: layerWeightsOf(model),
  });
  return { file, needs: [], omitted };
}
