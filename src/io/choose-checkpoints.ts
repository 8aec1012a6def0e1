/** Which of a directory's versions is meant, which is best, and which stay. */
import { NotFoundError } from '../errors.ts';
import { nearestNames } from '../model/nearest-names.ts';
import { directionOf, isBetterBy, type MonitorMode } from '../training/callbacks/monitor.ts';
import type { CheckpointVersion, DamagedVersion } from './checkpoint-records.ts';

/** Which versions of a model stay when another one is saved. */
export interface CheckpointPolicy {
  /** How many of the last versions stay; all unless given, or one when `keepBest` is. The latest always stays. */
  readonly keep?: number;
  /** How many of the best versions stay besides; one unless given, when `keep` is. */
  readonly keepBest?: number;
  /** The metric that tells which is best; by default that of the versions that are there, else `val_loss`. */
  readonly monitor?: string;
  /** Which values of it are better; `auto`, unless given, goes by its name. */
  readonly mode?: MonitorMode;
}

/** Which version: `latest`, `best`, the number of its step, its name or its id. */
export type WhichCheckpoint = 'latest' | 'best' | number | (string & {});

const DEFAULT_MONITOR = 'val_loss';

/** Chooses among versions by a policy. */
export class CheckpointChoice {
  readonly #policy: CheckpointPolicy;

  /** @throws {RangeError} when an option is not what it may be. */
  constructor(policy: CheckpointPolicy) {
    for (const option of ['keep', 'keepBest'] as const) {
      const count = policy[option];
      const least = option === 'keep' ? 1 : 0;
      if (count === undefined || (Number.isSafeInteger(count) && count >= least)) continue;
      throw new RangeError(`Cannot create Checkpoints: ${option} is ${count}, expected a number of at least ${least}`);
    }
    // Says now, and not after the first epoch, when a name does not tell what is better.
    if (policy.monitor !== undefined) directionOf(policy.monitor, policy.mode ?? 'auto');
    this.#policy = policy;
  }

  /**
   * The version that is asked for.
   *
   * @param place where the versions are, for the message
   * @throws {NotFoundError} when there is none.
   */
  find(
    versions: readonly CheckpointVersion[],
    damaged: readonly DamagedVersion[],
    which: WhichCheckpoint,
    place: string,
  ): CheckpointVersion {
    const found =
      which === 'latest'
        ? versions.at(-1)
        : which === 'best'
          ? this.bestFirst(versions)[0]
          : typeof which === 'number'
            ? versions.findLast(({ step }) => step === which)
            : (versions.find(({ name }) => name === which) ?? versions.find(({ id }) => id === which));
    if (found !== undefined) return found;
    const known = versions.flatMap(({ id, name }) => (name === undefined ? [id] : [name, id]));
    const near = nearestNames(String(which), known);
    const { metric } = this.monitorOf(versions);
    const problem =
      which === 'best' && versions.length > 0
        ? `none of ${versions.length} versions has the metric "${metric}" as one number`
        : versions.length === 0
          ? 'there is no version'
          : typeof which === 'number'
            ? `there are the steps ${versions.map(({ step }) => step).join(', ')}`
            : `there is no version of that name${near.length === 0 ? '' : `; did you mean "${near[0]}"?`}`;
    const [first] = damaged;
    const more = first === undefined ? '' : `; ${damaged.length} are damaged: ${first.problem}`;
    throw new NotFoundError(`Cannot find checkpoint "${which}" of ${place}: ${problem}${more}`, String(which));
  }

  /** The metric by which versions are compared: what is asked for, else that of the last one. */
  monitorOf(versions: readonly CheckpointVersion[]): CheckpointVersion['monitor'] {
    const { monitor, mode = 'auto' } = this.#policy;
    const last = versions.at(-1)?.monitor;
    if (monitor === undefined && last !== undefined && mode === 'auto') return last;
    const metric = monitor ?? last?.metric ?? DEFAULT_MONITOR;
    return { metric, mode: directionOf(metric, mode) };
  }

  /** Those that have the metric as a number, the best first, of equals the earlier. */
  bestFirst(versions: readonly CheckpointVersion[]): CheckpointVersion[] {
    const { metric, mode } = this.monitorOf(versions);
    const isBetter = isBetterBy(metric, mode, 0);
    const measure = ({ metrics }: CheckpointVersion): number => {
      const value = metrics[metric];
      return typeof value === 'number' ? value : Number.NaN;
    };
    return versions
      .filter((version) => !Number.isNaN(measure(version)))
      .sort((a, b) => {
        if (isBetter(measure(a), measure(b))) return -1;
        return isBetter(measure(b), measure(a)) ? 1 : a.number - b.number;
      });
  }

  /** The ids of the versions that stay. */
  kept(versions: readonly CheckpointVersion[], added: CheckpointVersion): Set<string> {
    const { keep, keepBest } = this.#policy;
    const isReplaced = (version: CheckpointVersion): boolean =>
      version.number < added.number &&
      (version.name === undefined ? version.step === added.step : version.name === added.name);
    const present = versions.filter((version) => !isReplaced(version));
    if (keep === undefined && keepBest === undefined) return new Set(present.map(({ id }) => id));
    const named = present.filter(({ name }) => name !== undefined);
    const best = this.bestFirst(present).slice(0, keepBest ?? 1);
    return new Set([added, ...named, ...best, ...present.slice(-(keep ?? 1))].map(({ id }) => id));
  }
}
