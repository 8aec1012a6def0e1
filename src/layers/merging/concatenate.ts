import type { SymbolicTensor } from '../../graph/node.ts';
import { ones } from '../../ops/creation.ts';
import { all, any } from '../../ops/reduce.ts';
import { broadcastTo, concatenate, expandDims } from '../../ops/shape.ts';
import { type Fields, integer, type Options, oneOf } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface ConcatenateConfig extends LayerConfig {
  axis: number;
  /** Whether a step counts when any of its elements does, as in Keras since 3.4, or all, as in Keras 2; see `MergeConfig`. */
  maskJoin: 'any' | 'all' | 'none';
}

/**
 * Joins tensors along one axis; all other extents are equal.
 *
 * If any input has a mask, so has the output; the elements of the others count.
 */
export class Concatenate extends Layer<ConcatenateConfig> {
  static readonly className = 'Concatenate';
  static readonly fields: Fields<ConcatenateConfig> = {
    ...layerFields,
    axis: integer(-1),
    maskJoin: oneOf(['any', 'all', 'none'], 'any'),
  };
  override readonly supportsMasking = true;
  override readonly inputForm = 'list';

  constructor(options: Options<ConcatenateConfig> = {}) {
    super(Concatenate.className, Concatenate.fields, options);
  }

  override call(inputs: readonly SymbolicTensor[]): SymbolicTensor {
    return concatenate(inputs, this.config.axis);
  }

  override computeMask(
    inputs: readonly SymbolicTensor[],
    outputs: readonly SymbolicTensor[],
    { masks }: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    const { maskJoin } = this.config;
    if (maskJoin === 'none' || masks.every((mask) => mask === undefined)) return outputs.map(() => undefined);
    const elements = inputs.map((x, index) => {
      const mask = masks[index];
      if (mask === undefined) return ones(x.shape, 'bool');
      return mask.shape.length < x.shape.length ? broadcastTo(expandDims(mask, -1), x.shape) : mask;
    });
    const joined = concatenate(elements, this.config.axis);
    return [maskJoin === 'any' ? any(joined, -1) : all(joined, -1)];
  }
}
