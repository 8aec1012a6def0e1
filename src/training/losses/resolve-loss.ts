/** Which loss a name means. */
import type { Shape } from '../../array/shape.ts';
import type { Field } from '../../layers/fields.ts';
import { classNameOf } from '../../layers/keras-object.ts';
import { Circle } from './circle.ts';
import { CTC } from './ctc.ts';
import { CategoricalHinge, Hinge, SquaredHinge } from './hinge.ts';
import { Loss, type LossFunction, LossFunctionWrapper } from './loss.ts';
import { Dice, Tversky } from './overlap.ts';
import {
  BinaryCrossentropy,
  BinaryFocalCrossentropy,
  CategoricalCrossentropy,
  CategoricalFocalCrossentropy,
  CategoricalGeneralizedCrossEntropy,
  KLDivergence,
  Poisson,
  SparseCategoricalCrossentropy,
} from './probabilistic.ts';
import {
  CosineSimilarity,
  Huber,
  LogCosh,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
} from './regression.ts';

interface LossClass {
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  new (options?: Readonly<Record<string, never>>): Loss;
}

/** All losses, by Keras' class name. */
const LOSSES: Readonly<Record<string, LossClass>> = {
  BinaryCrossentropy,
  BinaryFocalCrossentropy,
  CTC,
  CategoricalCrossentropy,
  CategoricalFocalCrossentropy,
  CategoricalGeneralizedCrossEntropy,
  CategoricalHinge,
  Circle,
  CosineSimilarity,
  Dice,
  Hinge,
  Huber,
  KLDivergence,
  LogCosh,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  Poisson,
  SparseCategoricalCrossentropy,
  SquaredHinge,
  Tversky,
};

/** Names that do not follow from their class by the rule of case: Keras' short ones, and those of Keras 1 and 2. */
const ALIASES: Readonly<Record<string, string>> = {
  bce: 'BinaryCrossentropy',
  cosine: 'CosineSimilarity',
  cosineproximity: 'CosineSimilarity',
  huberloss: 'Huber',
  kld: 'KLDivergence',
  kullbackleiblerdivergence: 'KLDivergence',
  mae: 'MeanAbsoluteError',
  mape: 'MeanAbsolutePercentageError',
  mse: 'MeanSquaredError',
  msle: 'MeanSquaredLogarithmicError',
};

const CLASS_OF: ReadonlyMap<string, string> = new Map([
  ...Object.keys(LOSSES).map((name): [string, string] => [plain(name), name]),
  ...Object.entries(ALIASES),
]);

/** A name without the marks that tell its spellings apart. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** Class names of all losses. */
export const lossNames: readonly string[] = Object.keys(LOSSES);

/**
 * A loss by class name and configuration, or `undefined` when there is none of that name.
 *
 * @throws {TypeError} when the configuration has an unknown key or a value that the loss cannot have.
 */
export function createLoss(className: string, config: Readonly<Record<string, unknown>> = {}): Loss | undefined {
  if (!Object.hasOwn(LOSSES, className)) return undefined;
  return new (LOSSES[className] as LossClass)(config as Readonly<Record<string, never>>);
}

/** The options of a class of losses. */
export function lossFieldsOf(className: string): Readonly<Record<string, Field<unknown>>> | undefined {
  return Object.hasOwn(LOSSES, className) ? LOSSES[className]?.fields : undefined;
}

/** The class of a loss's name in any spelling: `mse`, `mean_squared_error`, `meanSquaredError`, `MeanSquaredError`. */
export function lossClassNameOf(name: string): string | undefined {
  return CLASS_OF.get(plain(name)) ?? (Object.hasOwn(LOSSES, classNameOf(name)) ? classNameOf(name) : undefined);
}

/** Shapes of one output, for names whose meaning depends on them. */
export interface TargetShapes {
  readonly yTrue: Shape;
  readonly yPred: Shape;
}

/**
 * A loss from a name, a function written with `ops`, or a loss; `undefined` when there is none of that name.
 *
 * `crossentropy` and `ce` mean the binary, the sparse or the categorical one, by the shapes of the output.
 */
export function resolveLoss(value: Loss | LossFunction | string, shapes?: TargetShapes): Loss | undefined {
  if (value instanceof Loss) return value;
  if (typeof value === 'function') return new LossFunctionWrapper(value);
  if (typeof value !== 'string') return undefined;
  const isShort = ['crossentropy', 'ce'].includes(value.toLowerCase());
  const className = isShort && shapes ? `${targetKind(shapes)}Crossentropy` : lossClassNameOf(value);
  return className === undefined ? undefined : createLoss(className, { name: value });
}

/** What targets are: 0 and 1, class numbers, or one-hot. */
export function targetKind({ yTrue, yPred }: TargetShapes): 'Binary' | 'SparseCategorical' | 'Categorical' {
  if (yPred.at(-1) === 1) return 'Binary';
  const isSparse = yTrue.length < yPred.length || (yTrue.at(-1) === 1 && (yPred.at(-1) as number) > 1);
  return isSparse ? 'SparseCategorical' : 'Categorical';
}
