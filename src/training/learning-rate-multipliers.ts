/** Factors on the learning rate, for some layers or weights. */
import type { Variable } from '../graph/variable.ts';
import type { Layer } from '../layers/layer.ts';
import { nearestNames } from '../model/nearest-names.ts';

/**
 * By the name or path of a layer, at any depth, or of a weight: `head`, `base/block_3`, `block_*`, `*_norm/gamma`. A star
 * stands for any part of a name. It holds for all that is inside; of several that match, the last decides.
 *
 * Or a function of the path of each weight, such as `base/conv/kernel`; `undefined` leaves the learning rate as it is.
 */
export type LearningRateMultipliers = Readonly<Record<string, number>> | ((path: string) => number | undefined);

/**
 * The factors of those weights that have one.
 *
 * @throws {RangeError} when a name matches nothing, with near names, or a factor is not a number of at least 0.
 */
export function learningRateMultipliers(
  model: Layer,
  multipliers: LearningRateMultipliers,
): ReadonlyMap<Variable, number> {
  const weights = weightPaths(model);
  const found = new Map<Variable, number>();
  const set = (variable: Variable, factor: number, name: string): void => {
    if (!(Number.isFinite(factor) && factor >= 0)) {
      throw new RangeError(
        `Cannot compile the model: the learning rate multiplier of "${name}" is ${factor}, expected a number of at least 0`,
      );
    }
    found.set(variable, factor);
  };
  if (typeof multipliers === 'function') {
    for (const { variable, path } of weights) {
      const factor = multipliers(path);
      if (factor !== undefined) set(variable, factor, path);
    }
    return found;
  }
  for (const [name, factor] of Object.entries(multipliers)) {
    const pattern = patternOf(name);
    const matching = weights.filter(({ path }) => pattern.test(`/${path}/`));
    if (matching.length === 0) throw unknownName(name, weights);
    for (const { variable } of matching) set(variable, factor, name);
  }
  return found;
}

interface WeightPath {
  readonly variable: Variable;
  readonly path: string;
}

/** Every weight by its path below the model: by each path, where it has several. */
function weightPaths(model: Layer): readonly WeightPath[] {
  const found: WeightPath[] = [];
  const visit = (layer: Layer, prefix: string): void => {
    for (const variable of layer.ownWeights) found.push({ variable, path: prefix + variable.name });
    for (const child of layer.children) visit(child, `${prefix}${child.name}/`);
  };
  visit(model, '');
  return found;
}

/** Matches whole names between slashes, anywhere in a path that has slashes around it. */
function patternOf(name: string): RegExp {
  const escaped = name.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
  return new RegExp(`/${escaped}/`);
}

function unknownName(name: string, weights: readonly WeightPath[]): RangeError {
  const names = new Set(weights.flatMap(({ path }) => path.split('/').map((_, end, parts) => parts.slice(0, end + 1))));
  const known = new Set([...names].flatMap((parts) => [parts.join('/'), parts.at(-1) as string]));
  const near = nearestNames(name, [...known]).map((each) => `"${each}"`);
  const hint = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
  return new RangeError(
    `Cannot compile the model: found no layer or weight "${name}" for a learning rate multiplier${hint}`,
  );
}
