/** Shape and dtype of each primitive's outputs: the first check that anything traced has to pass. */
import type { Dtype } from '../array/dtype.ts';
import { formatShape, type Shape, shapesEqual, sizeOf } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import type { TensorSpec } from './node.ts';
import type {
  BinaryName,
  CompareName,
  ConvolveAttributes,
  CumulativeName,
  PoolAttributes,
  PrimitiveAttributes,
  PrimitiveName,
  UnaryName,
} from './primitives.ts';
import { convolveShape, poolShape } from './window.ts';

export type ShapeRule<K extends PrimitiveName> = (
  inputs: readonly TensorSpec[],
  attributes: PrimitiveAttributes[K],
) => readonly TensorSpec[];

function fail(primitive: string, found: readonly TensorSpec[], expected: string): never {
  const inputs = found.map((spec) => `${spec.dtype}${formatShape(spec.shape)}`).join(', ');
  throw new ShapeError(`Cannot apply ${primitive}: found ${inputs || 'no inputs'}, expected ${expected}`);
}

function check(condition: boolean, primitive: string, found: readonly TensorSpec[], expected: string): void {
  if (!condition) fail(primitive, found, expected);
}

function first(inputs: readonly TensorSpec[], primitive: string): TensorSpec {
  return inputs[0] ?? fail(primitive, inputs, 'an input');
}

function elementwise(primitive: string, dtypes: readonly Dtype[], count: number, output?: Dtype) {
  return (inputs: readonly TensorSpec[]): readonly TensorSpec[] => {
    const spec = first(inputs, primitive);
    const fits =
      inputs.length === count &&
      inputs.every((other) => shapesEqual(other.shape, spec.shape) && other.dtype === spec.dtype) &&
      dtypes.includes(spec.dtype);
    check(fits, primitive, inputs, `${count} of one shape and of dtype ${dtypes.join(' or ')}`);
    return [{ shape: spec.shape, dtype: output ?? spec.dtype }];
  };
}

function unary<K extends UnaryName>(primitive: K, dtypes: readonly Dtype[] = ['float32']): ShapeRule<K> {
  return elementwise(primitive, dtypes, 1);
}

function binary<K extends BinaryName>(primitive: K, dtypes: readonly Dtype[] = ['float32', 'int32']): ShapeRule<K> {
  return elementwise(primitive, dtypes, 2);
}

function compare<K extends CompareName>(primitive: K): ShapeRule<K> {
  return elementwise(primitive, ['float32', 'int32', 'bool'], 2, 'bool');
}

function reduce<K extends 'sum' | 'product' | 'max' | 'min'>(primitive: K, dtypes: readonly Dtype[]): ShapeRule<K> {
  return (inputs, attributes) => {
    const axes: readonly number[] = attributes.axes;
    const spec = first(inputs, primitive);
    const sorted = axes.every((axis, index) => index === 0 || (axes[index - 1] as number) < axis);
    const within = axes.every((axis) => axis >= 0 && axis < spec.shape.length);
    check(sorted && within, primitive, inputs, `sorted axes of the input, not [${axes.join(', ')}]`);
    check(dtypes.includes(spec.dtype), primitive, inputs, `dtype ${dtypes.join(' or ')}`);
    return [{ shape: spec.shape.filter((_, axis) => !axes.includes(axis)), dtype: spec.dtype }];
  };
}

function argReduce<K extends 'argMax' | 'argMin'>(primitive: K): ShapeRule<K> {
  return (inputs, { axis }) => {
    const spec = first(inputs, primitive);
    check((spec.shape[axis] ?? 0) > 0, primitive, inputs, `at least one element along axis ${axis}`);
    return [{ shape: spec.shape.filter((_, other) => other !== axis), dtype: 'int32' }];
  };
}

function cumulative<K extends CumulativeName>(primitive: K): ShapeRule<K> {
  return (inputs, { axis }) => {
    const spec = first(inputs, primitive);
    check(axis >= 0 && axis < spec.shape.length, primitive, inputs, `an input with an axis ${axis}`);
    check(spec.dtype === 'float32' || spec.dtype === 'int32', primitive, inputs, 'float32 or int32');
    return [spec];
  };
}

/** A primitive that gives an input's shape back, or one from its attributes: gradients. */
function floats(primitive: string, count: number, inputs: readonly TensorSpec[]): void {
  const fits = inputs.length === count && inputs.every((spec) => spec.dtype === 'float32');
  check(fits, primitive, inputs, `${count} of dtype float32`);
}

