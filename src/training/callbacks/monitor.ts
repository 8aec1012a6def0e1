/** What callbacks that watch one log have in common: whether a value is better than another. */

/** Whether a log should fall or rise; `auto` decides by its name. */
export type MonitorMode = 'auto' | 'min' | 'max';

const RISING = /acc|auc|precision|recall|sensitivity|specificity|iou|f1|fbeta|r2|similarity|pearson|concordance/i;
const FALLING = /loss|error|entropy|mse|mae|mape|msle|hinge|divergence|kld|logcosh|log_cosh|poisson|dice|tversky/i;

/**
 * Compares values of a log: whether the first is better than the second by more than `minDelta`.
 *
 * @throws {RangeError} when the mode is `auto` and the name does not tell.
 */
export function isBetterBy(monitor: string, mode: MonitorMode, minDelta: number): (a: number, b: number) => boolean {
  const delta = Math.abs(minDelta);
  if (directionOf(monitor, mode) === 'max') return (a, b) => a - delta > b;
  return (a, b) => a + delta < b;
}

/**
 * Which values of a log are better.
 *
 * @throws {RangeError} when the mode is `auto` and the name does not tell.
 */
export function directionOf(monitor: string, mode: MonitorMode): 'min' | 'max' {
  if (mode !== 'auto') return mode;
  if (FALLING.test(monitor)) return 'min';
  if (RISING.test(monitor)) return 'max';
  throw new RangeError(`Cannot monitor "${monitor}": its name does not tell whether it should fall; give mode`);
}

/** Tells once that a log which should be watched is missing. */
export function missingMonitor(callback: string, monitor: string, names: readonly string[]): string {
  return `${callback} monitors "${monitor}", which is not among the logs: ${names.join(', ')}`;
}
