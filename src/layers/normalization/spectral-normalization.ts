import type { PartialShape } from '../../array/shape.ts';
import { ShapeError, UnsupportedError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { cast } from '../../ops/operand.ts';
import { Wrapper, type WrapperConfig, wrapperFields } from '../core/wrapper.ts';
import { type Fields, type Options, positiveInteger } from '../fields.ts';
import { createInitializer, type Initializer } from '../initializers.ts';
import type { CallContext } from '../layer.ts';

export interface SpectralNormalizationConfig extends WrapperConfig {
  /** Steps of the power iteration in each training step. */
  powerIterations: number;
}

/**
 * A layer whose kernel is divided by its greatest singular value in each training step; at inference it is as the last
 * training step left it.
 *
 * Its own weights are the kernel of the layer inside and `vector_u`, the estimate of the singular vector.
 */
export class SpectralNormalization extends Wrapper<SpectralNormalizationConfig> {
  static readonly className = 'SpectralNormalization';
  static readonly fields: Fields<SpectralNormalizationConfig> = {
    ...wrapperFields,
    powerIterations: positiveInteger(1),
  };

  constructor(options: Options<SpectralNormalizationConfig, 'layer'>) {
    super(SpectralNormalization.className, SpectralNormalization.fields, options);
  }

  /** @throws {ShapeError} when the layer inside has neither `kernel` nor `embeddings`. */
  protected override build(inputShapes: readonly PartialShape[]): void {
    super.build(inputShapes);
    const initializer = createInitializer('TruncatedNormal', { stddev: 0.02 }) as Initializer;
    this.addWeight('vector_u', [1, this.#kernel.shape.at(-1) as number], { initializer, trainable: false });
  }

  override get ownWeights(): readonly Variable[] {
    return this.built ? [this.#kernel, ...super.ownWeights] : [];
  }

  /** @throws {UnsupportedError} in training, where the normalized kernel would have to stand for the kernel. */
  override call([x]: readonly [SymbolicTensor], context: CallContext): readonly SymbolicTensor[] {
    if (context.training) {
      throw new UnsupportedError(
        `Cannot train layer "${this.name}": the power iteration of SpectralNormalization is not supported; ` +
          `set its trainable to false and call it with training: false`,
        'SpectralNormalization in training',
      );
    }
    const inner = this.config.layer.trace([{ tensor: x, mask: context.masks[0] }], context);
    // Keras gives the output the input's dtype, even where indices go in.
    return inner.map(({ tensor }) => cast(tensor, x.dtype));
  }

  get #kernel(): Variable {
    const { layer } = this.config;
    const kernel = layer.ownWeights.find(({ name }) => name === 'kernel' || name === 'embeddings');
    if (kernel !== undefined) return kernel;
    throw new ShapeError(
      `Cannot build layer "${this.name}": found layer "${layer.name}" (${layer.className}), ` +
        `expected one with a weight "kernel" or "embeddings"`,
    );
  }
}
