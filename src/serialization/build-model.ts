/** From the record of a file to a model, and to the plan of where its weights go. */
import type { PartialShape } from '../array/shape.ts';
import { FormatError, UnsupportedError } from '../errors.ts';
import type { JsonObject, ModelArtifacts, Weights } from '../formats/artifacts.ts';
import { decodeJsonObject } from '../formats/json.ts';
import { InputLayer } from '../layers/input-layer.ts';
import type { Layer } from '../layers/layer.ts';
import { KerasModel } from '../model/keras-model.ts';
import { Model } from '../model/model.ts';
import { breathe, breathing } from '../pause.ts';
import type { CustomObjects } from './custom-objects.ts';
import { CustomObjectError } from './custom-objects.ts';
import { Decoder } from './decoder.ts';
import { type Dialect, dialectOf, type NumbersOf } from './dialect.ts';
import { decodeModel } from './graph-decoder.ts';
import { isList, isObject } from './json-shapes.ts';
import { loadNeededCode } from './needed-code.ts';
import { emptyReport, type LoadReport } from './report.ts';
import { matchPaths } from './weights/match-paths.ts';
import type { MatchOptions, PlanItem } from './weights/plan.ts';

export interface BuiltModel {
  readonly model: KerasModel;
  /** The object that the file describes: the model, or a layer of the user's own that the model wraps. */
  readonly root: Layer;
  readonly dialect: Dialect;
  readonly report: LoadReport;
}

/**
 * Builds the model that a file describes, without its weights.
 *
 * @throws {CustomObjectError} when the file needs classes or functions that only its author has.
 * @throws {FormatError} when the file has no configuration, or one that does not hold together.
 */
export async function buildModel(
  artifacts: ModelArtifacts,
  customObjects: CustomObjects = {},
  numbersOf: NumbersOf = 'tensorflow',
): Promise<BuiltModel> {
  const { topology } = artifacts;
  if (topology === undefined) {
    throw new FormatError(
      `Cannot build a model from "${artifacts.source}": it holds weights alone; ` +
        'build the model, then call model.loadWeights',
      { file: artifacts.source },
    );
  }
  const report = emptyReport();
  report.format = artifacts.format;
  report.kerasVersion = artifacts.kerasVersion;
  const dialect = dialectOf(artifacts, numbersOf);
  await breathe();
  const code = await loadNeededCode(topology, dialect);
  await breathe();
  try {
    const root = await breathing(new Decoder(dialect, report, code, customObjects, decodeModel).steps(topology));
    const model = root instanceof KerasModel ? root : wrapLayer(root, topology);
    return { model, root, dialect, report };
  } catch (error) {
    throw withFile(error, artifacts.source);
  }
}

/** An error that says which file it is about. What is thrown by code of the user's own stays as it is. */
function withFile(error: unknown, file: string): unknown {
  if (!(error instanceof Error)) return error;
  const message = `Cannot load "${file}": ${error.message.replace(/^Cannot load /, '')}`;
  if (error instanceof CustomObjectError) return new CustomObjectError(message, error.needs);
  if (error instanceof UnsupportedError) return new UnsupportedError(message, error.feature);
  // Shapes that do not fit and numbers out of range are the configuration's, whichever layer or operation notices.
  const isOfConfiguration = error instanceof FormatError || error instanceof RangeError;
  if (!isOfConfiguration && !error.message.startsWith('Cannot create')) return error;
  return new FormatError(message, { file, cause: error });
}

