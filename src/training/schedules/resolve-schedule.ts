import type { Field } from '../../layers/fields.ts';
import { CosineDecay, CosineDecayRestarts } from './cosine.ts';
import { ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay } from './decays.ts';
import type { LearningRateSchedule } from './schedule.ts';

interface ScheduleClass {
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  new (options: never): LearningRateSchedule;
}

/** All schedules, by Keras' class name. */
const SCHEDULES: Readonly<Record<string, ScheduleClass>> = {
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

/** The options of a class of schedules. */
export function scheduleFieldsOf(className: string): Readonly<Record<string, Field<unknown>>> | undefined {
  return Object.hasOwn(SCHEDULES, className) ? SCHEDULES[className]?.fields : undefined;
}
