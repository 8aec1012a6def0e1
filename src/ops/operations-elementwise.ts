/** Keras' operations element by element, and its activations. */

import type { SymbolicTensor } from '../graph/node.ts';
import * as activation from './activations.ts';
import { softmax } from './activations.ts';
import * as bits from './bitwise.ts';
import * as compare from './compare.ts';
import * as math from './elementwise.ts';
import { cast, type Operand, toSymbol } from './operand.ts';
import { type CallArguments, type RawOperation, rawOperation } from './raw-operation.ts';
import * as special from './special.ts';

type Unary = (x: Operand) => SymbolicTensor;
type Binary = (x: Operand, y: Operand) => SymbolicTensor;

const UNARY: { readonly [name: string]: Unary } = {
  Absolute: math.abs,
  Abs: math.abs,
  Fabs: math.fabs,
  Angle: math.angle,
  Arccos: math.arccos,
  Arccosh: math.arccosh,
  Arcsin: math.arcsin,
  Arcsinh: math.arcsinh,
  Arctan: math.arctan,
  Arctanh: math.arctanh,
  BitwiseInvert: bits.bitwiseNot,
  BitwiseNot: bits.bitwiseNot,
  Cbrt: math.cbrt,
  Ceil: math.ceil,
  Conj: math.conjugate,
  Conjugate: math.conjugate,
  Copy: toSymbol,
  Cos: math.cos,
  Cosh: math.cosh,
  Deg2rad: math.deg2rad,
  Erf: special.erf,
  Erfc: special.erfc,
  Erfinv: special.erfinv,
  Exp: math.exp,
  Exp2: math.exp2,
  Expm1: math.expm1,
  Floor: math.floor,
  I0: special.i0,
  Imag: math.imag,
  Isfinite: compare.isfinite,
  Isinf: compare.isinf,
  Isnan: compare.isnan,
  Isneginf: compare.isneginf,
  Isposinf: compare.isposinf,
  Isreal: compare.isreal,
  Log: math.log,
  Log10: math.log10,
  Log1p: math.log1p,
  Log2: math.log2,
  LogicalNot: compare.logicalNot,
  Negative: math.negative,
  Rad2deg: math.rad2deg,
  Real: math.real,
  Reciprocal: math.reciprocal,
  Rsqrt: math.rsqrt,
  Sign: math.sign,
  Signbit: math.signbit,
  Sin: math.sin,
  Sinc: math.sinc,
  Sinh: math.sinh,
  Sqrt: math.sqrt,
  Square: math.square,
  Tan: math.tan,
  Tanh: math.tanh,
  Trunc: math.trunc,
  HardSigmoid: activation.hardSigmoid,
  HardSilu: activation.hardSilu,
  HardTanh: activation.hardTanh,
  LogSigmoid: activation.logSigmoid,
  Relu: (x) => activation.relu(x),
  Relu6: activation.relu6,
  Selu: activation.selu,
  Sigmoid: activation.sigmoid,
  Silu: activation.silu,
  Softplus: activation.softplus,
  Softsign: activation.softsign,
  SparsePlus: activation.sparsePlus,
  SparseSigmoid: activation.sparseSigmoid,
  TanhShrink: activation.tanhShrink,
};

const BINARY: { readonly [name: string]: Binary } = {
  Add: math.add,
  Arctan2: math.arctan2,
  Divide: math.divide,
  DivideNoNan: math.divideNoNan,
  Equal: compare.equal,
  FloorDivide: math.floorDivide,
  Fmax: math.fmax,
  Fmin: math.fmin,
  Fmod: math.fmod,
  Gcd: math.gcd,
  Greater: compare.greater,
  GreaterEqual: compare.greaterEqual,
  Heaviside: math.heaviside,
  Hypot: math.hypot,
  Lcm: math.lcm,
  Ldexp: math.ldexp,
  Less: compare.less,
  LessEqual: compare.lessEqual,
  Logaddexp: math.logaddexp,
  Logaddexp2: math.logaddexp2,
  LogicalAnd: compare.logicalAnd,
  LogicalOr: compare.logicalOr,
  LogicalXor: compare.logicalXor,
  Maximum: math.maximum,
  Minimum: math.minimum,
  Mod: math.mod,
  Multiply: math.multiply,
  NotEqual: compare.notEqual,
  Power: math.power,
  Subtract: math.subtract,
  TrueDivide: math.divide,
};

const BITWISE: { readonly [name: string]: Binary } = {
  BitwiseAnd: bits.bitwiseAnd,
  BitwiseLeftShift: bits.leftShift,
  BitwiseOr: bits.bitwiseOr,
  BitwiseRightShift: bits.rightShift,
  BitwiseXor: bits.bitwiseXor,
  LeftShift: bits.leftShift,
  RightShift: bits.rightShift,
};

/** Least and greatest values of the integer types that are narrower than those Hornet computes with. */
const RANGES: { readonly [dtype: string]: readonly [number, number] } = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  uint32: [0, 2 ** 31 - 1],
  uint64: [0, 2 ** 31 - 1],
};

function saturateCast(call: CallArguments): SymbolicTensor {
  const dtype = call.string('dtype');
  const [low, high] = RANGES[dtype] ?? [null, null];
  return cast(math.clip(call.tensor('x'), low, high), dtype);
}

