import type { PartialShape } from '../../array/shape.ts';
import type { Fields } from '../fields.ts';
import { Layer, type LayerConfig, layerFields, type Sublayers } from '../layer.ts';
import { isLayer, layer } from '../layer-field.ts';

export interface WrapperConfig extends LayerConfig {
  layer: Layer;
}

export const wrapperFields: Fields<WrapperConfig> = { ...layerFields, layer: layer('a layer', isLayer) };

/** A layer around another one, whose weights it has. */
export abstract class Wrapper<C extends WrapperConfig = WrapperConfig> extends Layer<C> {
  protected override build(inputShapes: readonly PartialShape[]): void {
    this.config.layer.ensureBuilt(inputShapes);
  }

  override get sublayers(): Sublayers {
    return { layer: this.config.layer };
  }
}
