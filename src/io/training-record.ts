/** How a model is trained, for formats that have a place for it. */
import type { ModelArtifacts } from '../formats/artifacts.ts';
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
  { model, includeOptimizer = true }: SaveRequest,
  dialect: TrainingDialect,
): Promise<TrainingRecord> {
  if (!includeOptimizer || !model.compiled) return { omitted: [] };
  try {
    await model.loadTrainer();
  } catch (error) {
    // The file that the model comes from says more than can be understood, which is no reason to keep the rest.
    if (error instanceof StoredTrainingError) return { omitted: [error.message] };
    throw error;
  }
  const { encodeLegacyTraining, encodeTraining } = await import('../serialization/encode-training.ts');
  const { optimizerWeightsOf } = await import('../serialization/optimizer-weights.ts');
  const { config, omitted } = await (dialect === 'keras3' ? encodeTraining(model) : encodeLegacyTraining(model));
  const optimizerWeights = await optimizerWeightsOf(model, dialect);
  return { ...(config === undefined ? {} : { trainingConfig: config }), optimizerWeights, omitted };
}
