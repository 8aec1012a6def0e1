import type { SymbolicTensor } from '../../graph/node.ts';
import type { Fields, Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields, type MaskedTensor, type Sublayers } from '../layer.ts';
import { isLayer, layers } from '../layer-field.ts';

export interface PipelineConfig extends LayerConfig {
  layers: readonly Layer[];
}

/** Applies layers one after the other. */
export class Pipeline extends Layer<PipelineConfig> {
  static readonly className = 'Pipeline';
  static readonly fields: Fields<PipelineConfig> = { ...layerFields, layers: layers('a list of layers', isLayer) };

  constructor(options: Options<PipelineConfig, 'layers'>) {
    super(Pipeline.className, Pipeline.fields, options);
  }

  get layers(): readonly Layer[] {
    return this.config.layers;
  }

  override get sublayers(): Sublayers {
    return { layers: this.layers };
  }

  override call(inputs: readonly SymbolicTensor[], context: CallContext): readonly SymbolicTensor[] {
    const { masks, kwargs: _kwargs, ...options } = context;
    let current: readonly MaskedTensor[] = inputs.map((tensor, index) => ({ tensor, mask: masks[index] }));
    for (const layer of this.layers) current = layer.trace(current, options);
    return current.map(({ tensor }) => tensor);
  }
}
