/** Numbers of a benchmark: rows and medians. Runs in pages too. */

/** One comparison; more is better in `ratio` = peer / ours. */
export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly ratio: number;
  readonly unit: 'ms' | 'MB';
  /** What the ratio should be at least, where that is set down. */
  readonly goal?: number;
}

/** What one part of the benchmark found, and what it left out and why. */
export interface Findings {
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

export function makeRow(
  name: string,
  ours: number,
  peer: number,
  peerName: string,
  unit: Row['unit'],
  goal?: number,
): Row {
  const ratio = Number((peer / ours).toFixed(3));
  return { name, ours: round(ours), peer: round(peer), peerName, ratio, unit, ...(goal === undefined ? {} : { goal }) };
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The half of the values that lies in the middle, as text. */
export function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] as number;
  return `${round(at(0.25))}–${round(at(0.75))}`;
}

export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map(({ name, ours, peer, peerName, ratio, unit, goal }) => [
    name,
    `${ours} ${unit}`,
    `${peer} ${unit}`,
    ratio.toFixed(2),
    goal === undefined ? '' : `${ratio >= goal ? '≥' : 'below'} ${Number(goal.toPrecision(2))}`,
    peerName,
  ]);
  const table = [['', 'Hornet', 'peer', 'ratio', 'goal', ''], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => (row[column] as string).length)));
  const format = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        if (column === 5) return cell;
        return column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number);
      })
      .join('  ')
      .trimEnd();
  return table.map(format).join('\n');
}

function round(value: number): number {
  return Number(value.toPrecision(value < 10 ? 3 : 4));
}
