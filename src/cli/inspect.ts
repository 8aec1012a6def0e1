import { type JsonObject, type JsonValue, type ModelArtifacts, readArtifacts, type WeightEntry } from '../index.ts';
import { formatBytes, formatCount, formatExtents, formatTable, formatValue } from './format.ts';
import { describeNumbers, type Statistics } from './results.ts';

/** Weights of all in all so many bytes are read for their statistics without being asked. */
const SMALL_BYTES = 1_000_000;

/** A layer of the configuration; layers of nested models follow their model, one level deeper. */
interface LayerRow {
  readonly name: string;
  readonly className: string;
  readonly depth: number;
}

interface WeightRow {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly statistics?: Statistics;
}

/** `hornet inspect MODEL`: reads the description of the model, and its weights only when they are asked for. */
export async function inspect(source: string, options: { stats?: boolean; json?: boolean }): Promise<void> {
  const artifacts = await readArtifacts(source);
  const entries = entriesOf(artifacts);
  const bytes = entries.reduce((sum, [, entry]) => sum + entry.storedBytes, 0);
  const weights: WeightRow[] = [];
  for (const [name, entry] of entries) {
    const row = { name, dtype: entry.dtype, shape: entry.shape, bytes: entry.storedBytes };
    const isRead = (options.stats ?? bytes <= SMALL_BYTES) && entry.dtype !== 'string';
    weights.push(isRead ? { ...row, statistics: await statisticsOf(entry) } : row);
  }
  const layers = artifacts.topology === undefined ? [] : layersOf(artifacts.topology, 0);
  process.stdout.write(`${options.json ? toJson(artifacts, layers, weights) : toText(artifacts, layers, weights)}\n`);
}

async function statisticsOf(entry: WeightEntry): Promise<Statistics> {
  const { data } = await entry.read();
  return describeNumbers(data as ArrayLike<number>);
}

/** The weights with names that are unique in the file. */
function entriesOf({ weights }: ModelArtifacts): [string, WeightEntry][] {
  switch (weights?.kind) {
    case 'named':
      return weights.entries.map((entry) => [entry.name, entry]);
    case 'layers':
      return [...weights.layers.flatMap(({ entries }) => entries), ...weights.topLevel].map((entry) => [
        entry.name,
        entry,
      ]);
    case 'paths':
      return [...weights.groups].flatMap(([path, { entries }]) =>
        [...entries].map(([key, entry]): [string, WeightEntry] => [`${path}/vars/${key}`, entry]),
      );
    default:
      return [];
  }
}

function layersOf(topology: JsonObject, depth: number): LayerRow[] {
  const model = isObject(topology.model_config) ? topology.model_config : topology;
  const { config } = model;
  const list: unknown = Array.isArray(config) ? config : isObject(config) ? config.layers : undefined;
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).flatMap((layer) => {
    const inner = isObject(layer.config) ? layer.config : {};
    const name = layer.name ?? inner.name ?? '';
    return [{ name: String(name), className: String(layer.class_name ?? ''), depth }, ...layersOf(layer, depth + 1)];
  });
}

function isObject(value: unknown): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toJson(artifacts: ModelArtifacts, layers: readonly LayerRow[], weights: readonly WeightRow[]): string {
  const { format, source, kerasVersion = null, backend = null, trainingConfig, metadata = {} } = artifacts;
  const isCompiled = trainingConfig !== undefined;
  const optimizerWeights = artifacts.optimizerWeights?.length ?? 0;
  return JSON.stringify(
    { format, source, kerasVersion, backend, isCompiled, optimizerWeights, metadata, layers, weights },
    null,
    1,
  );
}

function toText(artifacts: ModelArtifacts, layers: readonly LayerRow[], weights: readonly WeightRow[]): string {
  const { topology, optimizerWeights = [] } = artifacts;
  const bytes = weights.reduce((sum, row) => sum + row.bytes, 0);
  const numbers = weights.reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1), 0);
  const facts: [string, string | undefined][] = [
    ['file', artifacts.source],
    ['format', artifacts.format],
    ['Keras', artifacts.kerasVersion],
    ['backend', artifacts.backend],
    ['model', topology === undefined ? 'none, weights only' : describeModel(topology)],
    // Keras 3.12 and later write an empty configuration for a model that was never compiled.
    ['compiled', Object.keys(artifacts.trainingConfig ?? {}).length === 0 ? undefined : 'yes'],
    ['optimizer', optimizerWeights.length > 0 ? `${optimizerWeights.length} arrays of state` : undefined],
    ['weights', `${weights.length} arrays, ${formatCount(numbers)} numbers, ${formatBytes(bytes)}`],
    ...Object.entries(artifacts.metadata ?? {}).map(([key, value]): [string, string | undefined] => [
      key,
      value === null ? undefined : shorten(value),
    ]),
  ];
  const width = Math.max(...facts.map(([key]) => key.length));
  const parts = [
    facts.flatMap(([key, value]) => (value === undefined ? [] : [`${key.padEnd(width)}  ${value}`])).join('\n'),
  ];
  if (layers.length > 0) {
    const rows = layers.map(({ name, className, depth }) => ['  '.repeat(depth) + name, className]);
    parts.push(formatTable(['layer', 'class'], rows));
  }
  if (weights.length > 0) parts.push(formatWeights(weights));
  return parts.join('\n\n');
}

function formatWeights(weights: readonly WeightRow[]): string {
  const rows = weights.map(({ name, dtype, shape, bytes, statistics }) => [
    name,
    dtype,
    formatExtents(shape),
    formatBytes(bytes),
    ...(statistics === undefined
      ? []
      : [statistics.minimum, statistics.maximum, statistics.mean].map((value) => formatValue(value))),
  ]);
  const hasStatistics = weights.some(({ statistics }) => statistics !== undefined);
  const header = ['weight', 'dtype', 'shape', 'stored', ...(hasStatistics ? ['minimum', 'maximum', 'mean'] : [])];
  return formatTable(header, rows, [3, 4, 5, 6]);
}

function describeModel(topology: JsonObject): string {
  const model = isObject(topology.model_config) ? topology.model_config : topology;
  const name = isObject(model.config) ? model.config.name : undefined;
  return [model.class_name, typeof name === 'string' ? `"${name}"` : ''].join(' ').trim();
}

function shorten(value: JsonValue): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
