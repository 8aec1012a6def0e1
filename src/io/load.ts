/** Loading: a source to a model, or to the weights of a model that is there already. */

import type { WeightDtype } from '../array/narrow-array.ts';
import { UnsupportedError } from '../errors.ts';
import type { JsonObject, ModelArtifacts } from '../formats/artifacts.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { Model } from '../model/model.ts';
import { breathe } from '../pause.ts';
import { buildModel, planWeights } from '../serialization/build-model.ts';
import type { CustomObjects } from '../serialization/custom-objects.ts';
import { dialectOf, type NumbersOf } from '../serialization/dialect.ts';
import { emptyReport, isClean, type LoadReport, type ShapeMismatch } from '../serialization/report.ts';
import { missingAssets, readAssets } from '../serialization/weights/assets.ts';
import type { MatchOptions, PlanItem } from '../serialization/weights/plan.ts';
import { WeightAssembler } from '../serialization/weights/weight-assembler.ts';
import type { Arrival } from './compress-weights.ts';
import { type OnProgress, ProgressCounter } from './progress.ts';
import { type ReadOptions, readArtifacts, selectionCode } from './read-artifacts.ts';
import { EarlyReads, readWeights } from './read-weights.ts';
import { isAtHand, type LoadHandler, type ModelSource } from './source.ts';

/**
 * A smaller file is held in memory while it is loaded. Its metadata lie between the weights: in parts they would cost a
 * hundred requests, and as many bytes as they save.
 */
const WHOLE_BELOW_BYTES = 32 << 20;

/** What loading a model and loading weights have in common. */
interface CommonOptions {
  /** Whether anything that does not fit is an error; true unless given. */
  readonly strict?: boolean;
  readonly onProgress?: OnProgress;
  /** Gets the report of the load, also of one that fails for what the report says. */
  readonly onReport?: (report: LoadReport) => void;
  /**
   * Another name for a layer of the file, or for a weight where a file has them by name alone: a record or a function.
   * What gets the name of one of the model's goes there.
   */
  readonly rename?: Readonly<Record<string, string>> | ((name: string) => string);
  /** Leave out what does not fit, as `skip_mismatch` of Keras does; a file of which nothing fits is an error. */
  readonly skipMismatch?: boolean;
  /** The backend of Keras whose numbers are wanted, where they differ; TensorFlow's and JAX' unless given. */
  readonly numbersOf?: NumbersOf;
}

export interface LoadModelOptions extends CommonOptions, ReadOptions {
  /** Classes and functions that only the author of the file has, by their names in the file. */
  readonly customObjects?: CustomObjects;
  /**
   * Whether the model is compiled as the file says, when the file names a loss; true unless given. What that takes is
   * loaded when the model is first trained, the state of the optimizer too.
   */
  readonly compile?: boolean;
  /**
   * Whether the model is made ready to predict: true for batches of one row, or how many rows they will have. The program is
   * compiled while the weights arrive, and run once when they are there; the first prediction takes no longer than others.
   */
  readonly warmUp?: boolean | number;
  /**
   * Keeps large weights in fewer bytes, each from when it arrives: as halves (`float16`), or as 8-bit integers with one scale
   * for each output channel (`int8`). Such a model predicts; see `compressWeights` of models, and `weightCompression`.
   */
  readonly weightDtype?: WeightDtype;
  /**
   * With `weightDtype`: whether to predict with the float32 weights first and report in `weightCompression` by how much
   * outputs differ. All weights are in memory as float32 then, for a while.
   */
  readonly verifyWeights?: boolean;
}

export interface LoadWeightsOptions extends CommonOptions, Omit<ReadOptions, 'until' | 'exclude'> {
  /**
   * Match layers by name: what has no partner is left out on both sides, as `by_name` of Keras does. Layers of models
   * inside go by the names that lead to them (`base/conv`), and by their own where both sides have it once. A file of
   * which no name fits is an error.
   */
  readonly byName?: boolean;
}

/** The options of TensorFlow.js' function of this name. */
export interface LoadLayersModelOptions {
  readonly strict?: boolean;
  readonly onProgress?: (fraction: number) => void;
  readonly requestInit?: RequestInit;
  readonly fetchFunc?: typeof globalThis.fetch;
  readonly weightPathPrefix?: string;
  readonly weightUrlConverter?: (path: string) => Promise<string>;
  /** Has no effect: weights are always put in place as they arrive. */
  readonly streamWeights?: boolean;
}

