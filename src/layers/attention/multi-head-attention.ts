import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { dotProductAttention } from '../../ops/attention.ts';
import { einsum } from '../../ops/einsum.ts';
import { multiply } from '../../ops/elementwise.ts';
import { Softmax } from '../activations/softmax.ts';
import type { EinsumDense } from '../core/einsum-dense.ts';
import { anything, boolean, type Field, type Fields, nullable, type Options, positiveInteger } from '../fields.ts';
import type { KerasTensor } from '../keras-tensor.ts';
import {
  type CallContext,
  Layer,
  type LayerOutput,
  type MaskedTensor,
  type MaskWatch,
  type Sublayers,
  type TraceOptions,
} from '../layer.ts';
import { Dropout } from '../regularization/dropout.ts';
import { attentionInputs, attentionMask, tensorArgument, withAxes } from './attention-mask.ts';
import { BuiltMasks } from './built-masks.ts';
import { type ProjectionConfig, projection, projectionFields } from './projection.ts';

export interface MultiHeadAttentionConfig extends ProjectionConfig {
  numHeads: number;
  /** Size of each head for queries and keys. */
  keyDim: number;
  /** Size of each head for values; by default that of the keys. */
  valueDim: number | null;
  /** Extents of the output behind the batch and the queries; by default that of the queries' features. */
  outputShape: readonly number[] | null;
  /** Axes over which attention runs; by default all but the batch and the features. */
  attentionAxes: readonly number[] | null;
  /**
   * Whether the masks of the inputs end here, as in Keras since 3.8: who reads an input after this layer, such as the
   * sum around a residual block, finds no mask on it. The output has the query's mask either way.
   */
  takesMasks: boolean;
}

export type MultiHeadAttentionOptions = Options<
  Omit<MultiHeadAttentionConfig, 'outputShape' | 'attentionAxes'>,
  'numHeads' | 'keyDim'
> & {
  readonly outputShape?: number | readonly number[] | null | undefined;
  readonly attentionAxes?: number | readonly number[] | null | undefined;
};

/** One integer or a list, kept as a list. */
function integers(): Field<readonly number[] | null> {
  const field = anything<readonly number[] | null>(
    'an integer, a list of integers, or null',
    (value) => value === null || (Array.isArray(value) && value.every(Number.isInteger)),
    null,
  );
  return { ...field, parse: (value) => field.parse(Number.isInteger(value) ? [value] : value) };
}

/**
 * Attention with several heads, each over its own projections of queries, keys and values.
 *
 * Inputs are the query `[batch, …queries, features]`, the value `[batch, …keys, features]` and, if it differs, the key;
 * the output is `[batch, …queries, features]`. The argument `returnAttentionScores` adds the weights
 * `[batch, heads, …queries, …keys]`; `attentionMask` and `useCausalMask` limit what a query sees.
 */
export class MultiHeadAttention extends Layer<MultiHeadAttentionConfig> {
  static readonly className = 'MultiHeadAttention';
  static readonly fields: Fields<MultiHeadAttentionConfig> = {
    ...projectionFields,
    numHeads: positiveInteger(),
    keyDim: positiveInteger(),
    valueDim: nullable(positiveInteger()),
    outputShape: integers(),
    attentionAxes: integers(),
    takesMasks: boolean(true),
  };
  override readonly supportsMasking = true;
  override readonly inputForm = 'separate';
  readonly #dropout: Dropout;
  #projections: Readonly<Record<'query' | 'key' | 'value' | 'output', EinsumDense>> | undefined;
  #gate: EinsumDense | undefined;
  #softmax = new Softmax({ name: 'softmax' });

  constructor(options: MultiHeadAttentionOptions) {
    super(MultiHeadAttention.className, MultiHeadAttention.fields, options);
    this.#dropout = new Dropout({ name: 'dropout', rate: this.config.dropout, seed: this.config.seed });
  }

