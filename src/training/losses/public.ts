/** Keras' losses. */
export { Circle } from './circle.ts';
export { CTC } from './ctc.ts';
export { CategoricalHinge, Hinge, SquaredHinge } from './hinge.ts';
export { Loss } from './loss.ts';
export { Dice, Tversky } from './overlap.ts';
export {
  BinaryCrossentropy,
  BinaryFocalCrossentropy,
  CategoricalCrossentropy,
  CategoricalFocalCrossentropy,
  CategoricalGeneralizedCrossEntropy,
  KLDivergence,
  Poisson,
  SparseCategoricalCrossentropy,
} from './probabilistic.ts';
export {
  CosineSimilarity,
  Huber,
  LogCosh,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
} from './regression.ts';
