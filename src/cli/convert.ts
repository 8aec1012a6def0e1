import type { SaveFormat, SaveReport } from '../index.ts';
import type { ConvertWords } from './command-line.ts';
import { formatBytes, formatValue } from './format.ts';
import { describeLoaded, loadWithArchitecture } from './loading.ts';
import { saveWithProgress } from './saving.ts';

/** `hornet convert IN OUT`. */
export async function convert(source: string, destination: string, words: ConvertWords): Promise<void> {
  const loaded = await loadWithArchitecture(source, words.architecture);
  process.stderr.write(`${describeLoaded(loaded)}\n`);
  const { format, quantize, shardSize, dropOptimizer = false, verify = false } = words;
  const { report, bytes, milliseconds } = await saveWithProgress(loaded.model, destination, {
    ...(format === undefined ? {} : { format: format as SaveFormat }),
    ...(quantize === undefined ? {} : { quantize }),
    ...(shardSize === undefined ? {} : { shardSize }),
    ...(dropOptimizer ? { includeOptimizer: false } : {}),
    verify,
  });
  const lines = [`${destination}: ${report.format}, ${formatBytes(bytes)}, written in ${milliseconds.toFixed(0)} ms`];
  lines.push(...describeReport(report));
  process.stdout.write(`${lines.join('\n')}\n`);
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
  if (report.verified !== undefined) {
    const { weightDifference, predictionDifference } = report.verified;
    lines.push(`weights: ${describeDifference(weightDifference)}`);
    lines.push(`predictions: ${describeDifference(predictionDifference)}`);
  }
  return lines;
}

function describeDifference(largest: number): string {
  return largest === 0 ? 'the same, to the bit' : `differ by at most ${formatValue(largest)}`;
}
