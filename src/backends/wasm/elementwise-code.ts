/** The element-wise primitives on vectors of four lanes. */
import type { ElementwiseName, NumericDtype } from '../../compiler/schedule.ts';
import type { BinaryName, CompareName, LogicalName, UnaryName } from '../../graph/primitives.ts';
import type { FunctionBuilder, Local, ValueType } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import type { PlainOpcode } from './assembler-opcodes.ts';
import { callMath, type MathName } from './math.ts';
import { rareCode } from './rare-code.ts';

/** Pushes one operand. */
export type PushOperand = () => void;

interface Call {
  readonly module: ModuleBuilder;
  readonly f: FunctionBuilder;
  readonly operands: readonly PushOperand[];
  /** Dtype of the operands. */
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly result: NumericDtype;
}

type Emitter = (call: Call) => void;

/**
 * Pushes the value of a primitive.
 *
 * @param operands what pushes the operands; each is called once
 * @param dtypes the dtypes of the operands
 */
export function emitElementwise(
  module: ModuleBuilder,
  f: FunctionBuilder,
  primitive: ElementwiseName,
  operands: readonly PushOperand[],
  dtypes: readonly NumericDtype[],
  result: NumericDtype,
): void {
  EMITTERS[primitive]({ module, f, operands, dtype: dtypes[0] as NumericDtype, result });
}

function pushAll({ operands }: Call): void {
  for (const operand of operands) operand();
}

/** One instruction for floats, another for integers and bools where they have one. */
function plain(float: PlainOpcode, integer: PlainOpcode = float, bool: PlainOpcode = integer): Emitter {
  return (call) => {
    pushAll(call);
    call.f.op(call.dtype === 'float32' ? float : call.dtype === 'int32' ? integer : bool);
  };
}

/** A function of the module from vectors to a vector. */
function called(name: MathName): Emitter {
  return (call) => {
    pushAll(call);
    callMath(call.module, call.f, name);
  };
}

const LANE_OPS = {
  float32: { type: 'f32', extract: 'f32x4.extract_lane', replace: 'f32x4.replace_lane' },
  int32: { type: 'i32', extract: 'i32x4.extract_lane', replace: 'i32x4.replace_lane' },
} as const;

/** A function of the module from scalars to a scalar, lane by lane. */
function eachLane(dtype: 'float32' | 'int32', define: (module: ModuleBuilder) => number): Emitter {
  return (call) => {
    const { f } = call;
    const { extract, replace } = LANE_OPS[dtype];
    const functionIndex = define(call.module);
    const [left, right] = f.localsOf('v128', 2) as [Local, Local];
    pushAll(call);
    f.set(right).set(left).get(left);
    for (let lane = 0; lane < 4; lane++) {
      f.get(left).lane(extract, lane).get(right).lane(extract, lane).call(functionIndex).lane(replace, lane);
    }
    f.release(left, right);
  };
}

function byDtype(float: Emitter, integer: Emitter): Emitter {
  return (call) => (call.dtype === 'float32' ? float(call) : integer(call));
}

function withOperand(call: Call, type: ValueType, write: (x: Local) => void): void {
  const x = call.f.local(type);
  pushAll(call);
  call.f.set(x);
  write(x);
  call.f.release(x);
}

/** ±1 where the number is not 0 and not NaN, the number itself elsewhere. */
const signFloat: Emitter = (call) => {
  const { f } = call;
  withOperand(call, 'v128', (x) => {
    f.get(x).i32x4(SIGN_BIT).op('v128.and').f32x4(1).op('v128.or');
    f.get(x);
    f.get(x).op('f32x4.abs').f32x4(0).op('f32x4.gt');
    f.op('v128.bitselect');
  });
};

const signInteger: Emitter = (call) => {
  const { f } = call;
  withOperand(call, 'v128', (x) => {
    f.get(x).i32(31).op('i32x4.shr_s');
    f.get(x).i32x4(0).op('i32x4.gt_s', 'i32x4.sub');
  });
};

const reciprocalRoot: Emitter = (call) => {
  call.f.f32x4(1);
  pushAll(call);
  call.f.op('f32x4.sqrt', 'f32x4.div');
};

const floorQuotient: Emitter = (call) => {
  pushAll(call);
  call.f.op('f32x4.div', 'f32x4.floor');
};

