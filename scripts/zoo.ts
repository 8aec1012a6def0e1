/**
 * `npm run zoo [-- FOLDER…] [--json FILE] [--custom MODULE] [--backend reference]`: loads every model file below the
 * folders and compares its predictions with the answers that lie with it. Works on any folder of that layout: there is no
 * list of names. MODULE exports `customObjects(path)`, the classes and functions that only the authors of models have.
 *
 * Ends with status 1 when a model crashed, or differs from its answer.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { ZooRow } from './zoo/check-model.ts';
import { findModels } from './zoo/find-models.ts';
import { runWorkers } from './zoo/run-workers.ts';

const DEFAULT_FOLDERS = ['../shared/models', '../shared/fixtures'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, custom: { type: 'string' }, backend: { type: 'string' } },
});
const from = process.env.INIT_CWD ?? process.cwd();
const folders = (
  positionals.length > 0
    ? positionals.map((folder) => resolve(from, folder))
    : DEFAULT_FOLDERS.map((folder) => resolve(folder))
).filter((folder) => {
  if (existsSync(folder)) return true;
  console.error(`Cannot look into ${folder}: there is no such folder`);
  return false;
});

const custom = values.custom === undefined ? undefined : pathToFileURL(resolve(from, values.custom)).href;
const models = findModels(folders);
const started = performance.now();
const rows = await runWorkers(models, { backend: values.backend, custom }, (row) => console.log(formatRow(row)));
console.log(`\n${models.length} models in ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
console.log(formatTable(rows));
console.log(formatReasons(rows));
if (values.json !== undefined) {
  const portable = rows.map((row) => ({ ...row, file: nameOf(row.file) }));
  writeFileSync(resolve(from, values.json), `${JSON.stringify(portable, null, 1)}\n`);
}
process.exitCode = folders.length > 0 && rows.every((row) => row.equal !== false) ? 0 : 1;

/** The path below the folder that was asked for, with the folder's name. */
function nameOf(path: string): string {
  const folder = folders.find((candidate) => path.startsWith(candidate)) ?? '';
  return relative(resolve(folder, '..'), path);
}

function formatRow(row: ZooRow): string {
  const mark = row.equal === true ? '=' : row.equal === false ? '≠' : row.loaded ? '+' : '-';
  const error = row.maxError === null ? '' : row.maxError.toExponential(1);
  const needs = row.needs.length > 0 ? ` [needs ${row.needs.join(', ')}]` : '';
  return `${mark} ${row.format.padEnd(18)} ${error.padStart(8)}  ${nameOf(row.file)}${row.reason === null ? '' : `\n    ${row.reason}`}${needs}`;
}

function formatTable(all: readonly ZooRow[]): string {
  const formats = [...new Set(all.map(({ format }) => format))].sort();
  const line = (name: string, found: readonly ZooRow[]): string => {
    const counts = [
      found.length,
      found.filter(({ loaded }) => loaded).length,
      found.filter(({ needs }) => needs.length > 0).length,
      found.filter(({ compared }) => compared).length,
      found.filter(({ equal }) => equal === true).length,
    ];
    return name.padEnd(20) + counts.map((count) => String(count).padStart(10)).join('');
  };
  const header = ['found', 'loaded', 'needs', 'compared', 'equal'].map((word) => word.padStart(10)).join('');
  const lines = formats.map((format) =>
    line(
      format,
      all.filter((row) => row.format === format),
    ),
  );
  return [`${'format'.padEnd(20)}${header}`, ...lines, line('all', all)].join('\n');
}

/** What went wrong, the commonest first, with names and numbers taken out so that like meets like. */
function formatReasons(all: readonly ZooRow[]): string {
  const failed = all.filter((row) => row.equal === false || !row.loaded);
  const groups = Map.groupBy(failed, ({ reason }) =>
    (reason ?? '')
      .replaceAll(/"[^"]*"/g, '"…"')
      .replaceAll(/-?\d[\d.e+-]*/g, 'N')
      .slice(0, 160),
  );
  const sorted = [...groups].sort((a, b) => b[1].length - a[1].length);
  const lines = sorted.map(([reason, found]) => `${String(found.length).padStart(5)}  ${reason}`);
  return lines.length === 0 ? '' : ['', 'Reasons:', ...lines].join('\n');
}
