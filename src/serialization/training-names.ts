/**
 * What a training configuration may name, to tell without the code for training whether a model can be trained as its file
 * says.
 */
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import type { CustomObjects } from './custom-objects.ts';
import { configOf, isList, isObject, isSerializedObject, withoutPackage } from './json-shapes.ts';

const LOSSES =
  'BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy CategoricalFocalCrossentropy ' +
  'CategoricalGeneralizedCrossEntropy CategoricalHinge Circle CosineSimilarity Dice Hinge Huber KLDivergence LogCosh ' +
  'MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson ' +
  'SparseCategoricalCrossentropy SquaredHinge Tversky ' +
  'bce ce cosine cosineproximity crossentropy huberloss kld kullbackleiblerdivergence mae mape mse msle';
const METRICS =
  'AUC Accuracy BinaryAccuracy BinaryIoU CategoricalAccuracy ConcordanceCorrelation F1Score FBetaScore FalseNegatives ' +
  'FalsePositives IoU LogCoshError Mean MeanIoU OneHotIoU OneHotMeanIoU PearsonCorrelation Precision PrecisionAtRecall ' +
  'R2Score Recall RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalAccuracy ' +
  'SparseTopKCategoricalAccuracy SpecificityAtSensitivity Sum TopKCategoricalAccuracy TrueNegatives TruePositives acc';
const OPTIMIZERS =
  'Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer Momentum MultiOptimizer Muon Nadam ' +
  'RMSprop SGD ScheduleFreeAdamW';
const SCHEDULES =
  'CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay PolynomialDecay';

/** The names of each kind, without the marks that tell spellings apart. */
export const trainingNames: Readonly<Record<'loss' | 'metric' | 'optimizer' | 'learning rate', ReadonlySet<string>>> = {
  loss: setOf(LOSSES),
  metric: setOf(`${LOSSES} ${METRICS}`),
  optimizer: setOf(OPTIMIZERS),
  'learning rate': setOf(SCHEDULES),
};

type Kind = keyof typeof trainingNames;

function setOf(names: string): ReadonlySet<string> {
  return new Set(names.split(' ').map(plainTrainingName));
}

/** A name without the marks that tell its spellings apart. */
export function plainTrainingName(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** What a training configuration names that is neither Keras' nor in `customObjects`, in words. */
export function unknownTrainingNames(config: JsonObject, customObjects: CustomObjects): readonly string[] {
  const unknown = new Set<string>();
  const check = (kind: Kind, name: string): void => {
    const isKnown = trainingNames[kind].has(plainTrainingName(name)) || Object.hasOwn(customObjects, name);
    if (!isKnown) unknown.add(`${kind} "${name}"`);
  };
  const visit = (kind: Kind, value: JsonValue | undefined): void => {
    if (value === null || value === undefined || typeof value === 'number') return;
    if (typeof value === 'string') {
      check(kind, withoutPackage(value));
    } else if (isList(value)) {
      for (const element of value) visit(kind, element);
    } else if (isSerializedObject(value)) {
      check(kind, nameIn(value));
      if (kind === 'optimizer') visitOptimizer(configOf(value));
    } else if (isObject(value)) {
      const entries = Object.values(value);
      // TensorFlow.js writes a function as an empty record.
      if (entries.length === 0) unknown.add(`${kind} without a name`);
      for (const element of entries) visit(kind, element);
    }
  };
  const visitOptimizer = ({ learning_rate: rate, inner_optimizer: inner, optimizer_map: map }: JsonObject): void => {
    visit('learning rate', rate);
    visit('optimizer', inner);
    if (!isObject(map)) return;
    const { default_optimizer: fallback, optimizer_map: others } = configOf(map);
    visit('optimizer', fallback);
    if (isObject(others)) for (const other of Object.values(others)) visit('optimizer', other);
  };
  visit('optimizer', config.optimizer_config ?? config.optimizer);
  visit('loss', config.loss);
  visit('metric', config.metrics);
  visit('metric', config.weighted_metrics);
  return [...unknown];
}

/** What an object is: its class, or the function that it stands for. */
function nameIn(value: JsonObject): string {
  const className = withoutPackage(String(value.class_name));
  const config = className === 'function' ? value.config : configOf(value).fn;
  if (typeof config === 'string') return withoutPackage(config);
  return isSerializedObject(config) ? nameIn(config) : className;
}
