import { formatShape } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import { apply } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { softmax } from './activations.ts';
import { logicalAnd, where } from './compare.ts';
import { coordinates } from './creation.ts';
import { add, multiply } from './elementwise.ts';
import { type Operand, toFloat, toSymbol, withShape } from './operand.ts';
import { repeat, transpose } from './shape.ts';

/** What a masked logit becomes: small enough to vanish, yet finite, so that a row without any is no NaN. */
const MASKED_LOGIT = -0.7 * 3.4028234663852886e38;

export interface AttentionOptions {
  /** Added to the logits; broadcasts to `[batch, heads, queries, keys]`. */
  readonly bias?: Operand | null;
  /** True where a query may look; broadcasts to `[batch, heads, queries, keys]`. */
  readonly mask?: Operand | null;
  /** Factor of the logits; by default 1/√depth. */
  readonly scale?: number | null;
  /** No query sees a later key. */
  readonly isCausal?: boolean;
}

/**
 * `softmax(query · keyᵀ · scale + bias) · value`, over tensors `[batch, time, heads, depth]`.
 *
 * Keys and values may have fewer heads than queries: consecutive query heads share them.
 *
 * @throws {ShapeError} when the tensors have not four axes or the heads do not divide.
 */
export function dotProductAttention(
  query: Operand,
  key: Operand,
  value: Operand,
  options: AttentionOptions = {},
): SymbolicTensor {
  const { bias = null, mask = null, scale = null, isCausal = false } = options;
  const [queries, keys, values] = [toFloat(query), toFloat(key), toFloat(value)];
  const [heads, keyHeads] = [queries.shape[2] ?? 0, keys.shape[2] ?? 0];
  if ([queries, keys, values].some(({ shape }) => shape.length !== 4) || heads % keyHeads !== 0) {
    const found = [queries, keys, values].map(({ shape }) => formatShape(shape)).join(', ');
    throw new ShapeError(`Cannot attend: found ${found}, expected three tensors [batch, time, heads, depth]`);
  }
  const byHead = (x: SymbolicTensor): SymbolicTensor =>
    transpose(repeat(x, heads / (x.shape[2] as number), 2), [0, 2, 1, 3]);
  const factor = scale ?? 1 / Math.sqrt(queries.shape[3] as number);
  const scaled = multiply(transpose(queries, [0, 2, 1, 3]), factor);
  const products = apply('dot', [scaled, byHead(keys)], { transposeLeft: false, transposeRight: true });
  const logits = bias === null ? products : add(products, spread(bias));
  const visible = visibility(mask, isCausal, logits);
  const masked = visible === null ? logits : where(visible, logits, MASKED_LOGIT);
  const outputs = apply('dot', [softmax(masked), byHead(values)], { transposeLeft: false, transposeRight: false });
  return transpose(outputs, [0, 2, 1, 3]);
}

/** A bias or mask with fewer axes is that of all heads. */
function spread(x: Operand): SymbolicTensor {
  const symbol = toSymbol(x);
  if (symbol.shape.length !== 3) return symbol;
  const [batch, queries, keys] = symbol.shape as [number, number, number];
  return withShape(symbol, [batch, 1, queries, keys]);
}

function visibility(mask: Operand | null, isCausal: boolean, logits: SymbolicTensor): SymbolicTensor | null {
  const given = mask === null ? null : spread(mask);
  if (!isCausal) return given;
  const shape = logits.shape.slice(-2);
  const causal = apply('greaterEqual', [coordinates(shape, 0), coordinates(shape, 1)], {});
  return given === null ? causal : logicalAnd(given, causal);
}