  override get sublayers(): Sublayers {
    if (this.#projections === undefined) return {};
    const { query, key, value, output } = this.#projections;
    const gate = this.#gate === undefined ? {} : { _gateDense: this.#gate };
    return {
      queryDense: query,
      keyDense: key,
      ...gate,
      valueDense: value,
      _softmax: this.#softmax,
      _dropoutLayer: this.#dropout,
      outputDense: output,
    };
  }

  /** Those of Keras before 3.0.4, and of tf.keras. */
  override get oldAttributes(): Readonly<Record<string, string>> {
    return { queryDense: '_queryDense', keyDense: '_keyDense', valueDense: '_valueDense', outputDense: '_outputDense' };
  }

  protected override build([queryShape = [], value, key]: readonly PartialShape[]): void {
    const { config } = this;
    const valueShape = value ?? queryShape;
    const keyShape = key ?? valueShape;
    const valueDim = config.valueDim ?? config.keyDim;
    const projected = (
      name: string,
      shape: PartialShape,
      size: number,
      activation: 'sigmoid' | 'linear' = 'linear',
    ) => {
      const { equation, biasAxes } = projectionEquation(shape.length - 1, 1, 2);
      const between = new Array<null>(shape.length - 2).fill(null);
      const dense = projection(config, name, equation, biasAxes, [...between, config.numHeads, size], activation);
      dense.ensureBuilt([shape]);
      return dense;
    };
    const rest = config.outputShape ?? [queryShape.at(-1) ?? Number.NaN];
    const { equation, biasAxes } = projectionEquation(queryShape.length - 1, 2, rest.length);
    const between = new Array<null>(queryShape.length - 2).fill(null);
    const output = projection(config, 'attention_output', equation, biasAxes, [...between, ...rest]);
    output.ensureBuilt([[...queryShape.slice(0, -1), config.numHeads, valueDim]]);
    this.#projections = {
      query: projected('query', queryShape, config.keyDim),
      key: projected('key', keyShape, config.keyDim),
      value: projected('value', valueShape, valueDim),
      output,
    };
    if (config.useGate) this.#gate = projected('gate', queryShape, valueDim, 'sigmoid');
    const axes = this.#axes(queryShape.length).length;
    this.#softmax = new Softmax({ name: 'softmax', axis: Array.from({ length: axes }, (_, index) => index - axes) });
  }

