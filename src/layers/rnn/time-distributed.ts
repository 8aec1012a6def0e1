import { formatShape, type PartialShape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { reshape } from '../../ops/shape.ts';
import type { Fields, Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields, type Sublayers } from '../layer.ts';
import { isLayer, layer } from '../layer-field.ts';

export interface TimeDistributedConfig extends LayerConfig {
  layer: Layer;
}

/**
 * Applies a layer to every step of `[batch, steps, …]`.
 *
 * Steps are treated as further samples, `[batch · steps, …]`, so the layer inside runs once.
 */
export class TimeDistributed extends Layer<TimeDistributedConfig> {
  static readonly className = 'TimeDistributed';
  static readonly fields: Fields<TimeDistributedConfig> = { ...layerFields, layer: layer('a layer', isLayer) };
  override readonly supportsMasking = true;
  override readonly hasMaskArgument = true;

  constructor(options: Options<TimeDistributedConfig, 'layer'>) {
    super(TimeDistributed.className, TimeDistributed.fields, options);
  }

  get layer(): Layer {
    return this.config.layer;
  }

  override get sublayers(): Sublayers {
    return { layer: this.layer };
  }

  protected override build([inputShape = []]: readonly PartialShape[]): void {
    if (inputShape.length < 3) {
      throw new ShapeError(
        `Cannot build layer "${this.name}": found an input of shape ${formatShape(inputShape)}, ` +
          'expected at least 3 axes: [batch, steps, …]',
      );
    }
    this.layer.ensureBuilt([[inputShape[0] ?? null, ...inputShape.slice(2)]]);
  }

  override call([x]: readonly [SymbolicTensor], context: CallContext): readonly SymbolicTensor[] {
    const [batch, steps] = x.shape as readonly [number, number];
    const mask = context.masks[0];
    if (mask !== undefined && (mask.shape[0] !== batch || mask.shape[1] !== steps)) {
      throw new ShapeError(
        `Cannot apply layer "${this.name}": found a mask of shape ${formatShape(mask.shape)}, ` +
          `expected ${formatShape([batch, steps])} and perhaps further axes`,
      );
    }
    const fold = (value: SymbolicTensor): SymbolicTensor => reshape(value, [batch * steps, ...value.shape.slice(2)]);
    const inner = { tensor: fold(x), mask: mask === undefined ? undefined : fold(mask) };
    const { mask: _outer, ...kwargs } = context.kwargs;
    return this.layer
      .trace([inner], { ...context, kwargs })
      .map(({ tensor }) => reshape(tensor, [batch, steps, ...tensor.shape.slice(1)]));
  }
}
