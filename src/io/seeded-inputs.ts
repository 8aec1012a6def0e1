/** Inputs for a model that nobody knows: the same each time, with values that its first layers take. */
import { shapesEqual } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import type { Layer } from '../layers/layer.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { PredictOutputs } from '../model/predictor.ts';

const ROWS = 2;

/** What unknown extents become, in turn: an image may be too small for all the windows that go over it. */
const EXTENTS: readonly number[] = [8, 32, 128];

/** A model's inputs, and what it predicts for them. */
export interface SeededPrediction {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/**
 * Predicts on inputs that are the same each time, for a model of which none are at hand: floats between −1 and 1, indices
 * that its tables have, texts. Shapes are those of its inputs, with `rows` rows, and where they are open otherwise with the
 * first of `openExtents` that the model takes.
 *
 * ```ts
 * import { Dense, input, Model, predictSeeded } from 'hornet';
 *
 * const x = input({ shape: [4] });
 * const model = new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(x) });
 * const { inputs, outputs } = await predictSeeded(model, 3);
 *
 * expect(inputs[0]?.shape).toEqual([3, 4]);
 * expect(outputs[0]?.shape).toEqual([3, 2]);
 * ```
 *
 * @throws {ShapeError} when the model takes none of them.
 */
export async function predictSeeded(
  model: KerasModel,
  rows: number = ROWS,
  openExtents: readonly number[] = EXTENTS,
): Promise<SeededPrediction> {
  let failure: unknown;
  for (const extent of openExtents) {
    const inputs = seededInputs(model, rows, extent);
    try {
      return { inputs, outputs: tensorsOf(await model.predict<PredictOutputs>(inputs)) };
    } catch (error) {
      if (!(error instanceof ShapeError || error instanceof RangeError)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

/** One tensor for each input: floats between −1 and 1, indices that a table has, zeros and ones, words. */
function seededInputs(model: KerasModel, rows: number, unknown: number): Tensor[] {
  return model.inputs.map(({ shape, dtype }, place) => {
    const known = shape.map((extent, axis) => extent ?? (axis === 0 ? rows : unknown));
    const length = known.reduce((product, extent) => product * extent, 1);
    const draws = Float64Array.from({ length }, (_, index) => draw(index, place));
    const indices = tableRows(model, place);
    if (dtype === 'string') return new Tensor(known, dtype, Array.from(draws, wordsOf));
    if (dtype === 'bool') return new Tensor(known, dtype, Uint8Array.from(draws, Math.round));
    if (dtype === 'int32')
      return new Tensor(
        known,
        dtype,
        Int32Array.from(draws, (value) => value * (indices ?? 2)),
      );
    if (indices !== undefined) {
      return new Tensor(
        known,
        dtype,
        Float32Array.from(draws, (value) => Math.floor(value * indices)),
      );
    }
    return new Tensor(
      known,
      dtype,
      Float32Array.from(draws, (value) => 2 * value - 1),
    );
  });
}

/** A number from 0 to 1 that looks like chance. */
function draw(index: number, place: number): number {
  const wave = Math.sin((index + 1) * 12.9898 + place * 78.233) * 43_758.5453;
  return wave - Math.floor(wave);
}

const WORDS = ['the', 'cat', 'sat', 'on', 'a', 'mat', 'and', 'nothing', '1', '2'];

function wordsOf(value: number): string {
  const first = WORDS[Math.floor(value * 10)] as string;
  return `${first} ${WORDS[Math.floor(value * 100) % 10]}`;
}

/** How many rows the table has in which an input is looked up; `undefined` for an input that is none. */
function tableRows(model: KerasModel, place: number): number | undefined {
  const counts: number[] = [];
  const follow = (tensor: KerasTensor, calls: KerasModel['layerCalls']): void => {
    for (const { layer, inputs, outputs } of calls) {
      if (!inputs.includes(tensor)) continue;
      const { inputDim } = (layer as Layer).config as { inputDim?: unknown };
      if (typeof inputDim === 'number') counts.push(inputDim);
      // Their outputs have the numbers of their inputs; others would not be asked for indices.
      const isPassing = /^(Masking|Dropout|Reshape|Flatten|TimeDistributed|Cast)$/.test(layer.className);
      const inner = 'layerCalls' in layer ? (layer as unknown as KerasModel) : undefined;
      const entry = inner?.inputs[inputs.indexOf(tensor)];
      if (entry !== undefined && inner !== undefined) follow(entry, inner.layerCalls);
      if (isPassing) for (const output of outputs) follow(output, calls);
    }
  };
  follow(model.inputs[place] as KerasTensor, model.layerCalls);
  return counts.length === 0 ? undefined : Math.min(...counts);
}

/** The largest distance of two predictions; infinite where they differ in shape, or in what is no number. */
export function largestDifference(first: readonly Tensor[], second: readonly Tensor[]): number {
  if (first.length !== second.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const [place, a] of first.entries()) {
    const b = second[place] as Tensor;
    if (!shapesEqual(a.shape, b.shape) || a.dtype !== b.dtype) return Number.POSITIVE_INFINITY;
    for (let index = 0; index < a.data.length; index++) {
      const [x, y] = [a.data[index], b.data[index]];
      if (Object.is(x, y) || x === y) continue;
      const difference = Math.abs(Number(x) - Number(y));
      if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
  }
  return largest;
}

/** All tensors of a prediction, in order. */
export function tensorsOf(value: PredictOutputs): Tensor[] {
  if (value instanceof Tensor) return [value];
  return (Array.isArray(value) ? value : Object.values(value)).flatMap((part) => tensorsOf(part as PredictOutputs));
}
