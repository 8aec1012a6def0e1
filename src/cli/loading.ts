import {
  FormatError,
  type KerasModel,
  type LoadModelOptions,
  type LoadReport,
  loadModel,
  type ModelSource,
} from '../index.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { formatBytes, formatCount } from './format.ts';
import { isUrl, nameOf } from './locations.ts';
import { showProgress } from './progress.ts';

/** A model, and what loading it was like. */
export interface LoadedModel {
  readonly model: KerasModel;
  readonly report: LoadReport | undefined;
  readonly milliseconds: number;
}

/** How the weights are kept in memory. */
export type WeightWords = Pick<LoadModelOptions, 'weightDtype' | 'verifyWeights'>;

/** Loads a model and shows how far it has come; what is no path or URL has a name. */
export async function loadWithProgress(source: string, name?: undefined, words?: WeightWords): Promise<LoadedModel>;
export async function loadWithProgress(source: ModelSource, name: string): Promise<LoadedModel>;
export async function loadWithProgress(
  source: ModelSource,
  name = nameOf(String(source)),
  words: WeightWords = {},
): Promise<LoadedModel> {
  const isRemote = typeof source === 'string' && isUrl(source);
  const progress = await showProgress(`${isRemote ? 'Fetching' : 'Loading'} ${name}`);
  const started = performance.now();
  let report: LoadReport | undefined;
  try {
    const model = await loadModel(source, {
      ...words,
      onProgress: (fraction, { loadedBytes }) => progress.update(fraction, loadedBytes),
      onReport: (found) => {
        report = found;
      },
    });
    return { model, report, milliseconds: performance.now() - started };
  } finally {
    progress.stop();
  }
}

/** Loads a model, or weights alone into the model that they are for. */
export async function loadWithArchitecture(source: string, architecture: string | undefined): Promise<LoadedModel> {
  try {
    const loaded = await loadWithProgress(architecture ?? source);
    if (architecture !== undefined) await loaded.model.loadWeights(source);
    return loaded;
  } catch (cause) {
    if (!(cause instanceof FormatError && cause.message.includes('it holds weights alone'))) throw cause;
    const advice = 'say with --architecture which model they are for';
    throw new CommandError(`Cannot load "${source}": it holds weights alone; ${advice}`, EXIT.badModel, cause);
  }
}

/** `digits: 10,970 parameters in 14 layers, written by Keras 3.15.1, loaded in 20 ms`. */
export function describeLoaded({ model, report, milliseconds }: LoadedModel): string {
  const version =
    report?.kerasVersion === undefined
      ? ''
      : `, written by ${/^\d/.test(report.kerasVersion) ? 'Keras ' : ''}${report.kerasVersion}`;
  const size = `${formatCount(model.countParams())} parameters in ${model.layers.length} layers`;
  const { weightCompression: kept } = model;
  const bytes = kept && `, ${formatBytes(kept.bytes)} as ${kept.dtype} in place of ${formatBytes(kept.float32Bytes)}`;
  return `${model.name}: ${size}${version}${bytes ?? ''}, loaded in ${milliseconds.toFixed(0)} ms`;
}
