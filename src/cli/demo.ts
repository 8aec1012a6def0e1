import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSamples } from './inputs.ts';
import { readLabels } from './labels.ts';
import { describeLoaded, loadWithProgress } from './loading.ts';
import { formatRanking, listOutputs, rankClasses } from './results.ts';
import { colourDepth, drawPicture } from './terminal-picture.ts';

/** The model that comes with Hornet, seen from `src/cli` as well as from `dist/node`. */
const FOLDER = fileURLToPath(new URL('../../models/digits', import.meta.url));
const TOP = 3;
const MAX_PICTURE_LINES = 4;

/** `hornet demo`: handwritten digits that the model has never seen, and what it makes of them. */
export async function demonstrate(program: string): Promise<void> {
  const file = join(FOLDER, 'digits.keras');
  const loaded = await loadWithProgress(file);
  const { model } = loaded;
  process.stdout.write(`${describeLoaded(loaded)}\n`);
  const labels = await readLabels(file, undefined);
  const names = (await readdir(join(FOLDER, 'samples'))).filter((name) => name.endsWith('.png')).sort();
  const samples = await readSamples(
    model,
    names.map((name) => join(FOLDER, 'samples', name)),
    undefined,
  );
  const times: number[] = [];
  for (const { name, inputs, picture } of samples) {
    const started = performance.now();
    const result: unknown = await model.predict(inputs);
    times.push(performance.now() - started);
    const [output] = listOutputs(result, ['digit']);
    const [ranking = []] = (output && rankClasses(output.tensor, TOP, labels)) ?? [];
    const drawn = picture === undefined ? [] : drawPicture(picture, 16, MAX_PICTURE_LINES, colourDepth());
    // The name of a sample begins with the digit that its writer meant.
    const verdict = ranking[0]?.label === name[0] ? 'right' : `wrong: it is a ${name[0]}`;
    const text = [`${name}, ${verdict}`, ...formatRanking(ranking)];
    const lines = text.map((line, index) => `  ${drawn[index] ?? ' '.repeat(picture?.width ?? 0)}   ${line}`);
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }
  process.stdout.write(`\n${describeTimes(times)}\n\n${nextSteps(program)}\n`);
}

function describeTimes([first = 0, ...others]: readonly number[]): string {
  const median = [...others].sort((a, b) => a - b)[Math.floor(others.length / 2)] ?? 0;
  return `First prediction, with compiling the model to WebAssembly: ${first.toFixed(1)} ms; the others: ${median.toFixed(2)} ms each.`;
}

function nextSteps(program: string): string {
  const model = relative(process.cwd(), join(FOLDER, 'digits.keras'));
  return [
    'Next:',
    `  ${program} predict MODEL INPUT…   your own .keras, .h5 or model.json (a file or a URL) on images, .npy, .json or .csv`,
    `  ${program} inspect ${model}   what the file holds`,
    `  ${program} summary ${model}   Keras' table of its layers`,
    `  ${program} --help`,
  ].join('\n');
}
