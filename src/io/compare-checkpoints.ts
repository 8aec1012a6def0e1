/** Two versions of a model side by side, without having either in memory. */
import type { Tensor } from '../array/tensor.ts';
import type { WeightEntry, Weights } from '../formats/artifacts.ts';
import type { CheckpointVersion } from './checkpoint-records.ts';
import { readArtifacts } from './read-artifacts.ts';
import type { StoredModel } from './source.ts';

/** How a weight differs between two versions. */
export interface CheckpointWeightDifference {
  /** Its name in the files. */
  readonly name: string;
  /** How many numbers differ, of how many. */
  readonly changed: number;
  readonly count: number;
  /** The largest difference, and the root of the mean of their squares. */
  readonly largest: number;
  readonly rms: number;
}

/** What two versions have and have not in common. */
export interface CheckpointComparison {
  readonly versions: readonly [CheckpointVersion, CheckpointVersion];
  /** The metrics that either has; `undefined` for the one that does not. */
  readonly metrics: Readonly<Record<string, readonly [MetricValue | undefined, MetricValue | undefined]>>;
  /** The weights that both have, in the order of the first. */
  readonly weights: readonly CheckpointWeightDifference[];
  /** The names of weights that only one has, or that differ in shape. */
  readonly unmatched: readonly string[];
}

type MetricValue = CheckpointVersion['metrics'][string];

interface Side {
  readonly version: CheckpointVersion;
  readonly place: StoredModel;
}

/** Reads the weights one pair after the other. */
export async function compareCheckpoints(a: Side, b: Side): Promise<CheckpointComparison> {
  const [first, second] = await Promise.all([a, b].map(async ({ place }) => entriesOf(await readArtifacts(place))));
  const others = new Map(second);
  const weights: CheckpointWeightDifference[] = [];
  const unmatched: string[] = [];
  for (const [name, entry] of first ?? []) {
    const other = others.get(name);
    others.delete(name);
    if (other === undefined || other.shape.join() !== entry.shape.join()) unmatched.push(name);
    else weights.push({ name, ...differenceOf(await entry.read(), await other.read()) });
  }
  unmatched.push(...others.keys());
  const names = new Set([...Object.keys(a.version.metrics), ...Object.keys(b.version.metrics)]);
  const metrics = Object.fromEntries(
    [...names].map((name) => [name, [a.version.metrics[name], b.version.metrics[name]] as const]),
  );
  return { versions: [a.version, b.version], metrics, weights, unmatched };
}

/** The arrays of a file by names that no two of them share. */
function entriesOf({ weights }: { readonly weights?: Weights }): ReadonlyMap<string, WeightEntry> {
  switch (weights?.kind) {
    case 'named':
      return new Map(weights.entries.map((entry) => [entry.name, entry]));
    case 'layers':
      return new Map(
        [...weights.layers.flatMap(({ entries }) => entries), ...weights.topLevel].map((entry) => [entry.name, entry]),
      );
    case 'paths':
      return new Map(
        [...weights.groups].flatMap(([path, { entries }]) =>
          [...entries].map(([key, entry]): [string, WeightEntry] => [`${path}/vars/${key}`, entry]),
        ),
      );
    default:
      return new Map();
  }
}

function differenceOf(a: Tensor, b: Tensor): Omit<CheckpointWeightDifference, 'name'> {
  const count = a.data.length;
  let [changed, largest, squares] = [0, 0, 0];
  for (let index = 0; index < count; index++) {
    const [x, y] = [a.data[index], b.data[index]];
    if (Object.is(x, y) || x === y) continue;
    changed++;
    const difference = Math.abs(Number(x) - Number(y));
    largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    squares += difference ** 2;
  }
  return { changed, count, largest, rms: count === 0 ? 0 : Math.sqrt(squares / count) };
}
