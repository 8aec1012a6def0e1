import type { PredictWords } from './command-line.ts';
import { readSamples, type Sample } from './inputs.ts';
import { type Labels, readLabels } from './labels.ts';
import { describeLoaded, loadWithProgress } from './loading.ts';
import { formatRanking, formatValues, listOutputs, type Output, rankClasses } from './results.ts';
import { colourDepth, drawPicture } from './terminal-picture.ts';

/** `hornet predict MODEL INPUT…`. */
export async function predict(source: string, locations: readonly string[], options: PredictWords): Promise<void> {
  const labels = await readLabels(source, options.labels);
  const { weightDtype } = options;
  const loaded = await loadWithProgress(source, undefined, weightDtype === undefined ? {} : { weightDtype });
  const { model } = loaded;
  process.stderr.write(`${describeLoaded(loaded)}\n`);
  const samples = await readSamples(model, locations, options.range);
  const json: unknown[] = [];
  for (const sample of samples) {
    const started = performance.now();
    const result: unknown = await model.predict(sample.inputs);
    const milliseconds = performance.now() - started;
    const outputs = listOutputs(
      result,
      model.outputs.map(({ name }) => name),
    );
    if (options.json) json.push(describeSample(sample, outputs, labels, options.top));
    else process.stdout.write(formatSample(sample, outputs, labels, options, milliseconds));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(json, null, 1)}\n`);
}

function describeSample({ name }: Sample, outputs: readonly Output[], labels: Labels | undefined, top: number): object {
  return {
    input: name,
    outputs: outputs.map((output) => {
      const { shape, dtype } = output.tensor;
      const ranking = rankClasses(output.tensor, top, labels);
      return {
        name: output.name,
        shape,
        dtype,
        data: output.tensor.toArray(),
        ...(ranking === undefined ? {} : { top: ranking }),
      };
    }),
  };
}

function formatSample(
  { name, picture }: Sample,
  outputs: readonly Output[],
  labels: Labels | undefined,
  { top, picture: isShown }: PredictWords,
  milliseconds: number,
): string {
  const lines = [`\n${name} (${milliseconds.toFixed(1)} ms)`];
  if (isShown && picture !== undefined) {
    lines.push(...drawPicture(picture, Math.min((process.stdout.columns || 80) - 2, 64), 20, colourDepth()));
  }
  for (const output of outputs) {
    if (outputs.length > 1) lines.push(`${output.name}:`);
    const rankings = rankClasses(output.tensor, top, labels);
    if (rankings === undefined) lines.push(...formatValues(output.tensor));
    for (const [row, ranking] of (rankings ?? []).entries()) {
      if ((rankings?.length ?? 0) > 1) lines.push(`row ${row}`);
      lines.push(...formatRanking(ranking));
    }
  }
  return `${lines.join('\n')}\n`;
}
