/** How a model is trained, for formats that have a place for it. */
import type { ModelArtifacts } from '../formats/artifacts.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { tensorflowNames } from '../serialization/named-weights.ts';
import { StoredTrainingError } from '../serialization/stored-training-error.ts';
import type { SaveRequest } from './save-formats.ts';

/** In whose words: Keras 3's, or those of the old `.h5` files, which tf_keras and Keras 3 read. */
export type TrainingDialect = 'keras3' | 'tf_keras';

/** Parts of a record, and what they do not say. */
export type TrainingRecord = Pick<ModelArtifacts, 'trainingConfig' | 'optimizerWeights'> & {
  readonly omitted: readonly string[];
};

/**
 * What a model was told by `compile`, and the state of its optimizer; nothing of a model that is not compiled, or when the
 * request says so.
 */
export async function trainingRecordOf(
  { model, includeOptimizer = true }: Pick<SaveRequest, 'model' | 'includeOptimizer'>,
  dialect: TrainingDialect,
): Promise<TrainingRecord> {
  const problem = includeOptimizer ? await trainingProblem(model) : '';
  if (problem !== undefined) return { omitted: problem === '' ? [] : [problem] };
  const { encodeLegacyTraining, encodeTraining } = await import('../serialization/encode-training.ts');
  const { optimizerWeightsOf } = await import('../serialization/optimizer-weights.ts');
  const { config, omitted } = await (dialect === 'keras3' ? encodeTraining(model) : encodeLegacyTraining(model));
  const optimizerWeights = await optimizerWeightsOf(model, dialect);
  return { ...(config === undefined ? {} : { trainingConfig: config }), optimizerWeights, omitted };
}

/** The same in the words of TensorFlow.js, where it has them; `names` are those of the weights in the manifest. */
export async function tensorFlowJsTrainingOf(
  { model, includeOptimizer = true }: Pick<SaveRequest, 'model' | 'includeOptimizer'>,
  names: ReturnType<typeof tensorflowNames>,
): Promise<TrainingRecord> {
  const problem = includeOptimizer ? await trainingProblem(model) : '';
  if (problem !== undefined) return { omitted: problem === '' ? [] : [problem] };
  const { encodeTensorFlowJsTraining } = await import('../serialization/encode-tensorflow-js-training.ts');
  const { config, optimizerWeights, omitted } = await encodeTensorFlowJsTraining(
    model,
    (variable) => names.get(variable) ?? variable.path,
  );
  return { ...(config === undefined ? {} : { trainingConfig: config, optimizerWeights }), omitted };
}

/** Why there is nothing to say: empty for a model that is not compiled. */
async function trainingProblem(model: KerasModel): Promise<string | undefined> {
  if (!model.compiled) return '';
  try {
    await model.loadTrainer();
    return undefined;
  } catch (error) {
    // The file that the model comes from says more than can be understood, which is no reason to keep the rest.
    if (error instanceof StoredTrainingError) return error.message;
    throw error;
  }
}
