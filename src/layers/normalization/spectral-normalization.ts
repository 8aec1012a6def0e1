import type { PartialShape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import { parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import { equal, where } from '../../ops/compare.ts';
import { divide, stopGradient } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { normalize } from '../../ops/normalization.ts';
import { cast, withShape } from '../../ops/operand.ts';
import { all } from '../../ops/reduce.ts';
import { reshape, swapaxes } from '../../ops/shape.ts';
import { Wrapper, type WrapperConfig, wrapperFields } from '../core/wrapper.ts';
import { type Fields, type Options, positiveInteger } from '../fields.ts';
import { createInitializer, type Initializer } from '../initializers.ts';
import type { CallContext } from '../layer.ts';

export interface SpectralNormalizationConfig extends WrapperConfig {
  /** Steps of the power iteration in each training step. */
  powerIterations: number;
}

/**
 * A layer whose kernel is divided, in training, by an estimate of its greatest singular value.
 *
 * Each training step refines the estimate by a power iteration; gradients see the division. As in Keras on JAX, the
 * kernel itself stays as the optimizer leaves it, and at inference it is taken as it is; Keras on TensorFlow puts the
 * divided kernel in its place before each step.
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

  override call([x]: readonly [SymbolicTensor], context: CallContext): readonly SymbolicTensor[] {
    const { layer } = this.config;
    const inputs = [{ tensor: x, mask: context.masks[0] }];
    const inner = context.training
      ? layer.withWeight(this.#kernel, this.#normalized(context), () => layer.trace(inputs, context))
      : layer.trace(inputs, context);
    // Keras gives the output the input's dtype, even where indices go in.
    return inner.map(({ tensor }) => cast(tensor, x.dtype));
  }

  /** The kernel divided by its greatest singular value; one that is 0 altogether stays so. */
  #normalized({ update }: CallContext): SymbolicTensor {
    const kernel = parameter(this.#kernel);
    const weights = reshape(kernel, [-1, kernel.shape.at(-1) as number]);
    const before = this.weight('vector_u');
    let [u, v] = [before, before];
    for (let iteration = 0; iteration < this.config.powerIterations; iteration++) {
      v = normalize(matmul(u, swapaxes(weights, 0, 1)), null);
      u = normalize(matmul(v, weights), null);
    }
    [u, v] = [stopGradient(u), stopGradient(v)];
    const sigma = matmul(matmul(v, weights), swapaxes(u, 0, 1));
    const isZero = reshape(all(equal(kernel, 0)), [1, 1]);
    update?.(this.#vector, where(isZero, before, u));
    return divide(kernel, withShape(where(isZero, 1, sigma), []));
  }

  get #vector(): Variable {
    return this.ownWeights.find(({ name }) => name === 'vector_u') as Variable;
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
