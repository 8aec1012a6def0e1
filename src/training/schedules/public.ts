/** Keras' learning rate schedules. */
export { CosineDecay, CosineDecayRestarts } from './cosine.ts';
export { ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay } from './decays.ts';
export { LearningRateSchedule } from './schedule.ts';
