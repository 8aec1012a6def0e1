/** Losses for margins. */
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Fields } from '../../layers/fields.ts';
import { equal, logicalOr, where } from '../../ops/compare.ts';
import { add, maximum, multiply, square, subtract } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { all, max, mean, sum } from '../../ops/reduce.ts';
import { FunctionalLoss, type LossConfig, type LossOptions, lossFields } from './loss.ts';

/** Targets of 0 and 1 as −1 and 1; others as they are. */
function toSigns(yTrue: SymbolicTensor): SymbolicTensor {
  const target = toFloat(yTrue);
  const isBinary = all(logicalOr(equal(target, 0), equal(target, 1)));
  return where(isBinary, subtract(multiply(target, 2), 1), target);
}

function margins(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  return maximum(subtract(1, multiply(toSigns(yTrue), yPred)), 0);
}

/** mean(max(1 − yTrue · yPred, 0)) over the last axis; targets of 0 and 1 stand for −1 and 1. */
export function hinge(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  return mean(margins(yTrue, yPred), -1);
}

/** mean(max(1 − yTrue · yPred, 0)²) over the last axis; targets of 0 and 1 stand for −1 and 1. */
export function squaredHinge(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  return mean(square(margins(yTrue, yPred)), -1);
}

/** max(greatest wrong prediction − right one + 1, 0). */
export function categoricalHinge(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
  const target = toFloat(yTrue);
  const right = sum(multiply(target, yPred), -1);
  const wrong = max(multiply(subtract(1, target), yPred), -1);
  return maximum(add(subtract(wrong, right), 1), 0);
}

/** mean(max(1 − yTrue · yPred, 0)); targets are −1 and 1, or 0 and 1. */
export class Hinge extends FunctionalLoss {
  static readonly className = 'Hinge';
  static readonly fields: Fields<LossConfig> = lossFields('hinge');

  constructor(options: LossOptions = {}) {
    super(Hinge.className, Hinge.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return hinge(yTrue, yPred);
  }
}

/** mean(max(1 − yTrue · yPred, 0)²); targets are −1 and 1, or 0 and 1. */
export class SquaredHinge extends FunctionalLoss {
  static readonly className = 'SquaredHinge';
  static readonly fields: Fields<LossConfig> = lossFields('squared_hinge');

  constructor(options: LossOptions = {}) {
    super(SquaredHinge.className, SquaredHinge.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return squaredHinge(yTrue, yPred);
  }
}

/** max(greatest wrong prediction − right one + 1, 0), for one-hot targets. */
export class CategoricalHinge extends FunctionalLoss {
  static readonly className = 'CategoricalHinge';
  static readonly fields: Fields<LossConfig> = lossFields('categorical_hinge');

  constructor(options: LossOptions = {}) {
    super(CategoricalHinge.className, CategoricalHinge.fields, options);
  }

  protected evaluate(yTrue: SymbolicTensor, yPred: SymbolicTensor): SymbolicTensor {
    return categoricalHinge(yTrue, yPred);
  }
}
