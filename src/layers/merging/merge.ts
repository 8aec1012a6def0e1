/** Layers that join several tensors element by element. Shapes may broadcast; missing axes are added after the batch. */
import { formatShape, type PartialShape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { logicalAnd, logicalOr, where } from '../../ops/compare.ts';
import { add, divide, maximum, minimum, multiply, subtract } from '../../ops/elementwise.ts';
import { broadcastTo, expandDims } from '../../ops/shape.ts';
import { type Fields, type Options, oneOf } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface MergeConfig extends LayerConfig {
  /**
   * How masks are joined. `any`, as in Keras since 3.4: a step counts when it does in any input, and a masked step of one input
   * leaves the value to the others. `all`, as in Keras 2 and TensorFlow.js: it counts when it does in all inputs that
   * have a mask, and values know nothing of masks. `none`, as in Keras 3.0 to 3.3: masks end here.
   */
  maskJoin: 'any' | 'all' | 'none';
}

export type MergeOptions = Options<MergeConfig>;

const mergeFields: Fields<MergeConfig> = { ...layerFields, maskJoin: oneOf(['any', 'all', 'none'], 'any') };

/** Joins tensors pair by pair. */
abstract class Merge extends Layer<MergeConfig> {
  override readonly supportsMasking = true;
  override readonly inputForm = 'list';

  protected abstract join(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor;

  protected override build(inputShapes: readonly PartialShape[]): void {
    checkBatches(this.name, inputShapes);
  }

  override call(inputs: readonly SymbolicTensor[], _context: CallContext): SymbolicTensor {
    return sameRank(inputs).reduce((joined, x) => this.join(joined, x));
  }

  override computeMask(
    _inputs: readonly SymbolicTensor[],
    outputs: readonly SymbolicTensor[],
    { masks }: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    const { maskJoin } = this.config;
    const present = masks.filter((mask) => mask !== undefined);
    const isMasked = maskJoin === 'all' ? present.length > 0 : maskJoin === 'any' && present.length === masks.length;
    const joined = isMasked ? present.reduce(maskJoin === 'all' ? logicalAnd : logicalOr) : undefined;
    return outputs.map(() => joined);
  }

  /**
   * The mask of each input for its elements, where values heed it. An input that got further axes loses its mask, as in
   * Keras.
   */
  protected elementMasks(
    inputs: readonly SymbolicTensor[],
    aligned: readonly SymbolicTensor[],
    { masks }: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    return aligned.map((x, index) => {
      const mask = this.config.maskJoin === 'any' && x === inputs[index] ? masks[index] : undefined;
      return mask && broadcastTo(expandDims(mask, -1), x.shape);
    });
  }
}

function checkBatches(name: string, shapes: readonly PartialShape[]): void {
  const batches = new Set(shapes.map((shape) => shape[0] ?? null).filter((batch) => batch !== null));
  if (shapes.length > 0 && batches.size <= 1) return;
  throw new ShapeError(
    `Cannot apply layer "${name}": found inputs of shapes ${shapes.map(formatShape).join(' and ') || 'none'}, ` +
      `expected at least one, all of one batch size`,
  );
}

function sameRank(inputs: readonly SymbolicTensor[]): readonly SymbolicTensor[] {
  const ndim = Math.max(...inputs.map((x) => x.shape.length));
  return inputs.map((x) => {
    const missing = Array.from({ length: ndim - x.shape.length }, (_, index) => index + 1);
    return missing.length === 0 ? x : expandDims(x, missing);
  });
}

/** Joins pair by pair; where one of a pair is masked, the other stands for both. */
abstract class SelectingMerge extends Merge {
  override call(inputs: readonly SymbolicTensor[], context: CallContext): SymbolicTensor {
    const aligned = sameRank(inputs);
    const masks = this.elementMasks(inputs, aligned, context);
    let joined = aligned[0] as SymbolicTensor;
    let joinedMask = masks[0];
    for (const [index, x] of aligned.entries()) {
      if (index === 0) continue;
      const mask = masks[index];
      const other = mask === undefined ? x : where(mask, x, joined);
      const own = joinedMask === undefined ? joined : where(joinedMask, joined, other);
      joinedMask = mask === undefined || joinedMask === undefined ? undefined : logicalOr(joinedMask, mask);
      joined = this.join(own, other);
    }
    return joined;
  }
}

/** The sum of the inputs. */
export class Add extends Merge {
  static readonly className = 'Add';
  static readonly fields: Fields<MergeConfig> = mergeFields;

  constructor(options: MergeOptions = {}) {
    super(Add.className, Add.fields, options);
  }

  protected override join(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
    return add(a, b);
  }
}

/** The first of two inputs less the second. */
export class Subtract extends Merge {
  static readonly className = 'Subtract';
  static readonly fields: Fields<MergeConfig> = mergeFields;

  constructor(options: MergeOptions = {}) {
    super(Subtract.className, Subtract.fields, options);
  }

  protected override build(inputShapes: readonly PartialShape[]): void {
    super.build(inputShapes);
    if (inputShapes.length !== 2) {
      throw new ShapeError(`Cannot apply layer "${this.name}": found ${inputShapes.length} inputs, expected 2`);
    }
  }

  protected override join(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
    return subtract(a, b);
  }
}

/** The product of the inputs, element by element; a masked step of one input counts as 1. */
export class Multiply extends Merge {
  static readonly className = 'Multiply';
  static readonly fields: Fields<MergeConfig> = mergeFields;

  constructor(options: MergeOptions = {}) {
    super(Multiply.className, Multiply.fields, options);
  }

  override call(inputs: readonly SymbolicTensor[], context: CallContext): SymbolicTensor {
    const aligned = sameRank(inputs);
    const masks = this.elementMasks(inputs, aligned, context);
    const factors = aligned.map((x, index) => {
      const mask = masks[index];
      return mask === undefined ? x : where(mask, x, 1);
    });
    const product = factors.reduce((joined, x) => this.join(joined, x));
    const union = masks.reduce((a, b) => (a === undefined || b === undefined ? undefined : logicalOr(a, b)));
    return union === undefined ? product : where(union, product, 0);
  }

  protected override join(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
    return multiply(a, b);
  }
}

/** The mean of the inputs. */
export class Average extends Merge {
  static readonly className = 'Average';
  static readonly fields: Fields<MergeConfig> = mergeFields;

  constructor(options: MergeOptions = {}) {
    super(Average.className, Average.fields, options);
  }

  override call(inputs: readonly SymbolicTensor[], context: CallContext): SymbolicTensor {
    return divide(super.call(inputs, context), inputs.length);
  }

  protected override join(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
    return add(a, b);
  }
}

/** The greatest of the inputs, element by element. */
export class Maximum extends SelectingMerge {
  static readonly className = 'Maximum';
  static readonly fields: Fields<MergeConfig> = mergeFields;

  constructor(options: MergeOptions = {}) {
    super(Maximum.className, Maximum.fields, options);
  }

  protected override join(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
    return maximum(a, b);
  }
}

/** The least of the inputs, element by element. */
export class Minimum extends SelectingMerge {
  static readonly className = 'Minimum';
  static readonly fields: Fields<MergeConfig> = mergeFields;

  constructor(options: MergeOptions = {}) {
    super(Minimum.className, Minimum.fields, options);
  }

  protected override join(a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
    return minimum(a, b);
  }
}
