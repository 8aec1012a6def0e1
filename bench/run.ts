/**
 * Measures Hornet against others: `npm run bench [-- --json FILE] [--only predict,train,load]`.
 *
 * A ratio is the peer's figure by ours: above 1, Hornet is better. The models are written by real Keras when they are
 * first needed, the peers installed when they are first needed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findPython } from '../scripts/find-python.ts';
import { measureLoads } from './load.ts';
import { describeMachine, type Findings, formatTable } from './measure.ts';
import { installPeers } from './peers.ts';
import { measurePredict } from './predict.ts';
import { measureTraining } from './train.ts';

const MODELS = ['mobilenet-v2', 'resnet-50', 'small-resnet'];

const root: string = fileURLToPath(new URL('..', import.meta.url));
const folder: string = `${root}.cache/bench`;
const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } });
const python = findPython();

const parts: Readonly<Record<string, () => Promise<Findings>>> = {
  predict: () => measurePredict(folder),
  train: () => measureTraining(folder, python),
  load: () => measureLoads(folder, python),
};
const chosen = values.only?.split(',') ?? Object.keys(parts);
const unknown = chosen.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`Cannot measure ${unknown.join(' and ')}: expected some of ${Object.keys(parts).join(', ')}`);
  process.exit(1);
}

const missing = MODELS.filter((name) => !existsSync(`${folder}/${name}-output.bin`));
if (missing.length > 0) {
  if (python === undefined) {
    console.error(`Cannot measure: ${missing.join(' and ')} are written by Keras; .ci/run makes interop/.venv with it`);
    process.exit(1);
  }
  console.log(`Writing ${missing.join(' and ')} with Keras …`);
  const { status } = spawnSync(python, [`${root}interop/make-bench-models.py`, ...missing], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(1);
}
installPeers();

console.log(`${describeMachine()}\n`);
const findings: Findings[] = [];
for (const name of chosen) findings.push(await (parts[name] as () => Promise<Findings>)());
const rows = findings.flatMap((found) => found.rows);
console.log(formatTable(rows));
console.log('');
for (const note of findings.flatMap((found) => found.notes)) console.log(note);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
