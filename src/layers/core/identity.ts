import type { SymbolicTensor } from '../../graph/node.ts';
import type { Fields } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, type LayerOptions, layerFields } from '../layer.ts';

/** Gives its inputs back, with their masks. */
export class Identity extends Layer {
  static readonly className = 'Identity';
  static readonly fields: Fields<LayerConfig> = layerFields;
  override readonly supportsMasking = true;

  constructor(options: LayerOptions = {}) {
    super(Identity.className, Identity.fields, options);
  }

  override call(inputs: readonly SymbolicTensor[]): readonly SymbolicTensor[] {
    return inputs;
  }

  override computeMask(
    _inputs: readonly SymbolicTensor[],
    _outputs: readonly SymbolicTensor[],
    { masks }: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    return masks;
  }
}
