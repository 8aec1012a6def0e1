import { formatShape } from '../array/shape.ts';
import { nearestNames } from '../model/nearest-names.ts';
import type { LoadReport } from './report.ts';

/** Thrown by a strict load that found any problem; `report` has all of them. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly report: LoadReport;

  constructor(source: string, report: LoadReport) {
    super(`Cannot load "${source}": ${describeProblems(report).join('; ')}`);
    this.report = report;
  }
}

/** Names listed in one message; the report has them all. */
const MAX_LISTED = 8;
/** Names among which near ones are looked for: a file may hold so many that comparing all would never end. */
const MAX_COMPARED = 1000;
const MAX_VALUE_LENGTH = 120;

function describeProblems(report: LoadReport): string[] {
  const problems: string[] = [];
  const list = <T>(items: readonly T[], what: string, describe: (item: T) => string): void => {
    if (items.length === 0) return;
    const rest = items.length > MAX_LISTED ? `, and ${items.length - MAX_LISTED} more` : '';
    problems.push(`${items.length} ${what}: ${items.slice(0, MAX_LISTED).map(describe).join(', ')}${rest}`);
  };
  list(
    report.mismatched,
    'mis-shaped weights',
    ({ weight, source, found, expected }) =>
      `"${weight}" (the file has ${formatShape(found)} as "${source}", the layer expects ${formatShape(expected)})`,
  );
  const candidates = report.unexpected.slice(0, MAX_COMPARED);
  list(report.missing, 'weights missing from the file', (path) => {
    const [near] = nearestNames(path, candidates);
    return near === undefined ? `"${path}"` : `"${path}" (the file has "${near}")`;
  });
  list(report.unexpected, 'weights in the file that the model does not have', (name) => `"${name}"`);
  list(
    report.unknownKeys,
    'configuration keys that are not known',
    ({ layer, className, key, value }) =>
      `"${key}": ${JSON.stringify(value).slice(0, MAX_VALUE_LENGTH)} of ${className} "${layer}"`,
  );
  return problems;
}
