/**
 * Measures Hornet against others: `npm run bench [-- --only PART,… --models NAME,… --json FILE --record]`.
 *
 * A ratio is the peer's figure by ours: above 1, Hornet is better. The models are written by real Keras when they are
 * first needed, the peers installed when they are first needed. `--models` chooses among those of the parts `one-thread` and
 * `browser`, `--pages` among the pages of the part `browser`: `plain`, `isolated`; `--record` adds the run to results/history.jsonl.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findPython } from '../scripts/find-python.ts';
import { measureGrowth } from './growth.ts';
import { measureLoads } from './load.ts';
import { describeMachine } from './machine.ts';
import { type Findings, formatTable } from './measure.ts';
import { buildPackage, writeModels, writeOnnxModels } from './model-files.ts';
import { measureNative, NATIVE_WORKLOADS } from './native.ts';
import { measureOneThread, ONE_THREAD_WORKLOADS } from './one-thread.ts';
import { PAGE_KINDS } from './page-server.ts';
import { measurePeak } from './peak.ts';
import { installPeers } from './peers.ts';
import { RESULTS, record } from './record.ts';
import { measureStart } from './start.ts';
import { measureTraining } from './train.ts';
import { measureTwoThreads } from './two-threads.ts';

interface Part {
  readonly models: readonly string[];
  /** Whether peers run them as ONNX. */
  readonly onnx?: boolean;
  readonly measure: () => Promise<Findings>;
}

const folder: string = fileURLToPath(new URL('../.cache/bench', import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string' },
    models: { type: 'string' },
    pages: { type: 'string' },
    record: { type: 'boolean' },
  },
});
const python = findPython();
const chosenModels = choose(ONE_THREAD_WORKLOADS, values.models);
const chosenPages = choose(PAGE_KINDS, values.pages);

const parts: Readonly<Record<string, Part>> = {
  'one-thread': { models: chosenModels, onnx: true, measure: () => measureOneThread(folder, chosenModels) },
  'two-threads': {
    models: ['matrix-1024', 'resnet-50', 'mobilenet-v2'],
    measure: () => measureTwoThreads(folder),
  },
  browser: {
    models: chosenModels,
    onnx: true,
    // What builds pages and drives browsers is large.
    measure: async () => await (await import('./browser.ts')).measureInBrowser(folder, chosenModels, chosenPages),
  },
  native: { models: NATIVE_WORKLOADS, onnx: true, measure: () => measureNative(folder, python) },
  peak: { models: ['matrix-1024', 'resnet-50', 'mobilenet-v2'], measure: () => measurePeak(folder) },
  train: { models: ['cifar-cnn', 'fine-tuning'], measure: () => measureTraining(folder, python) },
  load: { models: ['resnet-50', 'small-resnet'], measure: () => measureLoads(folder, python) },
  start: { models: ['mobilenet-v2'], measure: () => measureStart(folder, buildPackage(folder), python) },
  growth: { models: [], measure: () => measureGrowth(RESULTS) },
};
const names = choose(Object.keys(parts), values.only);

installPeers();
for (const name of names) {
  const { models, onnx = false } = parts[name] as Part;
  writeModels(folder, models, python);
  if (onnx) writeOnnxModels(folder, models, python);
}

console.log(`${describeMachine()}\n`);
const findings: Findings[] = [];
for (const name of names) {
  const found = await (parts[name] as Part).measure();
  findings.push(found);
  // Each part at once: the whole takes long, and a part that fails shall not take the others with it.
  console.log(`${formatTable(found.rows)}\n`);
  for (const note of found.notes) console.log(note);
  console.log(`${name}: load of the machine at the end ${(loadavg()[0] as number).toFixed(2)}\n`);
}
const rows = findings.flatMap((found) => found.rows);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
if (values.record) record(rows);
// Engines that keep threads would keep the process.
process.exit(0);

function choose<Name extends string>(known: readonly Name[], wanted: string | undefined): readonly Name[] {
  const chosen = wanted?.split(',') ?? known;
  const unknown = chosen.filter((name) => !known.includes(name as Name));
  if (unknown.length === 0) return chosen as readonly Name[];
  console.error(`Cannot measure ${unknown.join(' and ')}: expected some of ${known.join(', ')}`);
  process.exit(1);
}
