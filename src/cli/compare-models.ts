/** Two models side by side: their layers, their weights, and what they predict on made-up inputs. */
import { type KerasModel, Model, predictSeeded, Tensor } from '../index.ts';
import { formatExtents, formatTable, formatValue } from './format.ts';

/** How a weight differs. */
export interface WeightDifference {
  readonly path: string;
  readonly shape: readonly number[];
  readonly largest: number;
  /** The largest difference as a part of the largest number of the first model's weight. */
  readonly relative: number;
  readonly changed: number;
  readonly count: number;
}

export interface ModelDifference {
  /** What the models' layers and weights do not share, in words. */
  readonly topology: readonly string[];
  /** The weights that both have, in the order of the first model. */
  readonly weights: readonly WeightDifference[];
  /** Absent where the models take different inputs. */
  readonly predictions: PredictionDifference | undefined;
}

export interface PredictionDifference {
  readonly largest: number;
  /** The first layer, in the order of the model, whose output differs by more than the tolerance. */
  readonly beginsAt: string | undefined;
}

/** @param tolerance differences of predictions up to it are rounding */
export async function compareModels(a: KerasModel, b: KerasModel, tolerance = 0): Promise<ModelDifference> {
  const topology = [...compareLayers(a, b), ...compareShapes(a, b)];
  return { topology, weights: compareWeights(a, b), predictions: await comparePredictions(a, b, tolerance) };
}

function compareLayers(a: KerasModel, b: KerasModel): string[] {
  const found: string[] = [];
  const others = new Map(b.layers.map((layer) => [layer.name, layer]));
  for (const layer of a.layers) {
    const other = others.get(layer.name);
    others.delete(layer.name);
    if (other === undefined) found.push(`layer "${layer.name}" (${layer.className}) is in the first model alone`);
    else if (other.className !== layer.className) {
      found.push(`layer "${layer.name}" is ${layer.className} in the first model, ${other.className} in the second`);
    }
  }
  for (const layer of others.values()) {
    found.push(`layer "${layer.name}" (${layer.className}) is in the second model alone`);
  }
  return found;
}

function compareShapes(a: KerasModel, b: KerasModel): string[] {
  const describe = ({ inputs, outputs }: KerasModel): string => {
    const shapes = (list: KerasModel['inputs']): string =>
      list.map(({ dtype, shape }) => dtype + formatExtents(shape)).join(' ');
    return `${shapes(inputs)} → ${shapes(outputs)}`;
  };
  return describe(a) === describe(b) ? [] : [`the first model is ${describe(a)}, the second ${describe(b)}`];
}

function compareWeights(a: KerasModel, b: KerasModel): WeightDifference[] {
  const others = new Map(b.weights.map((variable) => [variable.path, variable]));
  return a.weights.flatMap((variable) => {
    const other = others.get(variable.path);
    if (other === undefined || variable.shape.join() !== other.shape.join()) return [];
    return [{ path: variable.path, shape: variable.shape, ...compareNumbers(variable.value, other.value) }];
  });
}

/** Numbers of two tensors of one shape. */
function compareNumbers(a: Tensor, b: Tensor): Omit<WeightDifference, 'path' | 'shape'> {
  let [largest, greatest, changed] = [0, 0, 0];
  for (let index = 0; index < a.data.length; index++) {
    const [x, y] = [Number(a.data[index]), Number(b.data[index])];
    if (Object.is(x, y) || x === y) continue;
    changed++;
    largest = Math.max(largest, Number.isFinite(x - y) ? Math.abs(x - y) : Number.POSITIVE_INFINITY);
  }
  for (const value of a.data as Iterable<unknown>) greatest = Math.max(greatest, Math.abs(Number(value)) || 0);
  return { largest, relative: largest === 0 ? 0 : largest / greatest, changed, count: a.data.length };
}

