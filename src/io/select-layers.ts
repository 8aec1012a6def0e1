/** Which layers of a model are needed, told by its configuration before any of their weights is looked at. */

import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { isJsonObject, objectAt, stringAt } from '../formats/json.ts';
import type { WantsPath } from '../formats/keras/path-weights.ts';
import { snakeCaseOf } from '../layers/keras-object.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { LoadReport } from '../serialization/report.ts';
import type { PlanItem } from '../serialization/weights/plan.ts';

/** The part of a model that is wanted. */
export interface LayerSelection {
  /** The name of a layer of the model: only it and the layers that lead to it are wanted. */
  readonly until?: string;
  /** Names of layers that are not wanted, or a function that tells. */
  readonly exclude?: readonly string[] | ((layerName: string) => boolean);
}

/** What a plan has for the wanted layers of a model. What the others miss is not missing. */
export function planOfLayers(
  model: KerasModel,
  wanted: ReadonlySet<string>,
  plan: readonly PlanItem[] | undefined,
  report: LoadReport,
): readonly PlanItem[] | undefined {
  const layers = model.layers.filter((layer) => wanted.has(layer.name));
  const chosen = new Set(layers.flatMap((layer) => layer.weights));
  const paths = new Set([...chosen].map((variable) => variable.path));
  const missing = report.missing.filter((path) => paths.has(path));
  report.ignored.push(`${report.missing.length - missing.length} weights of layers that were not asked for`);
  report.missing.splice(0, Number.POSITIVE_INFINITY, ...missing);
  return plan?.filter(({ variable }) => chosen.has(variable));
}

/**
 * The names of the wanted layers of a model, of the outermost level; `undefined` when all are.
 *
 * @throws {RangeError} when the model has no layer of the name `until`.
 */
export function selectLayers(topology: JsonObject, selection: LayerSelection): ReadonlySet<string> | undefined {
  const { until, exclude } = selection;
  if (until === undefined && exclude === undefined) return undefined;
  const layers = layersOf(topology);
  const names = layers.map(nameOf);
  let wanted = new Set(names);
  if (until !== undefined) {
    const last = names.indexOf(until);
    if (last < 0) throw new RangeError(`Cannot load the model until "${until}": it has no layer of that name`);
    const hasNodes = layers.some((layer) => layer.inbound_nodes !== undefined);
    wanted = hasNodes ? ancestors(layers, until) : new Set(names.slice(0, last + 1));
  }
  const isExcluded = typeof exclude === 'function' ? exclude : (name: string) => exclude?.includes(name) ?? false;
  for (const name of names) if (isExcluded(name)) wanted.delete(name);
  return wanted;
}

/** Classes of Keras without weights. For each of their layers a file has a group all the same, empty but not free to read. */
const WEIGHTLESS =
  /^(?:InputLayer|Activation|(?:Leaky|Thresholded)?ReLU|ELU|Softmax|Add|Subtract|Multiply|Average|Maximum|Minimum|Concatenate|Dot|Flatten|Reshape|Permute|RepeatVector|Masking|Identity|Rescaling|(?:Cropping|ZeroPadding|UpSampling|(?:Global)?(?:Max|Average)Pooling)[123]D)$/;

/**
 * Those of the wanted layers for which there is anything to read; `undefined` when all layers are wanted. A layer of
 * another's class, whatever it is called, is among them.
 */
export function layersToRead(topology: JsonObject, selection: LayerSelection): ReadonlySet<string> | undefined {
  const wanted = selectLayers(topology, selection);
  if (wanted === undefined) return undefined;
  const isWeightless = (layer: JsonObject): boolean =>
    WEIGHTLESS.test(stringAt(layer, 'class_name') ?? '') &&
    stringAt(layer, 'registered_name') === undefined &&
    /^(?:tf_)?keras\b|^$/.test(stringAt(layer, 'module') ?? '');
  const weightless = new Set(layersOf(topology).filter(isWeightless).map(nameOf));
  return new Set([...wanted].filter((name) => !weightless.has(name)));
}

/**
 * The paths under which Keras 3 saves the wanted layers: `layers/dense_2` is the third layer of class Dense, whatever its
 * name is.
 */
export function pathsOfLayers(topology: JsonObject, wanted: ReadonlySet<string>): ReadonlySet<string> {
  const found = [...namesByPath(topology)].filter(([, name]) => wanted.has(name));
  return new Set(found.map(([path]) => path));
}

/** Which paths of a file of Keras 3 are wanted; `undefined` when all are. */
export function wantedPaths(topology: JsonObject, selection: LayerSelection): WantsPath | undefined {
  const layers = layersToRead(topology, selection);
  if (layers === undefined) return undefined;
  const paths = pathsOfLayers(topology, layers);
  return (path) => {
    const [first, second] = path.split('/');
    if (first === '' || first === undefined) return true;
    return first === 'layers' && (second === undefined || paths.has(`layers/${second}`));
  };
}

/** The names of a model's layers, by the paths under which Keras 3 saves them. */
export function namesByPath(topology: JsonObject): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  const names = new Map<string, string>();
  for (const layer of layersOf(topology)) {
    if (isOperation(layer)) continue;
    const kind = snakeCaseOf(stringAt(layer, 'class_name') ?? '');
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    names.set(`layers/${count === 0 ? kind : `${kind}_${count}`}`, nameOf(layer));
  }
  return names;
}

function layersOf(topology: JsonObject): JsonObject[] {
  const config = topology.config;
  // Keras 1 and early Keras 2 wrote the configuration of a Sequential as the list of its layers.
  const layers = Array.isArray(config) ? config : isJsonObject(config) ? config.layers : undefined;
  return Array.isArray(layers) ? layers.filter(isJsonObject) : [];
}

function nameOf(layer: JsonObject): string {
  return stringAt(layer, 'name') ?? stringAt(objectAt(layer, 'config') ?? {}, 'name') ?? '';
}

/** Keras lists operations such as `x + y` among the layers of a configuration, but saves nothing for them. */
function isOperation(layer: JsonObject): boolean {
  return /^keras\.(?:src\.)?ops\b/.test(stringAt(layer, 'module') ?? '');
}

/** A layer and all that lead to it. */
function ancestors(layers: readonly JsonObject[], name: string): Set<string> {
  const byName = new Map(layers.map((layer) => [nameOf(layer), layer]));
  const found = new Set<string>();
  const pending = [name];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const layer = byName.get(next);
    if (layer === undefined || found.has(next)) continue;
    found.add(next);
    collectReferences(layer.inbound_nodes ?? [], byName, pending);
  }
  return found;
}

/**
 * Finds the layers that a list of nodes refers to: as `[name, node, tensor, …]` in Keras 2, as the history of a tensor in
 * Keras 3.
 */
function collectReferences(value: JsonValue, layers: ReadonlyMap<string, JsonObject>, into: string[]): void {
  if (Array.isArray(value)) {
    const [name, node, tensor] = value;
    const isReference = typeof name === 'string' && typeof node === 'number' && typeof tensor === 'number';
    if (isReference && layers.has(name)) into.push(name);
    for (const item of value) collectReferences(item as JsonValue, layers, into);
  } else if (isJsonObject(value)) {
    for (const item of Object.values(value)) collectReferences(item, layers, into);
  }
}
