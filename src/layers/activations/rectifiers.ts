/** Activations that cut or bend at a threshold, with options of their own. Each keeps the shape. */
import type { SymbolicTensor } from '../../graph/node.ts';
import { elu, leakyRelu, relu } from '../../ops/activations.ts';
import { greater } from '../../ops/compare.ts';
import { minimum, multiply, subtract } from '../../ops/elementwise.ts';
import { cast, toFloat } from '../../ops/operand.ts';
import { anything, type Field, type Fields, nullable, number, type Options } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';

function atLeastZero(fallback: number): Field<number> {
  return anything('a number of at least 0', (value) => typeof value === 'number' && value >= 0, fallback);
}

export interface ReLUConfig extends LayerConfig {
  maxValue: number | null;
  negativeSlope: number;
  threshold: number;
}

/** `x` from the threshold to `maxValue`, `negativeSlope · (x − threshold)` below the threshold. */
export class ReLU extends Layer<ReLUConfig> {
  static readonly className = 'ReLU';
  static readonly fields: Fields<ReLUConfig> = {
    ...layerFields,
    maxValue: nullable(atLeastZero(0)),
    negativeSlope: atLeastZero(0),
    threshold: atLeastZero(0),
  };
  override readonly supportsMasking = true;

  constructor(options: Options<ReLUConfig> = {}) {
    super(ReLU.className, ReLU.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { maxValue, negativeSlope, threshold } = this.config;
    const kept = threshold === 0 ? relu(x) : multiply(x, cast(greater(x, threshold), x.dtype));
    const upper = maxValue === null ? kept : minimum(kept, maxValue);
    if (negativeSlope === 0) return upper;
    return subtract(upper, multiply(relu(subtract(threshold, toFloat(x))), negativeSlope));
  }
}

export interface LeakyReLUConfig extends LayerConfig {
  negativeSlope: number;
}

/** `x` above 0, `negativeSlope · x` below. */
export class LeakyReLU extends Layer<LeakyReLUConfig> {
  static readonly className = 'LeakyReLU';
  static readonly fields: Fields<LeakyReLUConfig> = { ...layerFields, negativeSlope: atLeastZero(0.3) };
  override readonly supportsMasking = true;

  constructor(options: Options<LeakyReLUConfig> = {}) {
    super(LeakyReLU.className, LeakyReLU.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return leakyRelu(x, this.config.negativeSlope);
  }
}

export interface ELUConfig extends LayerConfig {
  alpha: number;
}

/** `x` above 0, `alpha · (eˣ − 1)` below. */
export class ELU extends Layer<ELUConfig> {
  static readonly className = 'ELU';
  static readonly fields: Fields<ELUConfig> = { ...layerFields, alpha: number(1) };
  override readonly supportsMasking = true;

  constructor(options: Options<ELUConfig> = {}) {
    super(ELU.className, ELU.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return elu(x, this.config.alpha);
  }
}

export interface ThresholdedReLUConfig extends LayerConfig {
  theta: number;
}

/** `x` above `theta`, 0 elsewhere. Keras 2 and TensorFlow.js have it; Keras 3 does not. */
export class ThresholdedReLU extends Layer<ThresholdedReLUConfig> {
  static readonly className = 'ThresholdedReLU';
  static readonly fields: Fields<ThresholdedReLUConfig> = { ...layerFields, theta: atLeastZero(1) };
  override readonly supportsMasking = true;

  constructor(options: Options<ThresholdedReLUConfig> = {}) {
    super(ThresholdedReLU.className, ThresholdedReLU.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return multiply(toFloat(x), toFloat(greater(x, this.config.theta)));
  }
}