/**
 * Loads a model from any file that Keras or TensorFlow.js wrote.
 *
 * What the load found is the model's `loadReport`. With `until`, the model ends at the output of the layer of that
 * name, and only the weights that it needs are fetched.
 *
 * @throws {LoadError} when, in strict mode, anything does not fit; it lists everything that does not.
 * @throws {CustomObjectError} when the file needs classes or functions that only its author has.
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<KerasModel> {
  const compressing = options.weightDtype && (await import('./compress-weights.ts')).compressingLoad(options);
  const progress = new ProgressCounter(options.onProgress);
  const isPart = options.until !== undefined || options.exclude !== undefined;
  const artifacts = await readArtifacts(
    source,
    { wholeBelow: isPart ? 0 : WHOLE_BELOW_BYTES, ...options },
    progress.listener,
  );
  const early = new EarlyReads();
  // What is read before it is known what it is for cannot be compressed when it arrives.
  if (artifacts.weights !== undefined && !isPart && !compressing && (await isAtHand(source))) {
    await early.start(artifacts.weights);
  }
  const { model, root, dialect, report } = await buildModel(artifacts, options.customObjects, options.numbersOf);
  const selection = await selectionCode(options);
  const wanted = artifacts.topology && selection?.selectLayers(artifacts.topology, options);
  let plan =
    artifacts.weights &&
    (await planWeights(root, artifacts.weights, dialect, await matchOptions(options, artifacts.topology), report));
  if (plan === undefined) for (const { path } of root.weights) report.missing.push(path);
  if (wanted !== undefined) plan = selection?.planOfLayers(model, wanted, plan, report);
  const giveAssets = await readAssets(root, artifacts);
  giveAssets();
  for (const { layer, path } of missingAssets(root)) if (wanted?.has(layer.name) !== false) report.missing.push(path);
  if (artifacts.trainingConfig?.loss && !isPart && options.compile !== false) {
    const { strict = true, customObjects = {} } = options;
    const { compileLoaded } = await import('./load-training.ts');
    compileLoaded(model, { artifacts, dialect, plan: plan ?? [], report, fill, strict, customObjects });
  }
  const warming = options.warmUp && (await import('./warm-up.ts')).startWarmUp(model, options, !compressing && !isPart);
  await fillWeights(artifacts, plan ?? [], report, options, progress, early, {
    ...compressing?.arrival(root),
    ...(warming ? warming.arrival : {}),
  });
  const wholeOrPart =
    options.until === undefined
      ? model
      : new Model({ inputs: model.inputs, outputs: model.getLayer(options.until).output, name: model.name });
  wholeOrPart.loadReport = report;
  wholeOrPart.userDefinedMetadata = artifacts.userDefinedMetadata;
  await compressing?.finish(wholeOrPart);
  if (warming) await warming.finish(wholeOrPart);
  if (!isPart) wholeOrPart.trainingLogs = await metricsOf(artifacts);
  return wholeOrPart;
}

/**
 * Loads a model as TensorFlow.js does, from a path, a URL or a load handler; any format is read.
 */
export async function loadLayersModel(
  pathOrIOHandler: string | LoadHandler,
  options: LoadLayersModelOptions = {},
): Promise<KerasModel> {
  const { fetchFunc, streamWeights: _, ...rest } = options;
  return await loadModel(pathOrIOHandler, { ...rest, ...(fetchFunc === undefined ? {} : { fetch: fetchFunc }) });
}

/**
 * Loads the weights of a file into a model that is there already. A load that fails leaves the model as it was. When the
 * model is compiled, its optimizer gets the state that the file has, if it is that of such an optimizer.
 *
 * @throws {LoadError} when, in strict mode, anything does not fit.
 */
export async function loadWeights(
  model: KerasModel,
  source: ModelSource,
  options: LoadWeightsOptions = {},
): Promise<LoadReport> {
  const progress = new ProgressCounter(options.onProgress);
  const artifacts = await readArtifacts(source, { wholeBelow: WHOLE_BELOW_BYTES, ...options }, progress.listener);
  if (artifacts.weights === undefined) {
    const feature = 'a file without weights';
    throw new UnsupportedError(`Cannot load weights from "${artifacts.source}": found ${feature}`, feature);
  }
  const report = emptyReport();
  report.format = artifacts.format;
  report.kerasVersion = artifacts.kerasVersion;
  const root = model.weightsRoot ?? model;
  const dialect = dialectOf(artifacts, options.numbersOf);
  const plan = await planWeights(
    root,
    artifacts.weights,
    dialect,
    await matchOptions(options, artifacts.topology),
    report,
  );
  const giveAssets = await readAssets(root, artifacts);
  await fillWeights(artifacts, plan, report, { ...options, beforeCommit: giveAssets }, progress);
  model.trainingLogs = await metricsOf(artifacts);
  if (artifacts.optimizerWeights !== undefined && model.compiled && options.byName !== true) {
    const { loadOptimizer } = await import('./load-training.ts');
    await loadOptimizer(model, { artifacts, dialect, plan, report, fill });
  }
  return report;
}

