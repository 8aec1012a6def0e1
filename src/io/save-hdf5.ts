/** Saving as `.h5`, the format that Keras 2 and 3 have in common. */
import { UnsupportedError } from '../errors.ts';
import { writeHdf5Model } from '../formats/hdf5-model/write-hdf5-model.ts';
import { isJsonObject } from '../formats/json.ts';
import { encodeForBoth } from '../serialization/encode-for-both.ts';
import { KERAS_2_HARD_SIGMOID } from '../serialization/encode-layers.ts';
import { encodeModel, KERAS_VERSION } from '../serialization/encode-model.ts';
import { layerWeightsOf, withUniqueNames } from '../serialization/layer-weights.ts';
import { descriptionOf } from './description.ts';
import { lostAssets } from './lost-assets.ts';
import type { SavedFiles, SaveRequest } from './save-formats.ts';
import { type TrainingRecord, trainingRecordOf } from './training-record.ts';

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
  const training = await trainingRecordOf(request, 'tf_keras');
  const record = generation === 2 ? ofTfKeras(training) : withoutState(training);
  const file = writeHdf5Model({
    format: 'hdf5',
    source: model.name,
    topology,
    kerasVersion: generation === 2 ? KERAS_2_VERSION : KERAS_VERSION,
    backend: BACKEND,
    metadata: descriptionOf(request),
    weights: layerWeightsOf(model),
    ...(record.trainingConfig === undefined ? {} : { trainingConfig: record.trainingConfig }),
    ...(record.optimizerWeights === undefined ? {} : { optimizerWeights: withUniqueNames(record.optimizerWeights) }),
  });
  return {
    file,
    needs: needs.filter((name) => generation === 3 || name !== KERAS_2_HARD_SIGMOID),
    omitted: [...omitted, ...lost, ...record.omitted],
    keras3Only,
  };
}

/** Keras 3 builds the optimizer of an `.h5` that has its state for no weights at all, and then cannot train. */
function withoutState({ optimizerWeights = [], omitted, ...rest }: TrainingRecord): TrainingRecord {
  if (optimizerWeights.length === 0) return { ...rest, omitted };
  const lost =
    'the state of the optimizer, with which Keras 3 could not train on from a .h5; ' +
    'save as .keras, or with kerasVersion: 2 for tf_keras';
  return { ...rest, omitted: [...omitted, lost] };
}

/** Without the package in front of its name, tf_keras takes an optimizer for the one of before 2.11. */
function ofTfKeras({ trainingConfig, ...rest }: TrainingRecord): TrainingRecord {
  // Without a configuration nothing tells whose state it is.
  if (trainingConfig === undefined) return { omitted: rest.omitted };
  const { optimizer_config: optimizer } = trainingConfig;
  if (!isJsonObject(optimizer)) return { ...rest, trainingConfig };
  const className = `Custom>${String(optimizer.class_name)}`;
  return { ...rest, trainingConfig: { ...trainingConfig, optimizer_config: { ...optimizer, class_name: className } } };
}

export async function encodeHdf5Weights(request: SaveRequest): Promise<SavedFiles> {
  const { model } = request;
  const omitted = lostAssets(model, '.h5');
  const file = writeHdf5Model({
    format: 'hdf5-weights',
    source: model.name,
    kerasVersion: KERAS_VERSION,
    backend: BACKEND,
    metadata: descriptionOf(request),
    weights: layerWeightsOf(model),
  });
  return { file, needs: [], omitted };
}
