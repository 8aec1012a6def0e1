import type { PartialShape } from '../../array/shape.ts';
import type { Field, Fields } from '../fields.ts';
import { Layer, type LayerConfig, layerFields, type Sublayers } from '../layer.ts';

export interface WrapperConfig extends LayerConfig {
  layer: Layer;
}

/** The field of a layer inside another one. */
export function layer(): Field<Layer> {
  return {
    kind: 'layer',
    expected: 'a layer',
    parse: (value) => (value instanceof Layer ? (value as Layer) : undefined),
  };
}

export const wrapperFields: Fields<WrapperConfig> = { ...layerFields, layer: layer() };

/** A layer around another one, whose weights are its own. */
export abstract class Wrapper<C extends WrapperConfig = WrapperConfig> extends Layer<C> {
  protected override build(inputShapes: readonly PartialShape[]): void {
    this.config.layer.ensureBuilt(inputShapes);
  }

  override get sublayers(): Sublayers {
    return { layer: this.config.layer };
  }
}