const select: Emitter = ({ f, operands }) => {
  const [condition, then, otherwise] = operands as [PushOperand, PushOperand, PushOperand];
  const mask = f.local('v128');
  condition();
  f.set(mask);
  then();
  otherwise();
  f.get(mask).op('v128.bitselect').release(mask);
};

const cast: Emitter = (call) => {
  const { f, dtype, result } = call;
  pushAll(call);
  if (dtype === result) return;
  if (result === 'bool') {
    if (dtype === 'float32') f.f32x4(0).op('f32x4.ne');
    else f.i32x4(0).op('i32x4.ne');
  } else if (dtype === 'bool') {
    if (result === 'float32') f.f32x4(1).op('v128.and');
    else f.i32x4(1).op('v128.and');
  } else {
    f.op(result === 'int32' ? 'i32x4.trunc_sat_f32x4_s' : 'f32x4.convert_i32x4_s');
  }
};

const SIGN_BIT = -(2 ** 31);

const UNARY: { readonly [K in UnaryName]: Emitter } = {
  negate: plain('f32x4.neg', 'i32x4.neg'),
  absolute: plain('f32x4.abs', 'i32x4.abs'),
  sign: byDtype(signFloat, signInteger),
  exp: called('exp'),
  expm1: called('expm1'),
  log: called('log'),
  log1p: called('log1p'),
  sqrt: plain('f32x4.sqrt'),
  rsqrt: reciprocalRoot,
  sin: called('sin'),
  cos: called('cos'),
  tan: called('tan'),
  asin: called('asin'),
  acos: called('acos'),
  atan: called('atan'),
  sinh: called('sinh'),
  cosh: called('cosh'),
  tanh: called('tanh'),
  asinh: called('asinh'),
  acosh: called('acosh'),
  atanh: called('atanh'),
  erf: called('erf'),
  sigmoid: called('sigmoid'),
  floor: plain('f32x4.floor'),
  ceil: plain('f32x4.ceil'),
  round: plain('f32x4.nearest'),
  relu: (call) => {
    pushAll(call);
    call.f.f32x4(0).op('f32x4.max');
  },
  stopGradient: pushAll,
};

const BINARY: { readonly [K in BinaryName]: Emitter } = {
  add: plain('f32x4.add', 'i32x4.add'),
  subtract: plain('f32x4.sub', 'i32x4.sub'),
  multiply: plain('f32x4.mul', 'i32x4.mul'),
  divide: plain('f32x4.div'),
  floorDivide: byDtype(
    floorQuotient,
    eachLane('int32', (module) => rareCode('integers').floorDivideInt32(module)),
  ),
  remainder: byDtype(
    eachLane('float32', (module) => rareCode('integers').remainderFloat32(module)),
    eachLane('int32', (module) => rareCode('integers').remainderInt32(module)),
  ),
  power: byDtype(
    called('power'),
    eachLane('int32', (module) => rareCode('integers').powerInt32(module)),
  ),
  maximum: plain('f32x4.max', 'i32x4.max_s'),
  minimum: plain('f32x4.min', 'i32x4.min_s'),
  atan2: called('atan2'),
};

/** The mask of true is −1, so that true is less than false as an integer. */
const COMPARE: { readonly [K in CompareName]: Emitter } = {
  equal: plain('f32x4.eq', 'i32x4.eq'),
  notEqual: plain('f32x4.ne', 'i32x4.ne'),
  less: plain('f32x4.lt', 'i32x4.lt_s', 'i32x4.gt_s'),
  lessEqual: plain('f32x4.le', 'i32x4.le_s', 'i32x4.ge_s'),
  greater: plain('f32x4.gt', 'i32x4.gt_s', 'i32x4.lt_s'),
  greaterEqual: plain('f32x4.ge', 'i32x4.ge_s', 'i32x4.le_s'),
};

const LOGICAL: { readonly [K in LogicalName]: Emitter } = {
  logicalAnd: plain('v128.and'),
  logicalOr: plain('v128.or'),
  logicalXor: plain('v128.xor'),
  logicalNot: plain('v128.not'),
};

const EMITTERS: { readonly [K in ElementwiseName]: Emitter } = {
  ...UNARY,
  ...BINARY,
  ...COMPARE,
  ...LOGICAL,
  select,
  cast,
};
