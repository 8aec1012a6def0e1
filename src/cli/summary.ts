import type { WeightCompression } from '../index.ts';
import type { SummaryWords } from './command-line.ts';
import { formatBytes, formatTable, formatValue } from './format.ts';
import { describeLoaded, loadWithProgress } from './loading.ts';

/** Weights whose errors are listed. */
const MOST_ERRORS = 10;

/** `hornet summary MODEL`. */
export async function summarize(source: string, options: SummaryWords): Promise<void> {
  const { weightDtype } = options;
  const words = weightDtype === undefined ? {} : { weightDtype, verifyWeights: true };
  const loaded = await loadWithProgress(source, undefined, words);
  process.stderr.write(`${describeLoaded(loaded)}\n`);
  const table = loaded.model.summary({
    expandNested: options.nested ?? false,
    showTrainable: options.trainable ?? false,
  });
  process.stdout.write(`${table}\n`);
  const { weightCompression } = loaded.model;
  if (weightCompression !== undefined) process.stdout.write(`\n${formatCompression(weightCompression)}\n`);
}

/** What fewer bytes do to the weights, the worst of them, and to what is predicted. */
function formatCompression(compression: WeightCompression): string {
  const { dtype, bytes, float32Bytes, weights, outputDifference = 0, largestOutput = 0 } = compression;
  const worst = [...weights].sort((a, b) => b.largestError - a.largestError).slice(0, MOST_ERRORS);
  const rows = worst.map((each) => [each.weight, formatBytes(each.bytes), formatValue(each.largestError)]);
  return [
    `Weights as ${dtype}: ${formatBytes(bytes)} in place of ${formatBytes(float32Bytes)}, ${weights.length} compressed`,
    `Largest difference of an output from float32: ${formatValue(outputDifference)}, where the largest output is ` +
      formatValue(largestOutput),
    ...(rows.length === 0 ? [] : ['', formatTable(['weight', 'size', 'largest error'], rows, [1, 2])]),
  ].join('\n');
}
