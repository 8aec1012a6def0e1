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

/**
 * Thrown when a file uses classes or functions that only its author has. `needs` names them, as keys of
 * `customObjects`.
 */
export class CustomObjectError extends Error {
  override readonly name = 'CustomObjectError';
  readonly needs: readonly string[];

  constructor(message: string, needs: readonly string[]) {
    super(message);
    this.needs = needs;
  }
}

/** Names listed in one message; the report has them all. */
const MAX_LISTED = 8;

function describeProblems(report: LoadReport): string[] {
  const problems: string[] = [];
  const list = (items: readonly string[], what: string): void => {
    if (items.length === 0) return;
    const rest = items.length > MAX_LISTED ? `, and ${items.length - MAX_LISTED} more` : '';
    problems.push(`${items.length} ${what}: ${items.slice(0, MAX_LISTED).join(', ')}${rest}`);
  };
  list(
    report.mismatched.map(
      ({ weight, source, found, expected }) =>
        `"${weight}" (the file has ${formatShape(found)} as "${source}", the layer expects ${formatShape(expected)})`,
    ),
    'mis-shaped weights',
  );
  list(
    report.missing.map((path) => {
      const [near] = nearestNames(path, report.unexpected);
      return near === undefined ? `"${path}"` : `"${path}" (the file has "${near}")`;
    }),
    'weights missing from the file',
  );
  list(
    report.unexpected.map((name) => `"${name}"`),
    'weights in the file that the model does not have',
  );
  list(
    report.unknownKeys.map(
      ({ layer, className, key, value }) => `"${key}": ${JSON.stringify(value)} of ${className} "${layer}"`,
    ),
    'configuration keys that are not known',
  );
  return problems;
}