async function comparePredictions(
  a: KerasModel,
  b: KerasModel,
  tolerance: number,
): Promise<PredictionDifference | undefined> {
  if (a.inputs.length !== b.inputs.length) return undefined;
  if (
    a.inputs.some(
      ({ shape, dtype }, index) => `${dtype}${shape}` !== `${b.inputs[index]?.dtype}${b.inputs[index]?.shape}`,
    )
  )
    return undefined;
  const { inputs, outputs } = await predictSeeded(a);
  const largest = largestDifference(outputs, await predictAll(b, inputs));
  return { largest, beginsAt: largest > tolerance ? await firstDifference(a, b, inputs, tolerance) : undefined };
}

async function predictAll(model: KerasModel, inputs: readonly Tensor[]): Promise<Tensor[]> {
  return flatten(await model.predict<never>(inputs));
}

function flatten(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return typeof result === 'object' && result !== null ? Object.values(result).flatMap(flatten) : [];
}

function largestDifference(a: readonly Tensor[], b: readonly Tensor[]): number {
  if (a.length !== b.length || a.some(({ shape }, index) => shape.join() !== b[index]?.shape.join())) {
    return Number.POSITIVE_INFINITY;
  }
  return Math.max(
    0,
    ...a.map((tensor, index) => {
      const other = b[index] as Tensor;
      if (tensor.dtype !== 'string') return compareNumbers(tensor, other).largest;
      return (tensor.data as readonly string[]).every((text, place) => text === other.data[place])
        ? 0
        : Number.POSITIVE_INFINITY;
    }),
  );
}

/** Runs both models up to each layer that they share, and finds the first that differs. */
async function firstDifference(
  a: KerasModel,
  b: KerasModel,
  inputs: readonly Tensor[],
  tolerance: number,
): Promise<string | undefined> {
  const shared = a.layers.filter(
    (layer) =>
      layer.className !== 'InputLayer' &&
      hasOneOutput(layer) &&
      b.layers.some(({ name, className }) => name === layer.name && className === layer.className),
  );
  for (const { name } of shared) {
    const [first, second] = [partOf(a, name), partOf(b, name)];
    if (largestDifference(await predictAll(first, inputs), await predictAll(second, inputs)) > tolerance) return name;
  }
  return undefined;
}

function hasOneOutput(layer: KerasModel['layers'][number]): boolean {
  try {
    return layer.output !== undefined;
  } catch {
    return false;
  }
}

function partOf(model: KerasModel, name: string): Model {
  return new Model({ inputs: model.inputs, outputs: model.getLayer(name).output });
}

/** A few lines for people. */
export function formatDifference({ topology, weights, predictions }: ModelDifference): string {
  const lines = topology.length === 0 ? ['layers: the same'] : [...topology];
  const changed = weights.filter(({ changed: count }) => count > 0);
  const worst = changed.reduce<WeightDifference | undefined>(
    (most, weight) => (most === undefined || weight.largest > most.largest ? weight : most),
    undefined,
  );
  lines.push(
    worst === undefined
      ? `weights: all ${weights.length} the same, to the bit`
      : `weights: ${changed.length} of ${weights.length} differ, most by ${formatValue(worst.largest)}: ${worst.path}`,
  );
  if (predictions === undefined) lines.push('predictions: not compared, the models take different inputs');
  else if (predictions.largest === 0) lines.push('predictions: the same, to the bit');
  else {
    const begins = predictions.beginsAt === undefined ? '' : `, beginning at layer "${predictions.beginsAt}"`;
    lines.push(`predictions: differ by at most ${formatValue(predictions.largest)}${begins}`);
  }
  return lines.join('\n');
}

/** A row for each weight that differs. */
export function formatWeights(weights: readonly WeightDifference[]): string {
  const rows = weights
    .filter(({ changed }) => changed > 0)
    .map(({ path, shape, largest, relative, changed, count }) => [
      path,
      formatExtents(shape),
      `${((changed / count) * 100).toFixed(1)} %`,
      formatValue(largest),
      `${(relative * 100).toPrecision(3)} %`,
    ]);
  return formatTable(['weight', 'shape', 'changed', 'most', 'of its largest'], rows, [2, 3, 4]);
}
