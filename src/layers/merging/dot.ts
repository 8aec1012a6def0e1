import { formatShape, normalizeAxis, type Shape, sizeOf } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { matmul } from '../../ops/matrix.ts';
import { normalize as unit } from '../../ops/normalization.ts';
import { moveaxis, reshape } from '../../ops/shape.ts';
import { anything, boolean, type Fields, type Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface DotConfig extends LayerConfig {
  /** The axis of each input that is summed over, or one for both; 0, the batch, is none. */
  axes: number | readonly [number, number];
  /** Whether both are scaled to length 1 along their axis first: the cosine of the angle between them. */
  normalize: boolean;
}

/**
 * The products of two tensors, summed over one axis of each, for each element of the batch.
 *
 * `[batch, …left]` and `[batch, …right]` give `[batch, …left without its axis, …right without its axis]`, and
 * `[batch, 1]` when nothing is left.
 */
export class Dot extends Layer<DotConfig> {
  static readonly className = 'Dot';
  static readonly fields: Fields<DotConfig> = {
    ...layerFields,
    axes: anything('an axis or a list of two axes', isAxes),
    normalize: boolean(false),
  };
  override readonly supportsMasking = true;
  override readonly inputForm = 'list';

  constructor(options: Options<DotConfig, 'axes'>) {
    super(Dot.className, Dot.fields, options);
  }

  override call(inputs: readonly SymbolicTensor[]): SymbolicTensor {
    const [x, y] = inputs;
    if (x === undefined || y === undefined || inputs.length !== 2) {
      throw new ShapeError(`Cannot apply layer "${this.name}": found ${inputs.length} inputs, expected 2`);
    }
    const { axes, normalize } = this.config;
    const [left, right] = typeof axes === 'number' ? [axes, axes] : axes;
    const leftAxis = normalizeAxis(left, x.shape.length);
    const rightAxis = normalizeAxis(right, y.shape.length);
    if (x.shape[leftAxis] !== y.shape[rightAxis] || leftAxis === 0 || rightAxis === 0) {
      throw new ShapeError(
        `Cannot apply layer "${this.name}": found shapes ${formatShape(x.shape)} and ${formatShape(y.shape)}, ` +
          `expected equal extents along axes ${leftAxis} and ${rightAxis}, neither of them 0`,
      );
    }
    const rows = normalize ? unit(x, leftAxis) : x;
    const columns = normalize ? unit(y, rightAxis) : y;
    return batchDot(rows, columns, leftAxis, rightAxis);
  }

  override computeMask(
    _inputs: readonly SymbolicTensor[],
    outputs: readonly SymbolicTensor[],
    _context: CallContext,
  ): readonly undefined[] {
    return outputs.map(() => undefined);
  }
}

function isAxes(value: unknown): boolean {
  return Number.isInteger(value) || (Array.isArray(value) && value.length === 2 && value.every(Number.isInteger));
}

function batchDot(x: SymbolicTensor, y: SymbolicTensor, leftAxis: number, rightAxis: number): SymbolicTensor {
  const batch = x.shape[0] as number;
  const extent = x.shape[leftAxis] as number;
  const rest = (shape: Shape, axis: number): number[] => shape.filter((_, other) => other !== 0 && other !== axis);
  const [leftRest, rightRest] = [rest(x.shape, leftAxis), rest(y.shape, rightAxis)];
  const left = reshape(moveaxis(x, leftAxis, -1), [batch, sizeOf(leftRest), extent]);
  const right = reshape(moveaxis(y, rightAxis, 1), [batch, extent, sizeOf(rightRest)]);
  const kept = [...leftRest, ...rightRest];
  return reshape(matmul(left, right), [batch, ...(kept.length === 0 ? [1] : kept)]);
}
