import { Checkpoints, type CheckpointVersion, copyModel, type WhichCheckpoint } from '../index.ts';
import type { CheckpointWords } from './command-line.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { formatBytes, formatTable, formatValue } from './format.ts';
import { describeLoaded, loadWithProgress } from './loading.ts';
import { showProgress } from './progress.ts';
import { saveWithProgress } from './saving.ts';

/** `hornet checkpoints DIR [OUT]`. */
export async function checkpoints(
  folder: string,
  destination: string | undefined,
  words: CheckpointWords,
): Promise<void> {
  const { monitor, mode = 'auto', restore, remove, compare, json = false } = words;
  const chosen = [restore, remove, compare].filter((word) => word !== undefined);
  if (chosen.length > 1 || (restore === undefined) !== (destination === undefined)) {
    const problem = chosen.length > 1 ? 'found several of --restore, --compare and --remove' : undefined;
    const expected = 'expected --restore VERSION and a file to write it to';
    throw new CommandError(`Cannot use these words: ${problem ?? expected}`, EXIT.usage);
  }
  const versions = new Checkpoints(folder, { mode, ...(monitor === undefined ? {} : { monitor }) });
  if (restore !== undefined) await restoreVersion(versions, whichOf(restore), destination as string);
  else if (remove !== undefined) await removeVersion(versions, whichOf(remove));
  else if (compare !== undefined) await compareVersions(versions, compare, json);
  else await listVersions(versions, folder, json);
}

/** A step is a number; everything else is `latest`, `best`, a name or an id. */
function whichOf(word: string): WhichCheckpoint {
  return /^\d+$/.test(word) ? Number(word) : word;
}

async function listVersions(versions: Checkpoints, folder: string, json: boolean): Promise<void> {
  const [list, damaged] = [await versions.list(), await versions.listDamaged()];
  if (list.length + damaged.length === 0) {
    throw new CommandError(`Cannot list checkpoints of "${folder}": there is no version`, EXIT.notFound);
  }
  const [latest, best] = [list.at(-1), versions.bestOf(list)];
  const marksOf = (version: CheckpointVersion): string[] => [
    ...(version === latest ? ['latest'] : []),
    ...(version === best ? ['best'] : []),
  ];
  if (json) {
    const rows = list.map((version) => ({ ...version, isLatest: version === latest, isBest: version === best }));
    process.stdout.write(`${JSON.stringify({ versions: rows, damaged }, null, 1)}\n`);
    return;
  }
  const metrics = [...new Set(list.flatMap((version) => Object.keys(version.metrics)))];
  const rows = list.map((version) => [
    String(version.step),
    String(version.epoch ?? ''),
    ...metrics.map((metric) => formatMetric(version.metrics[metric])),
    formatBytes(version.byteLength),
    version.savedAt.toISOString().replace('T', ' ').slice(0, 19),
    version.name ?? version.id,
    marksOf(version).join(' '),
  ]);
  const header = ['step', 'epoch', ...metrics, 'size', 'saved (UTC)', 'name', ''];
  const right = header.map((_, column) => column).slice(0, metrics.length + 3);
  const lines = list.length === 0 ? [] : [formatTable(header, rows, right)];
  for (const { id, problem } of damaged) lines.push(`damaged: ${id}: ${problem}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function formatMetric(value: CheckpointVersion['metrics'][string] | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'number' ? formatValue(value) : `[${value.map(formatValue).join(', ')}]`;
}

/** Copies the file as it is where the name asks for the format that it has, else converts it. */
async function restoreVersion(versions: Checkpoints, which: WhichCheckpoint, destination: string): Promise<void> {
  const { id, step, files } = await versions.find(which);
  const place = await versions.place(id);
  const ending = files.model.slice(files.model.indexOf('.'));
  if (destination.endsWith('/') || destination.endsWith(ending)) {
    const progress = await showProgress(`Copying ${id}`);
    try {
      await copyModel(place, destination, {
        onProgress: (fraction, { savedBytes }) => progress.update(fraction, savedBytes),
      });
    } finally {
      progress.stop();
    }
  } else {
    const loaded = await loadWithProgress(place, id);
    process.stderr.write(`${describeLoaded(loaded)}\n`);
    await saveWithProgress(loaded.model, destination);
  }
  process.stdout.write(`${destination}: step ${step}, from ${id}\n`);
}

async function removeVersion(versions: Checkpoints, which: WhichCheckpoint): Promise<void> {
  const damaged = (await versions.listDamaged()).find(({ id }) => id === which);
  const { id } = damaged ?? (await versions.find(which));
  await versions.remove(id);
  process.stdout.write(`removed ${id}\n`);
}

async function compareVersions(versions: Checkpoints, words: string, json: boolean): Promise<void> {
  const [first = '', second = '', ...rest] = words.split(',');
  if (first === '' || second === '' || rest.length > 0) {
    throw new CommandError(`Cannot use --compare ${words}: expected two versions, such as best,latest`, EXIT.usage);
  }
  const found = await versions.compare(whichOf(first), whichOf(second));
  if (json) {
    process.stdout.write(`${JSON.stringify(found, null, 1)}\n`);
    return;
  }
  const [a, b] = found.versions;
  const metrics = Object.entries(found.metrics).map(([name, [one, other]]) => [
    name,
    formatMetric(one),
    formatMetric(other),
  ]);
  const changed = found.weights.filter((weight) => weight.changed > 0);
  const lines = [formatTable(['', `step ${a.step}`, `step ${b.step}`], metrics, [1, 2])];
  lines.push(`${changed.length} of ${found.weights.length} weights differ`);
  if (changed.length > 0) {
    const rows = changed.map(({ name, changed: count, count: all, largest, rms }) => [
      name,
      `${((count / all) * 100).toFixed(1)} %`,
      formatValue(largest),
      formatValue(rms),
    ]);
    lines.push(formatTable(['weight', 'changed', 'most', 'root mean square'], rows, [1, 2, 3]));
  }
  for (const name of found.unmatched) lines.push(`${name} is in one of them alone, or has another shape`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
