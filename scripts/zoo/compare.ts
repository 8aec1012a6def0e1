/** Runs a model on the inputs of an answer and compares what it gives. */
import { formatShape } from '../../src/array/shape.ts';
import { type Backend, type KerasModel, type PredictInputs, Tensor } from '../../src/index.ts';
import type { Answer, NamedArray } from './read-answers.ts';

export interface Comparison {
  readonly equal: boolean;
  /** The greatest absolute difference of two finite numbers. */
  readonly maxError: number;
  readonly reason: string | undefined;
}

/** |a − b| ≤ tolerance + tolerance · |b|. */
export interface Precision {
  readonly tolerance: number;
  readonly why: string;
}

/** How near an answer can be, by the narrowest float that took part in computing it. */
export function precisionOf(configuration: string, answer: Answer): Precision {
  const dtypes = `${configuration} ${answer.outputs.map(({ dtype }) => `"${dtype}"`).join(' ')}`;
  if (/"(?:mixed_)?bfloat16"/.test(dtypes)) return { tolerance: 4e-2, why: 'bfloat16' };
  if (/"(?:mixed_)?float16"/.test(dtypes)) return { tolerance: 1e-2, why: 'float16' };
  return { tolerance: 1e-4, why: 'float32' };
}

export async function compareWithAnswer(
  model: KerasModel,
  answer: Answer,
  precision: Precision,
  backend?: Backend,
): Promise<Comparison> {
  const result: unknown = await model.predict<Tensor>(arrangeInputs(model, answer.inputs), backend && { backend });
  const outputs = arrangeOutputs(result, answer.outputs);
  if (outputs.length !== answer.outputs.length) {
    return unequal(`the model has ${outputs.length} outputs, the answer ${answer.outputs.length}`);
  }
  let worst: Comparison = { equal: true, maxError: 0, reason: undefined };
  for (const [index, expected] of answer.outputs.entries()) {
    const found = compareTensors(outputs[index] as Tensor, expected.tensor, precision, answer.oracle ?? 'the answer');
    const maxError = Math.max(found.maxError, worst.maxError);
    worst = { equal: worst.equal && found.equal, maxError, reason: worst.reason ?? found.reason };
  }
  return worst;
}

/** By name when the names are those of the model, else in order. */
function arrangeInputs(model: KerasModel, inputs: readonly NamedArray[]): PredictInputs {
  if (inputs.length === 1 && inputs[0] !== undefined) return inputs[0].tensor;
  const { inputStructure } = model;
  if (typeof inputStructure === 'object' && !('shape' in inputStructure) && !Array.isArray(inputStructure)) {
    return Object.fromEntries(inputs.map(({ name, tensor }) => [name ?? '', tensor]));
  }
  const wanted = model.inputs.map(({ name }) => name);
  const byName = new Map(inputs.map(({ name, tensor }) => [name?.replace(/:\d+$/, ''), tensor]));
  if (wanted.every((name) => byName.has(name))) {
    return wanted.map((name) => byName.get(name) as Tensor);
  }
  return inputs.map(({ tensor }) => tensor);
}

function arrangeOutputs(result: unknown, expected: readonly NamedArray[]): Tensor[] {
  if (typeof result === 'object' && result !== null && !(result instanceof Tensor) && !Array.isArray(result)) {
    const record = result as Readonly<Record<string, unknown>>;
    const names = expected.map(({ name }) => name);
    if (names.every((name) => name !== undefined && Object.hasOwn(record, name))) {
      return names.flatMap((name) => tensorsIn(record[name as string]));
    }
  }
  return tensorsIn(result);
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(tensorsIn) : [];
}

function compareTensors(found: Tensor, expected: Tensor, { tolerance, why }: Precision, oracle: string): Comparison {
  if (found.data.length !== expected.data.length) {
    return unequal(`the output has shape ${formatShape(found.shape)}, expected ${formatShape(expected.shape)}`);
  }
  let maxError = 0;
  let firstBad = -1;
  let bad = 0;
  for (let index = 0; index < found.data.length; index++) {
    const a = found.data[index] as number | string;
    const b = expected.data[index] as number | string;
    if (isSame(a, b)) continue;
    const error = Math.abs(Number(a) - Number(b));
    if (Number.isFinite(error)) maxError = Math.max(maxError, error);
    if (error <= tolerance + tolerance * Math.abs(Number(b))) continue;
    bad++;
    if (firstBad < 0) firstBad = index;
  }
  if (bad === 0) return { equal: true, maxError, reason: undefined };
  const values = `${found.data[firstBad]} where ${expected.data[firstBad]} is expected`;
  const reason = `${bad} of ${found.data.length} values differ (${why}); element ${firstBad} is ${values} by ${oracle}`;
  return { equal: false, maxError, reason };
}

function isSame(a: number | string, b: number | string): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

function unequal(reason: string): Comparison {
  return { equal: false, maxError: Number.POSITIVE_INFINITY, reason };
}
