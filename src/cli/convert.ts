import { type KerasModel, type SaveFormat, type SaveOptions, type SaveReport, UnsupportedError } from '../index.ts';
import type { ConvertWords } from './command-line.ts';
import { compareModels, formatDifference } from './compare-models.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { formatBytes } from './format.ts';
import { describeLoaded, loadWithProgress } from './loading.ts';
import { nameOf } from './locations.ts';
import { showProgress } from './progress.ts';

/** Formats that hold no model but its weights; they are written by `saveWeights`. */
const WEIGHTS_ALONE: ReadonlySet<string> = new Set(['weights.h5', 'weights.json', 'h5-weights', 'safetensors', 'npz']);

/** `hornet convert IN OUT`. */
export async function convert(source: string, destination: string, words: ConvertWords): Promise<void> {
  const loaded = await loadWithProgress(words.architecture ?? source);
  const { model } = loaded;
  if (words.architecture !== undefined) await model.loadWeights(source);
  process.stderr.write(`${describeLoaded(loaded)}\n`);
  const started = performance.now();
  const { report, bytes } = await save(model, destination, words);
  const milliseconds = performance.now() - started;
  const lines = [`${destination}: ${report.format}, ${formatBytes(bytes)}, written in ${milliseconds.toFixed(0)} ms`];
  lines.push(...describeReport(report));
  process.stdout.write(`${lines.join('\n')}\n`);
  if (words.verify === true) await verifyWritten(model, destination, report.format);
}

async function save(
  model: KerasModel,
  destination: string,
  { format, quantize, shardSize, dropOptimizer }: ConvertWords,
): Promise<{ report: SaveReport; bytes: number }> {
  const progress = await showProgress(`Writing ${nameOf(destination)}`);
  let bytes = 0;
  const options: SaveOptions = {
    ...(format === undefined ? {} : { format: format as SaveFormat }),
    ...(quantize === undefined ? {} : { quantize }),
    ...(shardSize === undefined ? {} : { shardSize }),
    ...(dropOptimizer === true && model.compiled ? { includeOptimizer: false } : {}),
    onProgress: (fraction, { savedBytes }) => {
      bytes = savedBytes;
      progress.update(fraction, savedBytes);
    },
  };
  try {
    const isWeights = format !== undefined && WEIGHTS_ALONE.has(format);
    const report = isWeights ? await model.saveWeights(destination, options) : await model.save(destination, options);
    return { report, bytes };
  } finally {
    progress.stop();
  }
}

/** What readers have to know about the files. */
function describeReport(report: SaveReport): string[] {
  const lines: string[] = [];
  const list = (items: readonly string[] | undefined, text: string): void => {
    if (items !== undefined && items.length > 0) lines.push(`${text}: ${items.join('; ')}`);
  };
  list(report.omitted, 'not in it');
  list(report.needs, 'readers must be given');
  list(report.keras3Only, 'read by Keras 3 alone, because of');
  list(report.notInTensorflowJs, 'not for TensorFlow.js 4.22, because of');
  const [worst] = [...(report.quantized ?? [])].sort((a, b) => b.largestError - a.largestError);
  if (worst !== undefined) {
    const count = report.quantized?.length ?? 0;
    lines.push(
      `${count} weights quantized; the largest error is ${worst.largestError.toPrecision(3)}, of ${worst.weight}`,
    );
  }
  return lines;
}

/** Reads what was written, and compares it with the model. */
async function verifyWritten(model: KerasModel, destination: string, format: SaveFormat): Promise<void> {
  if (WEIGHTS_ALONE.has(format)) {
    throw new UnsupportedError(
      `Cannot verify "${destination}": it holds weights alone, expected a whole model`,
      `--verify of ${format}`,
    );
  }
  const { model: written } = await loadWithProgress(destination);
  const found = await compareModels(model, written);
  process.stdout.write(`${formatDifference(found)}\n`);
  if (found.predictions !== undefined && found.predictions.largest > 0) {
    const isExact = found.weights.every(({ largest }) => largest === 0);
    // Quantized weights predict something else, and what else was reported.
    if (isExact) throw new CommandError(`"${destination}" does not predict what "${model.name}" does`, EXIT.different);
  }
}
