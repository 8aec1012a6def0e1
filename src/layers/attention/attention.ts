/** Attention without projections, over the inputs `[query, value]` or `[query, value, key]`. */
import type { PartialShape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import { SymbolicTensor } from '../../graph/node.ts';
import { softmax } from '../../ops/activations.ts';
import { where } from '../../ops/compare.ts';
import { add, multiply, subtract, tanh } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { cast } from '../../ops/operand.ts';
import { sum } from '../../ops/reduce.ts';
import { expandDims, swapaxes } from '../../ops/shape.ts';
import { boolean, type Fields, integer, nullable, number, type Options, oneOf } from '../fields.ts';
import { createInitializer, type Initializer } from '../initializers.ts';
import { type CallContext, Layer, type LayerConfig, type LayerOutput, layerFields } from '../layer.ts';
import { drawFor, drop } from '../regularization/drop.ts';
import { attentionMask } from './attention-mask.ts';

/** What a masked score loses: Keras' number, which leaves a row that sees nothing as it would be without a mask. */
const MASKED_LOSS = 1e9;

export interface AdditiveAttentionConfig extends LayerConfig {
  useScale: boolean;
  /** Share of the weights that training drops. */
  dropout: number;
  seed: number | null;
  /** Whether no query sees a later key; an option of Keras 2, an argument of the call since. */
  causal: boolean;
}

export interface AttentionConfig extends AdditiveAttentionConfig {
  scoreMode: 'dot' | 'concat';
}

const baseFields: Fields<AdditiveAttentionConfig> = {
  ...layerFields,
  useScale: boolean(false),
  dropout: number(0),
  seed: nullable(integer()),
  causal: boolean(false),
};

/** Masks come from the inputs or as the argument `mask`, a list; those of query and value count. */
abstract class ScoredAttention<C extends AdditiveAttentionConfig> extends Layer<C> {
  override readonly supportsMasking = true;
  override readonly hasMaskArgument = true;
  override readonly inputForm = 'list';

  override get callArguments(): Readonly<Record<string, string>> {
    return { causal: 'use_causal_mask' };
  }

  /** Scores `[batch, queries, keys]`. */
  protected abstract scores(query: SymbolicTensor, key: SymbolicTensor): SymbolicTensor;

  protected override build(inputShapes: readonly PartialShape[]): void {
    if (inputShapes.length === 2 || inputShapes.length === 3) return;
    throw new ShapeError(
      `Cannot build layer "${this.name}": found ${inputShapes.length} inputs, ` +
        'expected [query, value] or [query, value, key]',
    );
  }

  override call(inputs: readonly SymbolicTensor[], context: CallContext): LayerOutput {
    const [query, value, key = value] = inputs as [SymbolicTensor, SymbolicTensor, SymbolicTensor?];
    const [queryMask, valueMask] = masksOf(context);
    const scores = this.scores(query, key);
    const isCausal = this.config.causal || context.kwargs.useCausalMask === true;
    const [queries, keys] = scores.shape.slice(-2) as [number, number];
    const visible = attentionMask({ value: valueMask, isCausal, slidingWindow: null }, queries, keys);
    const masked = visible === undefined ? scores : where(visible, scores, subtract(scores, MASKED_LOSS));
    const weights = this.#dropped(softmax(masked, -1), context);
    const product = matmul(weights, value);
    const output = queryMask === undefined ? product : where(expandDims(cast(queryMask, 'bool'), -1), product, 0);
    return context.kwargs.returnAttentionScores === true ? [output, weights] : output;
  }

  /** In training, some of the weights. */
  #dropped(weights: SymbolicTensor, context: CallContext): SymbolicTensor {
    const { dropout } = this.config;
    if (!context.training || dropout <= 0) return weights;
    return drop(weights, dropout, weights.shape, drawFor(this, context, this.config.seed));
  }

  /** The mask of the query goes on. */
  override computeMask(
    _inputs: readonly SymbolicTensor[],
    outputs: readonly SymbolicTensor[],
    context: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    return outputs.map((_, index) => (index === 0 ? masksOf(context)[0] : undefined));
  }
}

function masksOf({ kwargs, masks }: CallContext): readonly (SymbolicTensor | undefined)[] {
  if (!Array.isArray(kwargs.mask)) return masks;
  return kwargs.mask.map((mask: unknown) => (mask instanceof SymbolicTensor ? mask : undefined));
}

const ONES = createInitializer('Ones') as Initializer;
const GLOROT = createInitializer('GlorotUniform') as Initializer;

/** Attention by products of queries and keys, or, with `scoreMode: 'concat'`, by sums of `tanh(query + key)`. */
export class Attention extends ScoredAttention<AttentionConfig> {
  static readonly className = 'Attention';
  static readonly fields: Fields<AttentionConfig> = { ...baseFields, scoreMode: oneOf(['dot', 'concat'], 'dot') };

  constructor(options: Options<AttentionConfig> = {}) {
    super(Attention.className, Attention.fields, options);
  }

  protected override build(inputShapes: readonly PartialShape[]): void {
    super.build(inputShapes);
    if (this.config.useScale) this.addWeight('scale', [], { initializer: ONES });
    if (this.config.scoreMode === 'concat') this.addWeight('concat_score_weight', [], { initializer: ONES });
  }

  protected override scores(query: SymbolicTensor, key: SymbolicTensor): SymbolicTensor {
    const scaled = (x: SymbolicTensor): SymbolicTensor =>
      this.config.useScale ? multiply(x, this.weight('scale')) : x;
    if (this.config.scoreMode === 'dot') return scaled(matmul(query, swapaxes(key, -2, -1)));
    const sums = add(expandDims(query, -2), expandDims(key, -3));
    return multiply(this.weight('concat_score_weight'), sum(tanh(scaled(sums)), -1));
  }
}

/** Attention by sums of `scale · tanh(query + key)`, with a scale for each feature. */
export class AdditiveAttention extends ScoredAttention<AdditiveAttentionConfig> {
  static readonly className = 'AdditiveAttention';
  static readonly fields: Fields<AdditiveAttentionConfig> = { ...baseFields, useScale: boolean(true) };

  constructor(options: Options<AdditiveAttentionConfig> = {}) {
    super(AdditiveAttention.className, AdditiveAttention.fields, options);
  }

  protected override build(inputShapes: readonly PartialShape[]): void {
    super.build(inputShapes);
    const features = inputShapes[0]?.at(-1) ?? Number.NaN;
    if (this.config.useScale) this.addWeight('scale', [features], { initializer: GLOROT });
  }

  protected override scores(query: SymbolicTensor, key: SymbolicTensor): SymbolicTensor {
    const sums = tanh(add(expandDims(query, -2), expandDims(key, -3)));
    return sum(this.config.useScale ? multiply(sums, this.weight('scale')) : sums, -1);
  }
}