  /** The axes of attention in inputs of so many axes, counted from 0. */
  #axes(ndim: number): readonly number[] {
    const given = this.config.attentionAxes;
    if (given === null) return Array.from({ length: ndim - 2 }, (_, index) => index + 1);
    return given.map((axis) => (axis < 0 ? ndim + axis : axis));
  }

  /** Query, value and key may be given by name, too. */
  override applyAll(
    inputs: KerasTensor | readonly KerasTensor[],
    kwargs: Readonly<Record<string, unknown>> = {},
  ): readonly KerasTensor[] {
    const call = attentionInputs(inputs, kwargs);
    return super.applyAll(call.inputs, call.kwargs);
  }

  override watchMasks(): MaskWatch | undefined {
    return this.config.takesMasks ? new BuiltMasks() : undefined;
  }

  override trace(inputs: readonly MaskedTensor[], options: TraceOptions): readonly MaskedTensor[] {
    const outputs = super.trace(inputs, options);
    if (this.config.takesMasks) for (const input of inputs) input.mask = undefined;
    return outputs;
  }

  override call(inputs: readonly SymbolicTensor[], context: CallContext): LayerOutput {
    const [query, value = query, key = value] = inputs as [SymbolicTensor, SymbolicTensor?, SymbolicTensor?];
    const { kwargs, masks } = context;
    const projections = this.#projections as Record<'query' | 'key' | 'value' | 'output', EinsumDense>;
    const mask = attentionMask(
      {
        query: masks[0],
        value: tensorArgument(kwargs.valueMask) ?? masks[1],
        key: tensorArgument(kwargs.keyMask) ?? masks[2],
        attention: tensorArgument(kwargs.attentionMask),
        isCausal: kwargs.useCausalMask === true,
        slidingWindow: this.config.slidingWindow,
      },
      query.shape[1] as number,
      value.shape[1] as number,
    );
    const returnScores = kwargs.returnAttentionScores === true;
    const [outputs, scores] = this.#attend(
      projections.query.call([query]),
      projections.key.call([key]),
      projections.value.call([value]),
      mask,
      returnScores,
      context,
    );
    const gated = this.#gate === undefined ? outputs : multiply(outputs, this.#gate.call([query]));
    const result = projections.output.call([gated]);
    return returnScores ? [result, scores as SymbolicTensor] : result;
  }

  /** Inputs are `[batch, …, heads, size]`; the scores come only from the path that Keras takes for them. */
  #attend(
    query: SymbolicTensor,
    key: SymbolicTensor,
    value: SymbolicTensor,
    mask: SymbolicTensor | undefined,
    returnScores: boolean,
    context: CallContext,
  ): readonly [SymbolicTensor, SymbolicTensor?] {
    const axes = this.#axes(query.shape.length - 1);
    const scale = 1 / Math.sqrt(this.config.keyDim);
    // The two paths differ where a query sees nothing: here its weights are equal, below they are 0.
    if (this.config.dropout <= 0 && !returnScores && query.shape.length === 4) {
      const visible = mask === undefined ? null : withAxes(mask, 4, 2 * axes.length);
      return [dotProductAttention(query, key, value, { mask: visible, scale })];
    }
    const { dot, combine, ndim } = attentionEquations(query.shape.length, axes);
    const logits = einsum(dot, key, multiply(query, scale));
    const visible = mask && withAxes(mask, ndim, 2 * axes.length);
    const inner: CallContext = { ...context, masks: [visible], kwargs: {} };
    const scores = this.#softmax.call([logits], inner);
    const kept = this.#dropout.call([scores], { ...context, masks: [], kwargs: {} });
    return [einsum(combine, kept, value), scores];
  }

  /** The mask of the query goes on. */
  override computeMask(
    _inputs: readonly SymbolicTensor[],
    outputs: readonly SymbolicTensor[],
    { masks }: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    return outputs.map((_, index) => (index === 0 ? masks[0] : undefined));
  }
}

const letter = (index: number): string => String.fromCharCode('a'.charCodeAt(0) + index);
const letters = (from: number, count: number): string =>
  Array.from({ length: count }, (_, index) => letter(from + index)).join('');

/** An einsum that keeps `free` axes and turns `bound` ones into `output` new ones, which the bias has too. */
function projectionEquation(free: number, bound: number, output: number): { equation: string; biasAxes: string } {
  const kept = letters(0, free);
  const summed = letters(free, bound);
  const biasAxes = letters(free + bound, output);
  return { equation: `${kept}${summed},${summed}${biasAxes}->${kept}${biasAxes}`, biasAxes };
}

/**
 * Einsums from keys and queries `[batch, …, heads, size]` to scores `[batch, …others, heads, …queries, …keys]`, and
 * from these and the values to outputs of the queries' shape.
 */
function attentionEquations(ndim: number, axes: readonly number[]): { dot: string; combine: string; ndim: number } {
  const target = letters(0, ndim);
  let next = ndim;
  const source = [...target].map((name, axis) => (axes.includes(axis) ? letter(next++) : name)).join('');
  const batch = [...target].filter((_, axis) => axis < ndim - 1 && !axes.includes(axis)).join('');
  const pick = (names: string): string => axes.map((axis) => names[axis]).join('');
  const scores = `${batch}${pick(target)}${pick(source)}`;
  return { dot: `${source},${target}->${scores}`, combine: `${scores},${source}->${target}`, ndim: scores.length };
}