function gradientOf(
  primitive: string,
  inputs: readonly TensorSpec[],
  dy: TensorSpec,
  forward: Shape,
  result: Shape,
): readonly TensorSpec[] {
  check(shapesEqual(dy.shape, forward), primitive, inputs, `a gradient of shape ${formatShape(forward)}`);
  return [{ shape: result, dtype: 'float32' }];
}

const convolve = (x: Shape, kernel: Shape, attributes: ConvolveAttributes): Shape =>
  convolveShape(x, kernel, attributes);
const pool = (x: Shape, attributes: PoolAttributes): Shape => poolShape(x, attributes);

function pooling<K extends 'maxPool' | 'averagePool'>(primitive: K): ShapeRule<K> {
  return (inputs, attributes) => {
    floats(primitive, 1, inputs);
    return [{ shape: pool(first(inputs, primitive).shape, attributes), dtype: 'float32' }];
  };
}

/** The shape rule of each primitive. */
export const shapeRules: { readonly [K in PrimitiveName]: ShapeRule<K> } = {
  negate: unary('negate', ['float32', 'int32']),
  absolute: unary('absolute', ['float32', 'int32']),
  sign: unary('sign', ['float32', 'int32']),
  exp: unary('exp'),
  expm1: unary('expm1'),
  log: unary('log'),
  log1p: unary('log1p'),
  sqrt: unary('sqrt'),
  rsqrt: unary('rsqrt'),
  sin: unary('sin'),
  cos: unary('cos'),
  tan: unary('tan'),
  asin: unary('asin'),
  acos: unary('acos'),
  atan: unary('atan'),
  sinh: unary('sinh'),
  cosh: unary('cosh'),
  tanh: unary('tanh'),
  asinh: unary('asinh'),
  acosh: unary('acosh'),
  atanh: unary('atanh'),
  erf: unary('erf'),
  sigmoid: unary('sigmoid'),
  floor: unary('floor'),
  ceil: unary('ceil'),
  round: unary('round'),
  relu: unary('relu'),
  stopGradient: unary('stopGradient'),

  add: binary('add'),
  subtract: binary('subtract'),
  multiply: binary('multiply'),
  divide: binary('divide', ['float32']),
  floorDivide: binary('floorDivide'),
  remainder: binary('remainder'),
  power: binary('power'),
  maximum: binary('maximum'),
  minimum: binary('minimum'),
  atan2: binary('atan2', ['float32']),

  equal: compare('equal'),
  notEqual: compare('notEqual'),
  less: compare('less'),
  lessEqual: compare('lessEqual'),
  greater: compare('greater'),
  greaterEqual: compare('greaterEqual'),

  logicalAnd: elementwise('logicalAnd', ['bool'], 2),
  logicalOr: elementwise('logicalOr', ['bool'], 2),
  logicalXor: elementwise('logicalXor', ['bool'], 2),
  logicalNot: elementwise('logicalNot', ['bool'], 1),

  sum: reduce('sum', ['float32', 'int32']),
  product: reduce('product', ['float32', 'int32']),
  max: reduce('max', ['float32', 'int32', 'bool']),
  min: reduce('min', ['float32', 'int32', 'bool']),
  argMax: argReduce('argMax'),
  argMin: argReduce('argMin'),

  cumulativeSum: cumulative('cumulativeSum'),
  cumulativeProduct: cumulative('cumulativeProduct'),
  cumulativeMax: cumulative('cumulativeMax'),
  cumulativeMin: cumulative('cumulativeMin'),

  dot: (inputs, { transposeLeft, transposeRight }) => {
    floats('dot', 2, inputs);
    const [left, right] = inputs.map((spec) => spec.shape) as [Shape, Shape];
    const ndim = left.length;
    const batch = left.slice(0, -2);
    const matches = ndim >= 2 && right.length === ndim && shapesEqual(batch, right.slice(0, -2));
    check(matches, 'dot', inputs, 'two of one rank, at least 2, with equal leading axes');
    const [m, k] = order(left, transposeLeft);
    const [k2, n] = order(right, transposeRight);
    check(k === k2, 'dot', inputs, `equal inner extents, not ${k} and ${k2}`);
    return [{ shape: [...batch, m, n], dtype: 'float32' }];
  },
  convolve: (inputs, attributes) => {
    floats('convolve', 2, inputs);
    const [x, kernel] = inputs as [TensorSpec, TensorSpec];
    return [{ shape: convolve(x.shape, kernel.shape, attributes), dtype: 'float32' }];
  },
  convolveInputGradient: (inputs, attributes) => {
    floats('convolveInputGradient', 2, inputs);
    const [dy, kernel] = inputs as [TensorSpec, TensorSpec];
    const forward = convolve(attributes.inputShape, kernel.shape, attributes);
    return gradientOf('convolveInputGradient', inputs, dy, forward, attributes.inputShape);
  },
  convolveFilterGradient: (inputs, attributes) => {
    floats('convolveFilterGradient', 2, inputs);
    const [x, dy] = inputs as [TensorSpec, TensorSpec];
    const forward = convolve(x.shape, attributes.kernelShape, attributes);
    return gradientOf('convolveFilterGradient', inputs, dy, forward, attributes.kernelShape);
  },

  maxPool: pooling('maxPool'),
  averagePool: pooling('averagePool'),
  maxPoolGradient: (inputs, attributes) => {
    floats('maxPoolGradient', 3, inputs);
    const [x, , dy] = inputs as [TensorSpec, TensorSpec, TensorSpec];
    return gradientOf('maxPoolGradient', inputs, dy, pool(x.shape, attributes), x.shape);
  },
  averagePoolGradient: (inputs, attributes) => {
    floats('averagePoolGradient', 1, inputs);
    const dy = first(inputs, 'averagePoolGradient');
    const forward = pool(attributes.inputShape, attributes);
    return gradientOf('averagePoolGradient', inputs, dy, forward, attributes.inputShape);
  },

  gather: (inputs, { axis }) => {
    const [x, indices] = inputs as [TensorSpec, TensorSpec];
    const fits = inputs.length === 2 && indices.dtype === 'int32' && axis < x.shape.length;
    check(fits, 'gather', inputs, `a tensor with an axis ${axis}, and int32 indices`);
    return [{ shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], dtype: x.dtype }];
  },
  takeAlongAxis: (inputs, { axis }) => {
    const [x, indices] = inputs as [TensorSpec, TensorSpec];
    const aligned = x.shape.every((extent, other) => other === axis || extent === indices.shape[other]);
    const fits = indices.dtype === 'int32' && x.shape.length === indices.shape.length && aligned;
    check(fits, 'takeAlongAxis', inputs, `int32 indices that equal the tensor's shape but along axis ${axis}`);
    return [{ shape: indices.shape, dtype: x.dtype }];
  },
  scatterAdd: (inputs, { axis, extent }) => {
    const [indices, updates] = inputs as [TensorSpec, TensorSpec];
    const span = updates.shape.slice(axis, axis + indices.shape.length);
    const fits = indices.dtype === 'int32' && shapesEqual(span, indices.shape);
    check(fits, 'scatterAdd', inputs, `int32 indices whose shape the updates have from axis ${axis} on`);
    const rest = updates.shape.slice(axis + indices.shape.length);
    return [{ shape: [...updates.shape.slice(0, axis), extent, ...rest], dtype: updates.dtype }];
  },
  argSort: (inputs, { axis }) => {
    const spec = first(inputs, 'argSort');
    check(axis >= 0 && axis < spec.shape.length, 'argSort', inputs, `an input with an axis ${axis}`);
    return [{ shape: spec.shape, dtype: 'int32' }];
  },

  reshape: (inputs, { shape }) => {
    const spec = first(inputs, 'reshape');
    check(sizeOf(shape) === sizeOf(spec.shape), 'reshape', inputs, `as many elements as ${formatShape(shape)}`);
    return [{ shape, dtype: spec.dtype }];
  },
  transpose: (inputs, { permutation }) => {
    const spec = first(inputs, 'transpose');
    const valid = permutation.length === spec.shape.length && spec.shape.every((_, axis) => permutation.includes(axis));
    check(valid, 'transpose', inputs, `the axes that [${permutation.join(', ')}] permutes`);
    return [{ shape: permutation.map((axis) => spec.shape[axis] as number), dtype: spec.dtype }];
  },
  broadcast: (inputs, { shape }) => {
    const spec = first(inputs, 'broadcast');
    const fits =
      spec.shape.length === shape.length && spec.shape.every((extent, axis) => extent === 1 || extent === shape[axis]);
    check(fits, 'broadcast', inputs, `a shape that can stretch to ${formatShape(shape)}`);
    return [{ shape, dtype: spec.dtype }];
  },
  slice: (inputs, { starts, stops, strides }) => {
    const spec = first(inputs, 'slice');
    const fits =
      [starts, stops, strides].every((list) => list.length === spec.shape.length) &&
      spec.shape.every((extent, axis) => {
        const [start, stop, stride] = [starts[axis], stops[axis], strides[axis]] as [number, number, number];
        return 0 <= start && start <= stop && stop <= extent && stride >= 1;
      });
    check(fits, 'slice', inputs, `one that holds [${starts.join(', ')}] to [${stops.join(', ')}]`);
    const shape = starts.map((start, axis) => Math.ceil(((stops[axis] as number) - start) / (strides[axis] as number)));
    return [{ shape, dtype: spec.dtype }];
  },
  pad: (inputs, { padding }) => {
    const spec = first(inputs, 'pad');
    const fits = padding.length === spec.shape.length && padding.every(([low, high]) => low >= 0 && high >= 0);
    check(fits, 'pad', inputs, `${padding.length} axes and padding of at least 0`);
    return [{ shape: spec.shape.map((extent, axis) => extent + sizePadding(padding[axis])), dtype: spec.dtype }];
  },
  concatenate: (inputs, { axis }) => {
    const spec = first(inputs, 'concatenate');
    const fits = inputs.every(
      (other) =>
        other.dtype === spec.dtype &&
        other.shape.length === spec.shape.length &&
        other.shape.every((extent, index) => index === axis || extent === spec.shape[index]),
    );
    check(fits && axis < spec.shape.length, 'concatenate', inputs, `one dtype, and one shape but along axis ${axis}`);
    const extent = inputs.reduce((sum, other) => sum + (other.shape[axis] as number), 0);
    return [{ shape: spec.shape.map((own, index) => (index === axis ? extent : own)), dtype: spec.dtype }];
  },
  reverse: (inputs, { axes }) => {
    const spec = first(inputs, 'reverse');
    check(
      axes.every((axis) => axis >= 0 && axis < spec.shape.length),
      'reverse',
      inputs,
      `axes [${axes.join(', ')}]`,
    );
    return [spec];
  },

  input: (_, { shape, dtype }) => [{ shape, dtype }],
  parameter: (_, { variable }) => [{ shape: variable.shape, dtype: variable.dtype }],
  constant: (_, { value }) => [{ shape: value.shape, dtype: value.dtype }],
  iota: (_, { shape, dtype }) => [{ shape, dtype }],
  randomBits: (inputs, { shape }) => {
    const fits = inputs.length === 2 && inputs.every((spec) => spec.dtype === 'int32' && shapesEqual(spec.shape, [2]));
    check(fits, 'randomBits', inputs, 'a key and a counter, int32[2]');
    return [{ shape, dtype: 'int32' }];
  },
  select: (inputs) => {
    const [condition, then, otherwise] = inputs as [TensorSpec, TensorSpec, TensorSpec];
    const fits =
      inputs.length === 3 &&
      condition.dtype === 'bool' &&
      then.dtype === otherwise.dtype &&
      shapesEqual(condition.shape, then.shape) &&
      shapesEqual(then.shape, otherwise.shape);
    check(fits, 'select', inputs, 'a bool and two of one dtype, all of one shape');
    return [then];
  },
  cast: (inputs, { dtype }) => {
    const spec = first(inputs, 'cast');
    check(spec.dtype !== 'string', 'cast', inputs, 'a numeric dtype');
    return [{ shape: spec.shape, dtype }];
  },
  scan: (inputs, { body, length, carryCount, sequenceCount }) => {
    const expected = inputs.map((spec, index) =>
      index >= carryCount && index < carryCount + sequenceCount ? spec.shape.slice(1) : spec.shape,
    );
    const fits =
      body.inputs.length === inputs.length &&
      body.inputs.every((spec, index) => shapesEqual(spec.shape, expected[index] as Shape)) &&
      body.inputs.every((spec, index) => spec.dtype === inputs[index]?.dtype) &&
      inputs.slice(carryCount, carryCount + sequenceCount).every((spec) => spec.shape[0] === length);
    check(fits, 'scan', inputs, `inputs that fit the body and sequences of length ${length}`);
    const carries = body.outputs.slice(0, carryCount);
    const kept = carries.every(
      (spec, index) => shapesEqual(spec.shape, inputs[index]?.shape ?? []) && spec.dtype === inputs[index]?.dtype,
    );
    check(kept, 'scan', inputs, 'a body that keeps the shapes of its carries');
    const stacked = body.outputs.slice(carryCount);
    return [...carries, ...stacked.map((spec) => ({ shape: [length, ...spec.shape], dtype: spec.dtype }))];
  },
  host: (_, { outputs }) => outputs,
};

function order(shape: Shape, transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

function sizePadding(pair: readonly [number, number] | undefined): number {
  return pair === undefined ? 0 : pair[0] + pair[1];
}