/** A model around a layer of the user's own that stands for a whole model. */
function wrapLayer(layer: Layer, topology: JsonObject): KerasModel {
  const build = isObject(topology.build_config) ? topology.build_config.input_shape : undefined;
  if (!isList(build) || !build.every((extent) => extent === null || typeof extent === 'number')) {
    throw new FormatError(
      `Cannot build model "${layer.name}": the file does not tell the shape of its inputs ` +
        `(build_config is ${JSON.stringify(topology.build_config ?? null)})`,
    );
  }
  const start = new InputLayer({ batchShape: [null, ...(build as PartialShape).slice(1)] }).output;
  const outputs = layer.applyAll(start);
  const outputStructure = outputs.length === 1 ? (outputs[0] ?? []) : outputs;
  const model = new Model({ inputs: start, outputs: outputStructure, name: layer.name });
  model.weightsRoot = layer;
  return model;
}

/** Plans where the arrays of a file go; everything without a partner, or of another shape, goes to the report. */
export async function planWeights(
  root: Layer,
  weights: Weights,
  dialect: Dialect,
  options: MatchOptions,
  report: LoadReport,
): Promise<readonly PlanItem[]> {
  await breathe();
  const plan = await matchWeights(root, weights, dialect, options, report);
  await breathe();
  return plan.filter((item) => keepsShape(item, report));
}

/** Each kind of file is matched by rules of its own, which are loaded with the first such file. */
async function matchWeights(
  root: Layer,
  weights: Weights,
  dialect: Dialect,
  options: MatchOptions,
  report: LoadReport,
): Promise<readonly PlanItem[]> {
  if (weights.kind === 'paths') {
    if (!options.byName && !options.renames) return matchPaths(root, weights, report);
    const { namedPlaces, placeByName } = await import('./weights/place-by-name.ts');
    return matchPaths(root, weights, report, (places) =>
      placeByName(weights, namedPlaces(root, places), options, report),
    );
  }
  if (weights.kind === 'layers') {
    const { matchLayers } = await import('./weights/match-layers.ts');
    return matchLayers(root, weights, dialect, options, report);
  }
  const { matchNames } = await import('./weights/match-names.ts');
  return matchNames(root, weights, options, report);
}

/** A single array must have the weight's shape; what is converted is checked once it is read. */
function keepsShape({ variable, entries, convert }: PlanItem, report: LoadReport): boolean {
  const [entry] = entries;
  if (convert !== undefined || entry === undefined) return true;
  const { shape: expected } = variable;
  const fits = entry.shape.length === expected.length && expected.every((extent, axis) => extent === entry.shape[axis]);
  if (!fits) {
    report.mismatched.push({ weight: variable.path, source: entry.name, found: entry.shape, expected });
  }
  return fits;
}

export interface ModelFromJSONOptions {
  /** Classes and functions that only the author of the model has, by their names in the JSON. */
  readonly customObjects?: CustomObjects;
  /** The backend of Keras whose numbers are wanted, where they differ; TensorFlow's and JAX' unless given. */
  readonly numbersOf?: NumbersOf;
}

/**
 * Builds a model from Keras' JSON (`to_json()` of Python, or the configuration inside a file), with fresh weights. Keys
 * that Hornet does not know are in its `loadReport`.
 *
 * ```ts
 * import { modelFromJSON } from 'hornet';
 *
 * const model = await modelFromJSON({
 *   class_name: 'Sequential',
 *   config: { layers: [{ class_name: 'Dense', config: { units: 2, batch_input_shape: [null, 3] } }] },
 * });
 *
 * expect(model.outputShape).toEqual([null, 2]);
 * ```
 *
 * @throws {CustomObjectError} when it needs classes or functions that only its author has.
 */
export async function modelFromJSON(
  json: JsonObject | string,
  options: ModelFromJSONOptions = {},
): Promise<KerasModel> {
  const topology = typeof json === 'string' ? decodeJsonObject(json, 'JSON') : json;
  const { keras_version: version } = topology;
  const artifacts: ModelArtifacts = {
    format: 'keras',
    source: 'JSON',
    topology,
    ...(typeof version === 'string' ? { kerasVersion: version } : {}),
  };
  const { model, report } = await buildModel(artifacts, options.customObjects, options.numbersOf);
  model.loadReport = report;
  return model;
}
