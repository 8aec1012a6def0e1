/** Prints, when all tests are done, what the judges found: one row for each judge and format. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { findOldestKeras, findPython, findTfKerasPython } from '../../scripts/find-python.ts';
import { COLUMNS, TALLIES, type TallyRecord } from './tally.ts';

export function setup(): void {
  rmSync(TALLIES, { force: true });
}

export function teardown(): void {
  if (existsSync(TALLIES)) printTable(readFileSync(TALLIES, 'utf8'));
  for (const line of lackingJudges()) console.log(`not run: ${line}`);
}

/** What this machine does not have, and what it would judge. */
function lackingJudges(): string[] {
  const lacking = [
    findPython() === undefined && 'Keras on JAX, NumPy, safetensors: no interop/.venv, no PYTHON',
    findTfKerasPython() === undefined && 'tf_keras, Keras on TensorFlow: no interop/.venv-tf-keras, no TF_KERAS_PYTHON',
    findOldestKeras() === undefined && 'the oldest Keras 3: no interop/.venv-oldest-keras',
  ];
  return lacking.filter((line) => line !== false);
}

function printTable(lines: string): void {
  const records = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TallyRecord)
    .sort((a, b) => (a.judge < b.judge ? -1 : a.judge > b.judge ? 1 : 0));
  const rows = records.map(({ judge, format, columns }) => {
    const cells = COLUMNS.map((column) => {
      const cell = columns[column];
      return cell === undefined ? '' : cell.good === cell.all ? `${cell.all}` : `${cell.good} of ${cell.all}`;
    });
    return [judge, format, ...cells];
  });
  const table = [['judge', 'format', ...COLUMNS], ...rows];
  const widths = (table[0] as string[]).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const text = table.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  console.log(`\nWhat the judges found\n${text.join('\n')}\n`);
  console.log('models: those whose parts the judge has; equal: predictions within 1e-5, weights alone to the bit;');
  console.log(
    'trained on: it goes on from our state of the optimizer, five losses within 1e-4; we train on: from its.',
  );
  for (const [what, formats] of reasonsOf(records)) console.log(`  ${what} (${formats.join(', ')})`);
}

/** Why models were not asked for, and how many of them, with the formats of which that is so. */
function reasonsOf(records: readonly TallyRecord[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { judge, format, reasons } of records) {
    for (const [reason, count] of Object.entries(reasons)) {
      const key = `${judge}: ${count} × ${reason}`;
      found.set(key, [...(found.get(key) ?? []), format]);
    }
  }
  return found;
}
