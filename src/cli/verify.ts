import type { CompareWords } from './command-line.ts';
import { compareModels, formatDifference, formatWeights } from './compare-models.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { loadWithArchitecture } from './loading.ts';

/** `hornet verify A B`: whether two models are the same, and where they part. */
export async function verify(first: string, second: string, words: CompareWords): Promise<void> {
  const { architecture, tolerance, json } = words;
  const { model: a } = await loadWithArchitecture(first, architecture);
  const { model: b } = await loadWithArchitecture(second, architecture);
  const found = await compareModels(a, b, tolerance);
  process.stdout.write(`${json === true ? JSON.stringify(found, null, 1) : formatDifference(found)}\n`);
  const weights = found.weights.filter(({ largest }) => !(largest <= tolerance));
  const isSame =
    found.topology.length === 0 &&
    weights.length === 0 &&
    found.predictions !== undefined &&
    found.predictions.largest <= tolerance;
  if (!isSame) throw new CommandError(`"${first}" and "${second}" differ by more than ${tolerance}`, EXIT.different);
}

/** `hornet diff A B`: which weights changed, and how much. */
export async function diff(first: string, second: string, words: Omit<CompareWords, 'tolerance'>): Promise<void> {
  const { architecture, json } = words;
  const { model: a } = await loadWithArchitecture(first, architecture);
  const { model: b } = await loadWithArchitecture(second, architecture);
  const found = await compareModels(a, b);
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ topology: found.topology, weights: found.weights }, null, 1)}\n`);
    return;
  }
  const changed = found.weights.filter((weight) => weight.changed > 0).length;
  const lines = [...found.topology, `${changed} of ${found.weights.length} weights differ`];
  if (changed > 0) lines.push(formatWeights(found.weights));
  process.stdout.write(`${lines.join('\n')}\n`);
}
