import { CosineDecay, CosineDecayRestarts } from './cosine.ts';
import { ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay } from './decays.ts';
import type { LearningRateSchedule } from './schedule.ts';

/** All schedules, by Keras' class name. */
const SCHEDULES: Readonly<Record<string, new (options: never) => LearningRateSchedule>> = {
  CosineDecay,
  CosineDecayRestarts,
  ExponentialDecay,
  InverseTimeDecay,
  PiecewiseConstantDecay,
  PolynomialDecay,
};

/** Class names of all schedules. */
export const scheduleNames: readonly string[] = Object.keys(SCHEDULES);

/**
 * A schedule by class name and configuration, or `undefined` when there is none of that name.
 *
 * @throws {TypeError} when an option is missing, unknown, or not what it may be.
 */
export function createSchedule(
  className: string,
  config: Readonly<Record<string, unknown>>,
): LearningRateSchedule | undefined {
  const schedule = Object.hasOwn(SCHEDULES, className) ? SCHEDULES[className] : undefined;
  return schedule && new schedule(config as never);
}
