/** What a step of training is fed with: inputs, targets and weights, in the forms in which they can be given. */
import { formatShape } from '../array/shape.ts';
import type { NestedArray } from '../array/tensor.ts';
import { Tensor, tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import type { KerasModel, TensorStructure } from '../model/keras-model.ts';
import { type InputValue, isArrayValue, isRecord, type PredictInputs, readInputs } from '../model/read-inputs.ts';
import { sliceRows, takeRows } from '../model/rows.ts';
import { type ClassWeight, classWeights } from './class-weights.ts';

/** Values for each output: of the only one, or of several as a list or a record by output name. */
export type TargetValues = PredictInputs;

/** Inputs, targets and weights of some samples: a list of these, or a record. */
export type BatchLike =
  | readonly [x: PredictInputs, y?: TargetValues | null, sampleWeight?: TargetValues | null]
  | {
      readonly x: PredictInputs;
      readonly y?: TargetValues | null | undefined;
      readonly sampleWeight?: TargetValues | null | undefined;
    };

/** Samples as tensors: one for each input, one or none for each output. */
export interface Samples {
  readonly rows: number;
  readonly x: readonly Tensor[];
  readonly y: readonly (Tensor | undefined)[];
  readonly weights: readonly (Tensor | undefined)[];
}

/** Reads what a caller gave. */
export function readSamples(
  model: KerasModel,
  batch: BatchLike,
  action: string,
  classWeight?: ClassWeight | undefined,
): Samples {
  const { x: inputs, y: targets, sampleWeight } = asRecord(batch);
  const x = readInputs(model, inputs, action);
  const rows = x[0]?.shape[0] ?? 0;
  const y = readByOutput(model, targets, `${action}: targets`);
  const given = readByOutput(model, sampleWeight, `${action}: sample weights`);
  // One list of weights serves all outputs.
  const weights = given.length === 1 && y.length > 1 ? y.map(() => given[0]) : given;
  for (const [what, values] of [
    ['targets', y],
    ['sample weights', weights],
  ] as const) {
    for (const value of values) {
      if (value === undefined || value.shape[0] === rows) continue;
      throw new ShapeError(
        `Cannot ${action}: the ${what} have shape ${formatShape(value.shape)}, expected ${rows} rows as the inputs`,
      );
    }
  }
  if (classWeight === undefined) return { rows, x, y, weights: model.outputs.map((_, index) => weights[index]) };
  const [target] = y;
  if (y.length !== 1 || target === undefined) {
    throw new RangeError(`Cannot ${action} with classWeight: found ${y.length} outputs, expected one with targets`);
  }
  if (weights[0] !== undefined) {
    throw new RangeError(`Cannot ${action}: found both classWeight and sampleWeight, expected one of them`);
  }
  return { rows, x, y, weights: [classWeights(target, classWeight)] };
}

function asRecord(batch: BatchLike): {
  x: PredictInputs;
  y?: TargetValues | null | undefined;
  sampleWeight?: TargetValues | null | undefined;
} {
  if (!Array.isArray(batch)) return batch as Exclude<BatchLike, readonly unknown[]>;
  const [x, y, sampleWeight] = batch as readonly [PredictInputs, (TargetValues | null)?, (TargetValues | null)?];
  return { x, y, sampleWeight };
}

/** One value for each output; none of a record's outputs that it does not name. */
function readByOutput(
  model: KerasModel,
  values: TargetValues | null | undefined,
  action: string,
): (Tensor | undefined)[] {
  if (values === null || values === undefined) return model.outputs.map(() => undefined);
  if (isRecord(values)) {
    const names = outputNames(model);
    const unknown = Object.keys(values).filter((name) => !names.includes(name));
    if (unknown.length > 0) {
      throw new RangeError(`Cannot ${action}: found ${unknown.join(', ')}, expected ${names.join(', ')}`);
    }
    return names.map((name) => (values[name] === undefined ? undefined : toTensor(values[name] as InputValue)));
  }
  const count = model.outputs.length;
  const isList =
    Array.isArray(values) &&
    (values.some(isArrayValue) || (count > 1 && values.length === count && values.every(Array.isArray)));
  const list = isList ? (values as readonly InputValue[]) : [values as InputValue];
  if (list.length !== count && list.length !== 1) {
    throw new RangeError(`Cannot ${action}: found ${list.length} values, expected ${count}`);
  }
  return list.map(toTensor);
}

function toTensor(value: InputValue): Tensor {
  if (value instanceof Tensor) return value;
  return tensor(value as NestedArray);
}

/** A model whose outputs were given as a record has its keys for names, any other those of its output layers. */
export function outputNames(model: KerasModel): readonly string[] {
  const structure: TensorStructure<KerasTensor> = model.outputStructure;
  const isNamed = !Array.isArray(structure) && Object.getPrototypeOf(structure) === Object.prototype;
  return isNamed ? Object.keys(structure) : model.outputs.map(({ name }) => name);
}

/** Applies a function to each tensor. */
function mapSamples({ x, y, weights }: Samples, rows: number, map: (value: Tensor) => Tensor): Samples {
  const optional = (value: Tensor | undefined): Tensor | undefined => (value === undefined ? undefined : map(value));
  return { rows, x: x.map(map), y: y.map(optional), weights: weights.map(optional) };
}

/** Samples `start` to `stop`, without a copy. */
export function sliceSamples(samples: Samples, start: number, stop: number): Samples {
  if (start === 0 && stop === samples.rows) return samples;
  return mapSamples(samples, stop - start, (value) => sliceRows(value, start, stop));
}

/** The samples of some indices. */
export function takeSamples(samples: Samples, indices: ArrayLike<number>): Samples {
  return mapSamples(samples, indices.length, (value) => takeRows(value, indices));
}
