import type { SymbolicTensor } from '../../graph/node.ts';
import { ones } from '../../ops/creation.ts';
import { any } from '../../ops/reduce.ts';
import { broadcastTo, concatenate, expandDims } from '../../ops/shape.ts';
import { type Fields, integer, type Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface ConcatenateConfig extends LayerConfig {
  axis: number;
}

/**
 * Joins tensors along one axis; all other extents are equal.
 *
 * If any input has a mask, so has the output: a step counts when any of its elements does.
 */
export class Concatenate extends Layer<ConcatenateConfig> {
  static readonly className = 'Concatenate';
  static readonly fields: Fields<ConcatenateConfig> = { ...layerFields, axis: integer(-1) };
  override readonly supportsMasking = true;

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
    if (masks.every((mask) => mask === undefined)) return outputs.map(() => undefined);
    const elements = inputs.map((x, index) => {
      const mask = masks[index];
      if (mask === undefined) return ones(x.shape, 'bool');
      return mask.shape.length < x.shape.length ? broadcastTo(expandDims(mask, -1), x.shape) : mask;
    });
    return [any(concatenate(elements, this.config.axis), -1)];
  }
}
