import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { dotProductAttention } from '../../ops/attention.ts';
import { einsum } from '../../ops/einsum.ts';
import { multiply } from '../../ops/elementwise.ts';
import { repeat } from '../../ops/shape.ts';
import { Softmax } from '../activations/softmax.ts';
import type { EinsumDense } from '../core/einsum-dense.ts';
import { type Fields, type Options, positiveInteger } from '../fields.ts';
import type { KerasTensor } from '../keras-tensor.ts';
import { type CallContext, Layer, type LayerOutput, type Sublayers } from '../layer.ts';
import { Dropout } from '../regularization/dropout.ts';
import { attentionInputs, attentionMask, tensorArgument, withAxes } from './attention-mask.ts';
import { type ProjectionConfig, projection, projectionFields } from './projection.ts';

export interface GroupQueryAttentionConfig extends ProjectionConfig {
  headDim: number;
  numQueryHeads: number;
  /** Number of heads of keys and values, each shared by as many heads of queries as it takes. */
  numKeyValueHeads: number;
}

/**
 * Attention in which groups of query heads share one head of keys and values.
 *
 * Inputs are the query `[batch, queries, features]`, the value `[batch, keys, features]` and, if it differs, the key;
 * the output has the query's shape. The argument `returnAttentionScores` adds the weights
 * `[batch, heads, queries, keys]`; `attentionMask` and `useCausalMask` limit what a query sees.
 */
export class GroupQueryAttention extends Layer<GroupQueryAttentionConfig> {
  static readonly className = 'GroupQueryAttention';
  static readonly fields: Fields<GroupQueryAttentionConfig> = {
    ...projectionFields,
    headDim: positiveInteger(),
    numQueryHeads: positiveInteger(),
    numKeyValueHeads: positiveInteger(),
  };
  override readonly supportsMasking = true;
  override readonly inputForm = 'separate';
  readonly #softmax: Softmax;
  readonly #dropout: Dropout;
  #projections: Readonly<Record<'query' | 'key' | 'value' | 'output', EinsumDense>> | undefined;
  #gate: EinsumDense | undefined;

  constructor(options: Options<GroupQueryAttentionConfig, 'headDim' | 'numQueryHeads' | 'numKeyValueHeads'>) {
    super(GroupQueryAttention.className, GroupQueryAttention.fields, options);
    const { numQueryHeads, numKeyValueHeads, dropout, seed } = this.config;
    if (numQueryHeads % numKeyValueHeads !== 0) {
      throw new TypeError(
        `Cannot create GroupQueryAttention: found ${numQueryHeads} query heads and ${numKeyValueHeads} heads of ` +
          'keys and values, expected a multiple',
      );
    }
    this.#softmax = new Softmax({ name: 'softmax', axis: -1 });
    this.#dropout = new Dropout({ name: 'dropout', rate: dropout, seed });
  }

  override get sublayers(): Sublayers {
    if (this.#projections === undefined) return {};
    const { query, key, value, output } = this.#projections;
    const gate = this.#gate === undefined ? {} : { _gateDense: this.#gate };
    return {
      _queryDense: query,
      _keyDense: key,
      ...gate,
      _valueDense: value,
      _softmax: this.#softmax,
      _dropoutLayer: this.#dropout,
      _outputDense: output,
    };
  }

  protected override build([queryShape = [], value, key]: readonly PartialShape[]): void {
    const { config } = this;
    const { headDim, numQueryHeads, numKeyValueHeads } = config;
    const valueShape = value ?? queryShape;
    const features = queryShape.at(-1) ?? Number.NaN;
    const queries = ['bqm,muh->bquh', 'uh', [null, numQueryHeads, headDim]] as const;
    const keys = ['bkm,mvh->bkvh', 'vh', [null, numKeyValueHeads, headDim]] as const;
    this.#projections = {
      query: projection(config, 'query', ...queries),
      key: projection(config, 'key', ...keys),
      value: projection(config, 'value', ...keys),
      output: projection(config, 'attention_output', 'bquh,uhm->bqm', 'm', [null, features]),
    };
    this.#projections.query.ensureBuilt([queryShape]);
    this.#projections.key.ensureBuilt([key ?? valueShape]);
    this.#projections.value.ensureBuilt([valueShape]);
    this.#projections.output.ensureBuilt([[null, null, numQueryHeads, headDim]]);
    if (!config.useGate) return;
    this.#gate = projection(config, 'gate', ...queries, 'sigmoid');
    this.#gate.ensureBuilt([queryShape]);
  }

  /** Query, value and key may be given by name, too. */
  override applyAll(
    inputs: KerasTensor | readonly KerasTensor[],
    kwargs: Readonly<Record<string, unknown>> = {},
  ): readonly KerasTensor[] {
    const call = attentionInputs(inputs, kwargs);
    return super.applyAll(call.inputs, call.kwargs);
  }

  override call(inputs: readonly SymbolicTensor[], context: CallContext): LayerOutput {
    const [query, value = query, key = value] = inputs as [SymbolicTensor, SymbolicTensor?, SymbolicTensor?];
    const { kwargs, masks } = context;
    const { dropout, headDim, numQueryHeads, numKeyValueHeads, slidingWindow } = this.config;
    const projections = this.#projections as Record<'query' | 'key' | 'value' | 'output', EinsumDense>;
    const mask = attentionMask(
      {
        query: tensorArgument(kwargs.queryMask) ?? masks[0],
        value: tensorArgument(kwargs.valueMask) ?? masks[1],
        key: tensorArgument(kwargs.keyMask) ?? masks[2],
        attention: tensorArgument(kwargs.attentionMask),
        isCausal: kwargs.useCausalMask === true,
        slidingWindow,
      },
      query.shape[1] as number,
      value.shape[1] as number,
    );
    const returnScores = kwargs.returnAttentionScores === true;
    const visible = mask && withAxes(mask, 4, 2);
    const scale = 1 / Math.sqrt(headDim);
    const [q, k, v] = [
      projections.query.call([query]),
      projections.key.call([key]),
      projections.value.call([value]),
    ] as const;
    const finish = (outputs: SymbolicTensor): SymbolicTensor =>
      projections.output.call([this.#gate === undefined ? outputs : multiply(outputs, this.#gate.call([query]))]);
    if (dropout <= 0 && !returnScores) {
      return finish(dotProductAttention(q, k, v, { mask: visible ?? null, scale }));
    }
    const repeats = numQueryHeads / numKeyValueHeads;
    const logits = einsum('bquh,bkuh->buqk', multiply(q, scale), repeat(k, repeats, 2));
    const inner: CallContext = { ...context, masks: [visible], kwargs: {} };
    const scores = this.#softmax.call([logits], inner);
    const kept = this.#dropout.call([scores], { ...context, masks: [], kwargs: {} });
    const result = finish(einsum('buqk,bkuh->bquh', kept, repeat(v, repeats, 2)));
    return returnScores ? [result, scores] : result;
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
