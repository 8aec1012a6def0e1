import { SymbolicTensor } from '../../graph/node.ts';
import type { KerasTensor, LayerCall } from '../keras-tensor.ts';
import type { MaskedTensor, MaskWatch, TraceOptions } from '../layer.ts';

/**
 * The masks that tensors had when the model was put together, for models in which layers take masks away.
 *
 * Keras notes, while a model is put together, the mask of what goes into a layer whose call has an argument `mask`, and
 * hands the layer that mask at each run. Nothing has been taken by then. All other layers find what is left.
 */
export class BuiltMasks implements MaskWatch {
  readonly #masks = new Map<KerasTensor, SymbolicTensor | undefined>();

  /** Traces one call, as `Layer.trace` does. */
  trace(
    { layer, inputs, outputs }: LayerCall,
    values: readonly MaskedTensor[],
    options: TraceOptions,
  ): readonly MaskedTensor[] {
    const { kwargs = {} } = options;
    const built = inputs.map((tensor, index) =>
      index === 0 && kwargs.mask instanceof SymbolicTensor ? kwargs.mask : this.#masks.get(tensor),
    );
    const isModel = 'layerCalls' in layer;
    const found = values.map((value, index) => {
      const mask = built[index];
      if (mask === undefined || mask === value.mask || !(isModel || layer.hasMaskArgument)) return value;
      // A model puts its mask onto the tensor itself, where layers inside may take it away again.
      return isModel ? Object.assign(value, { mask }) : { ...value, mask };
    });
    const isSame = found.every(({ mask }, index) => mask === built[index]);
    // A layer that gives its input back, such as a dropout outside training, gives back the one object, too.
    const results = layer
      .trace(found, options)
      .map((result) => found.find(({ tensor, mask }) => tensor === result.tensor && mask === result.mask) ?? result);
    if (isModel) return results;
    const masks = isSame
      ? results.map(({ mask }) => mask)
      : layer.computeMask(
          found.map(({ tensor }) => tensor),
          results.map(({ tensor }) => tensor),
          { ...options, kwargs, masks: built },
        );
    for (const [index, output] of outputs.entries()) this.#masks.set(output, masks[index]);
    return results;
  }
}
