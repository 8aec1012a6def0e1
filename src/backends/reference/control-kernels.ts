import { zeroData } from '../../array/dtype.ts';
import { philoxBlock } from '../../array/philox.ts';
import { formatShape, type Shape, shapesEqual, sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { BackendError } from '../../errors.ts';
import type { TensorSpec } from '../../graph/node.ts';
import type { OtherAttributes } from '../../graph/primitives.ts';
import { fill, inputOf, type Kernel, numbersOf, outputOf, splitAt } from './kernel.ts';

type ControlName = Exclude<keyof OtherAttributes, 'select' | 'cast'>;

/** Step `index` of a sequence: a copy without the leading axis. */
function stepOf(sequence: Tensor, index: number): Tensor {
  const shape = sequence.shape.slice(1);
  const size = sizeOf(shape);
  const data = (sequence.data as Float32Array).slice(index * size, (index + 1) * size);
  return new Tensor(shape, sequence.dtype, data);
}

/** Joins equal shapes along a new leading axis. */
function stack(steps: readonly Tensor[], spec: TensorSpec): Tensor {
  const data = zeroData(spec.dtype as 'float32', sizeOf(spec.shape));
  const size = sizeOf(spec.shape.slice(1));
  for (const [index, step] of steps.entries()) data.set(step.data as Float32Array, index * size);
  return new Tensor(spec.shape, spec.dtype, data);
}

function checkHostOutput(name: string, value: Tensor | undefined, spec: TensorSpec): Tensor {
  if (value === undefined || value.dtype !== spec.dtype || !shapesEqual(value.shape, spec.shape as Shape)) {
    const found = value === undefined ? 'nothing' : `${value.dtype}${formatShape(value.shape)}`;
    const expected = `${spec.dtype}${formatShape(spec.shape)}`;
    throw new BackendError(`Cannot run host function "${name}": found ${found}, expected ${expected}`, 'reference');
  }
  return value;
}

export const controlKernels: { readonly [K in ControlName]: Kernel<K> } = {
  // The evaluator gives the inputs of the graph before it runs a kernel, so one that is asked for was not declared.
  input: ({ attributes }) => {
    throw new BackendError(
      `Cannot run the graph: it reads input "${attributes.name}", which is not among its inputs`,
      'reference',
    );
  },
  parameter: ({ attributes }) => [attributes.variable.value],
  constant: ({ attributes }) => [attributes.value],
  iota: (call) => {
    const { extent, inner } = splitAt(call.attributes.shape, call.attributes.axis);
    return [fill(outputOf(call), (index) => Math.floor(index / inner) % extent)];
  },
  randomBits: (call) => {
    const [key, counter] = call.inputs.map((input) => Uint32Array.from(numbersOf(input))) as [Uint32Array, Uint32Array];
    const [keyLow, keyHigh, low, high] = [...key, ...counter] as [number, number, number, number];
    const block = new Int32Array(4);
    return [
      fill(outputOf(call), (index) => {
        if (index % 4 === 0) block.set(philoxBlock([index / 4, 0, low, high], [keyLow, keyHigh]));
        return block[index % 4] as number;
      }),
    ];
  },
  scan: (call) => {
    const { body, length, carryCount, sequenceCount, reverse } = call.attributes;
    const run = call.evaluatorOf(body);
    const sequences = call.inputs.slice(carryCount, carryCount + sequenceCount);
    const further = call.inputs.slice(carryCount + sequenceCount);
    const stacked = call.outputs.slice(carryCount).map((): Tensor[] => new Array<Tensor>(length));
    let carries = call.inputs.slice(0, carryCount);
    for (let count = 0; count < length; count++) {
      const step = reverse ? length - 1 - count : count;
      const results = run([...carries, ...sequences.map((sequence) => stepOf(sequence, step)), ...further]);
      carries = results.slice(0, carryCount);
      for (const [index, steps] of stacked.entries()) steps[step] = results[carryCount + index] as Tensor;
    }
    return [...carries, ...stacked.map((steps, index) => stack(steps, call.outputs[carryCount + index] as TensorSpec))];
  },
  host: (call) => {
    const { name, run } = call.attributes;
    const results = run(call.inputs.map((_, index) => inputOf(call, index)));
    return call.outputs.map((spec, index) => checkHostOutput(name, results[index], spec));
  },
};