/** What was measured of the model before it was saved. */
async function metricsOf({ metadata }: ModelArtifacts): Promise<KerasModel['trainingLogs']> {
  if (!metadata?.metrics) return undefined;
  return (await import('./saved-metrics.ts')).decodeMetrics(metadata.metrics);
}

/** Reads the arrays of a plan and assigns them if all have the right shape; else gives those that have not. */
async function fill(plan: readonly PlanItem[]): Promise<readonly ShapeMismatch[]> {
  const report = emptyReport();
  const assembler = new WeightAssembler(plan, report);
  await readWeights(assembler.entries, { accept: (entry, tensor) => assembler.accept(entry, tensor) });
  assembler.checkShapes();
  if (report.mismatched.length === 0) assembler.commit();
  return report.mismatched;
}

async function matchOptions(
  options: CommonOptions & { readonly byName?: boolean },
  topology: JsonObject | undefined,
): Promise<MatchOptions> {
  const { byName = false, skipMismatch = false, rename = {} } = options;
  const renames = options.rename !== undefined;
  const names = typeof rename === 'function' ? undefined : new Map(Object.entries(rename));
  const renamed = typeof rename === 'function' ? rename : (name: string): string => names?.get(name) ?? name;
  const isByName = (byName || renames) && topology !== undefined;
  const fileLayerNames = isByName
    ? (await import('./select-layers.ts')).namesByPath(topology)
    : new Map<string, string>();
  return { byName, skipMismatch, rename: renamed, renames, fileLayerNames };
}

/** Reads the arrays of a plan and assigns them, unless something does not fit and that matters. */
async function fillWeights(
  artifacts: ModelArtifacts,
  plan: readonly PlanItem[],
  report: LoadReport,
  options: CommonOptions &
    Pick<ReadOptions, 'signal'> &
    Pick<LoadWeightsOptions, 'byName'> & { readonly beforeCommit?: () => void },
  progress: ProgressCounter,
  early?: EarlyReads,
  arrival: Arrival = {},
): Promise<void> {
  const { strict = true, byName = false, skipMismatch = false, signal, onReport } = options;
  for (const part of artifacts.ignoredParts ?? []) report.ignored.push(`"${part}" belongs to no layer`);
  const check = async (): Promise<void> => {
    // Where nothing at all fits, that is no matter of some layers more or less.
    const isLenient = (byName || skipMismatch) && plan.length > 0;
    const judged: LoadReport = {
      ...report,
      ...(isLenient ? { missing: [], unexpected: [] } : {}),
      ...(skipMismatch && isLenient ? { mismatched: [] } : {}),
    };
    if (!strict || isClean(judged)) return;
    onReport?.(report);
    const { LoadError } = await import('../serialization/load-error.ts');
    throw new LoadError(artifacts.source, report);
  };
  // Most of what can be wrong shows before a byte of the weights is fetched from far away.
  await check();
  await breathe();
  const assembler = new WeightAssembler(plan, report, arrival.keepAs, arrival.onAssigned);
  const entries = assembler.entries;
  progress.startWeights(entries.reduce((sum, entry) => sum + entry.storedBytes, 0));
  const arrived = early?.arrived();
  await readWeights(entries, {
    ...(signal === undefined ? {} : { signal }),
    ...(early === undefined ? {} : { early }),
    ...arrival,
    accept: (entry, tensor) => {
      assembler.accept(entry, tensor);
      // Bytes that came before this phase count now.
      if (arrived?.has(entry)) progress.deliver(entry.file, entry.storedBytes);
      progress.completeWeight(entry.name, entry.file);
    },
  });
  assembler.checkShapes();
  await check();
  // What can still fail comes before the first weight is assigned.
  options.beforeCommit?.();
  assembler.commit();
  progress.finish();
  onReport?.(report);
}