function optionalCast(call: CallArguments): SymbolicTensor {
  const dtype = call.dtypeOrNull();
  return dtype === null ? toSymbol(call.tensor('x')) : cast(call.tensor('x'), dtype);
}

const x = (call: CallArguments): Operand => call.tensor('x');
const pair = (call: CallArguments): [Operand, Operand] => [call.tensor('x1'), call.tensor('x2')];

const OTHERS: readonly [name: string, signature: string, defaults: object, (call: CallArguments) => SymbolicTensor][] =
  [
    [
      'AllClose',
      'x1 x2',
      { rtol: 1e-5, atol: 1e-8, equal_nan: false },
      (call) => compare.allclose(...pair(call), call.number('rtol'), call.number('atol'), call.boolean('equal_nan')),
    ],
    [
      'Isclose',
      'x1 x2 rtol atol',
      { rtol: 1e-5, atol: 1e-8, equal_nan: false },
      (call) => compare.isclose(...pair(call), call.number('rtol'), call.number('atol'), call.boolean('equal_nan')),
    ],
    ['Array', 'x', { dtype: null }, optionalCast],
    ['Cast', 'x dtype', {}, (call) => cast(x(call), call.string('dtype'))],
    ['ConvertToTensor', 'x', { dtype: null, sparse: null, ragged: null }, optionalCast],
    ['SaturateCast', 'x dtype', {}, saturateCast],
    ['StopGradient', 'variable', {}, (call) => math.stopGradient(call.tensor('variable'))],
    [
      'Clip',
      'x x_min x_max',
      { x_min: null, x_max: null },
      (call) => math.clip(x(call), call.tensorOrNull('x_min'), call.tensorOrNull('x_max')),
    ],
    [
      'NanToNum',
      'x',
      { nan: 0, posinf: null, neginf: null },
      (call) =>
        math.nanToNum(
          x(call),
          call.number('nan'),
          call.numberOrNull('posinf') ?? undefined,
          call.numberOrNull('neginf') ?? undefined,
        ),
    ],
    ['Round', 'x', { decimals: 0 }, (call) => math.round(x(call), call.number('decimals'))],
    [
      'Select',
      'condlist choicelist default',
      { default: 0 },
      (call) => compare.select(call.tensors('condlist'), call.tensors('choicelist'), call.tensor('default')),
    ],
    ['Where', 'condition x1 x2', {}, (call) => compare.where(call.tensor('condition'), ...pair(call))],
    ['Celu', 'x', { alpha: 1 }, (call) => activation.celu(x(call), call.number('alpha'))],
    ['Elu', 'x', { alpha: 1 }, (call) => activation.elu(x(call), call.number('alpha'))],
    ['Gelu', 'x', { approximate: true }, (call) => activation.gelu(x(call), call.boolean('approximate'))],
    ['Glu', 'x', { axis: -1 }, (call) => activation.glu(x(call), call.number('axis'))],
    ['HardShrink', 'x', { threshold: 0.5 }, (call) => activation.hardShrink(x(call), call.number('threshold'))],
    ['LeakyRelu', 'x', { negative_slope: 0.2 }, (call) => activation.leakyRelu(x(call), call.number('negative_slope'))],
    // The class behind keras.activations.relu with further arguments.
    [
      'ReLU',
      'x',
      { negative_slope: 0, max_value: null, threshold: 0 },
      (call) =>
        activation.relu(
          x(call),
          call.number('negative_slope'),
          call.numberOrNull('max_value'),
          call.number('threshold'),
        ),
    ],
    ['LogSoftmax', 'x', { axis: -1 }, (call) => activation.logSoftmax(x(call), call.axes())],
    ['SoftShrink', 'x', { threshold: 0.5 }, (call) => activation.softShrink(x(call), call.number('threshold'))],
    ['Softmax', 'x', { axis: -1 }, (call) => softmax(x(call), call.axes())],
    ['Sparsemax', 'x', { axis: -1 }, (call) => activation.sparsemax(x(call), call.number('axis'))],
    ['Squareplus', 'x', { b: 4 }, (call) => activation.squareplus(x(call), call.number('b'))],
    [
      'Threshold',
      'x',
      { threshold: 0, default_value: 0 },
      (call) => activation.threshold(x(call), call.number('threshold'), call.number('default_value')),
    ],
  ];

/** By class name. */
export const elementwiseOperations: readonly (readonly [string, RawOperation])[] = [
  ...Object.entries(UNARY).map(([name, run]) => [name, rawOperation(name, 'x', {}, (call) => run(x(call)))] as const),
  ...Object.entries(BINARY).map(
    ([name, run]) => [name, rawOperation(name, 'x1 x2', {}, (call) => run(...pair(call)))] as const,
  ),
  ...Object.entries(BITWISE).map(
    ([name, run]) => [name, rawOperation(name, 'x y', {}, (call) => run(x(call), call.tensor('y')))] as const,
  ),
  ...OTHERS.map(
    ([name, signature, defaults, run]) =>
      [name, rawOperation(name, signature, defaults as Readonly<Record<string, unknown>>, run)] as const,
  ),
];
