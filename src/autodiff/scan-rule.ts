/**
 * The gradient of a loop is a loop in the other direction.
 *
 * Its body needs values of the loop's own: the carries that each step began with, and what the steps computed. Results
 * of contractions, reductions and the like are kept from a loop that runs forwards and stacks them; element-wise work
 * is done again. The compiler joins that loop with the original one.
 *
 * Gradients of weights are sums over the steps. Those that are products of two values of a step are not summed step by
 * step: the factors are stacked, and one product over all steps follows the loop.
 */
import { apply, applyAll, input } from '../graph/apply.ts';
import { type AnyNode, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type { PrimitiveAttributes, PrimitiveName } from '../graph/primitives.ts';
import { zeros } from '../ops/creation.ts';
import { add } from '../ops/elementwise.ts';
import { withShape } from '../ops/operand.ts';
import { transpose } from '../ops/shape.ts';
import type { Cotangent, GradientCall, GradientRule } from './gradient-rule.ts';
import { sumTerms } from './sum-terms.ts';

export const scanRule: GradientRule<'scan'> = (dys, call) => {
  const { attributes, inputs, outputs, wanted } = call;
  const { body, length, carryCount, sequenceCount, reverse } = attributes;
  const isCarry = (index: number): boolean => index < carryCount;
  const isSequence = (index: number): boolean => !isCarry(index) && index < carryCount + sequenceCount;
  const active = activeInputs(call);
  if (active.length === 0) return [];

  // What comes to the outputs of a step: from the step after it for carries, from the stacked outputs' gradients.
  const cotangents: (Cotangent & { readonly output: number })[] = [];
  for (const [output, symbol] of body.outputs.entries()) {
    const reaches = isCarry(output) ? active.includes(output) : dys[output] != null;
    if (!reaches) continue;
    const { shape, dtype } = symbol;
    cotangents.push({ output, symbol, gradient: input(`gradient ${output}`, { shape, dtype }) });
  }
  const terms = call.pullback(
    cotangents,
    active.map((index) => body.inputs[index] as SymbolicTensor),
  );

  const backward = new BackwardBody();
  const carried: { readonly index: number; readonly next: SymbolicTensor }[] = [];
  const collected = new Map<number, Collect>();
  for (const [position, index] of active.entries()) {
    const [list, symbol] = [terms[position] as readonly SymbolicTensor[], body.inputs[index] as SymbolicTensor];
    if (isCarry(index)) carried.push({ index, next: sumTerms(list) ?? zeros(symbol.shape) });
    else if (isSequence(index)) collected.set(index, backward.stack(sumTerms(list) ?? zeros(symbol.shape)));
    else collected.set(index, backward.collect(list, symbol));
  }

  const carries = [...carried.map(({ next }) => next), ...backward.accumulators.map(({ next }) => next)];
  const values = new StepValues(call, [...carries, ...backward.stacked]);
  const stacked = backward.stacked.filter((symbol) => values.wholeOf(symbol) === undefined);
  const closed = values.close([...carries, ...stacked]);
  const stackedGradients = cotangents.filter(({ output }) => !isCarry(output));
  const gradientOfCarry = (index: number): Cotangent => cotangents.find(({ output }) => output === index) as Cotangent;
  const found = applyAll(
    'scan',
    [
      ...carried.map(({ index }) => dys[index] ?? zeros((outputs[index] as SymbolicTensor).shape)),
      ...backward.accumulators.map(({ current }) => zeros(current.shape)),
      ...stackedGradients.map(({ output }) => dys[output] as SymbolicTensor),
      ...closed.sequences.map(({ whole }) => whole),
      ...closed.further.map((index) => inputs[index] as SymbolicTensor),
    ],
    {
      body: {
        inputs: [
          ...carried.map(({ index }) => gradientOfCarry(index).gradient),
          ...backward.accumulators.map(({ current }) => current),
          ...stackedGradients.map(({ gradient }) => gradient),
          ...closed.sequences.map(({ step }) => step),
          ...closed.further.map((index) => body.inputs[index] as SymbolicTensor),
        ],
        outputs: closed.outputs,
      },
      length,
      carryCount: carries.length,
      sequenceCount: stackedGradients.length + closed.sequences.length,
      reverse: !reverse,
    },
  );

  const gradients = inputs.map((): SymbolicTensor | null => null);
  for (const [offset, { index }] of carried.entries()) gradients[index] = found[offset] as SymbolicTensor;
  for (const [index, collect] of collected) {
    gradients[index] = collect(
      (accumulator) => found[carried.length + accumulator] as SymbolicTensor,
      (symbol) => values.wholeOf(symbol) ?? (found[carries.length + stacked.indexOf(symbol)] as SymbolicTensor),
    );
  }
  return gradients.map((gradient, index) => (wanted[index] ? gradient : null));
};

/** The inputs whose gradients the loop has to compute: those wanted, and the carries on the way to them. */
function activeInputs({ attributes: { body, carryCount }, wanted, dependents }: GradientCall<'scan'>): number[] {
  const active = new Set([...body.inputs.keys()].filter((index) => wanted[index]));
  for (let size = -1; size !== active.size; ) {
    size = active.size;
    const reached = dependents(
      body.outputs,
      [...active].map((index) => body.inputs[index] as SymbolicTensor),
    );
    for (let index = 0; index < carryCount; index++) {
      if (reached.has(body.outputs[index] as SymbolicTensor)) active.add(index);
    }
  }
  return [...active].sort((a, b) => a - b);
}

/** Gives a gradient from the final values of the accumulators, by number, and from all steps of stacked values. */
type Collect = (
  accumulated: (accumulator: number) => SymbolicTensor,
  stacked: (symbol: SymbolicTensor) => SymbolicTensor,
) => SymbolicTensor;

/** What the loop backwards computes beside the gradients of carries. */
class BackwardBody {
  /** Running sums over the steps. */
  readonly accumulators: { readonly current: SymbolicTensor; readonly next: SymbolicTensor }[] = [];
  /** What is wanted of every step. */
  readonly stacked: SymbolicTensor[] = [];

  /** The values of all steps. */
  stack(symbol: SymbolicTensor): Collect {
    if (!this.stacked.includes(symbol)) this.stacked.push(symbol);
    return (_, stacked) => stacked(symbol);
  }

  /** The sum over all steps, for a value that all of them use. */
  collect(terms: readonly SymbolicTensor[], { shape }: SymbolicTensor): Collect {
    const parts: Collect[] = [];
    const others: SymbolicTensor[] = [];
    for (const term of terms) {
      const product = this.#collectProduct(term);
      if (product === undefined) others.push(term);
      else parts.push(product);
    }
    const rest = sumTerms(others);
    if (rest !== undefined) {
      const number = this.accumulators.length;
      const current = input(`sum ${number}`, { shape, dtype: 'float32' });
      this.accumulators.push({ current, next: add(current, rest) });
      parts.push((accumulated) => accumulated(number));
    }
    return (...found) => sumTerms(parts.map((part) => withShape(part(...found), shape))) ?? zeros(shape);
  }

  /** A product of two values of the step: over all steps, one product of the values side by side. */
  #collectProduct(term: SymbolicTensor): Collect | undefined {
    let { node } = term;
    while (node.primitive === 'reshape') node = (node.inputs[0] as SymbolicTensor).node;
    if (node.primitive === 'dot' && node.inputs[0]?.shape.length === 2) {
      const { transposeLeft, transposeRight } = node.attributes;
      const [left, right] = node.inputs.map((symbol) => this.stack(symbol)) as [Collect, Collect];
      return (...found) =>
        apply('dot', [inRows(left(...found), !transposeLeft), inRows(right(...found), transposeRight)], {
          transposeLeft: true,
          transposeRight: false,
        });
    }
    if (node.primitive === 'convolveFilterGradient') {
      const { attributes } = node;
      const [x, dy] = node.inputs.map((symbol) => this.stack(symbol)) as [Collect, Collect];
      return (...found) =>
        apply('convolveFilterGradient', [joinSteps(x(...found)), joinSteps(dy(...found))], attributes);
    }
    return undefined;
  }
}

/** The matrices of all steps `[steps, k, n]` as rows of one, `[steps · k, n]`. */
function inRows(stacked: SymbolicTensor, isTransposed: boolean): SymbolicTensor {
  return joinSteps(isTransposed ? transpose(stacked, [0, 2, 1]) : stacked);
}

/** One axis for the steps and for the first axis of what each step kept. */
function joinSteps(stacked: SymbolicTensor): SymbolicTensor {
  const [steps, first, ...rest] = stacked.shape as readonly [number, number, ...number[]];
  return withShape(stacked, [steps * first, ...rest]);
}

/** What is dearer to compute again than to keep. */
const KEPT: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  ...(['dot', 'convolve', 'convolveInputGradient', 'convolveFilterGradient'] as const),
  ...(['maxPool', 'averagePool', 'maxPoolGradient', 'averagePoolGradient'] as const),
  ...(['sum', 'product', 'max', 'min', 'argMax', 'argMin'] as const),
  ...(['cumulativeSum', 'cumulativeProduct', 'cumulativeMax', 'cumulativeMin'] as const),
  ...(['gather', 'takeAlongAxis', 'scatterAdd', 'argSort', 'scan', 'host'] as const),
]);

/** A body for a loop backwards: what of the loop it needs, and how it names that. */
interface ClosedBody {
  /** Depend on `step`s in place of what was computed. */
  readonly outputs: readonly SymbolicTensor[];
  readonly sequences: readonly { readonly step: SymbolicTensor; readonly whole: SymbolicTensor }[];
  /** Which inputs of the loop it uses unchanged. */
  readonly further: readonly number[];
}

/** The values of a loop's steps that some results depend on, each stacked over all steps. */
class StepValues {
  readonly #places: ReadonlyMap<SymbolicTensor, number>;
  readonly #changing: ReadonlySet<AnyNode>;
  readonly #attributes: PrimitiveAttributes['scan'];
  readonly #wholes: ReadonlyMap<SymbolicTensor, SymbolicTensor>;

  constructor({ inputs, outputs, attributes }: GradientCall<'scan'>, results: readonly SymbolicTensor[]) {
    const { body, carryCount, sequenceCount } = attributes;
    this.#attributes = attributes;
    this.#places = new Map(body.inputs.map((symbol, index) => [symbol, index]));
    this.#changing = nodesThatChange(attributes);
    const { used, kept } = this.#needsOf(results);
    const carries = used.filter((symbol) => (this.#places.get(symbol) as number) < carryCount);
    const sequences = body.inputs.slice(carryCount, carryCount + sequenceCount);
    this.#wholes = new Map([
      ...stackValues([...carries, ...kept], inputs, outputs, attributes),
      ...sequences.map((symbol, index) => [symbol, inputs[carryCount + index] as SymbolicTensor] as const),
    ]);
  }

  /** All steps of a value, if the loop has them. */
  wholeOf(symbol: SymbolicTensor): SymbolicTensor | undefined {
    return this.#wholes.get(symbol);
  }

  /** @param results among those of the constructor */
  close(results: readonly SymbolicTensor[]): ClosedBody {
    const { carryCount, sequenceCount } = this.#attributes;
    const { used, kept } = this.#needsOf(results);
    const steps = new Map(kept.map((symbol, index) => [symbol, input(`kept ${index}`, symbol)]));
    const places = used.map((symbol) => this.#places.get(symbol) as number);
    const stepwise = used.filter((_, index) => (places[index] as number) < carryCount + sequenceCount);
    return {
      outputs: substitute(results, steps),
      sequences: [...stepwise, ...kept].map((symbol) => {
        return { step: steps.get(symbol) ?? symbol, whole: this.#wholes.get(symbol) as SymbolicTensor };
      }),
      further: places.filter((place) => place >= carryCount + sequenceCount),
    };
  }

  /** The inputs of the body, and the values computed in it, from which the results can be computed cheaply. */
  #needsOf(results: readonly SymbolicTensor[]): { used: SymbolicTensor[]; kept: SymbolicTensor[] } {
    const [used, kept]: [SymbolicTensor[], SymbolicTensor[]] = [[], []];
    visit(results, (symbol) => {
      if (this.#places.has(symbol)) used.push(symbol);
      else if (this.#changing.has(symbol.node) && KEPT.has(symbol.node.primitive)) kept.push(symbol);
      else return true;
      return false;
    });
    return { used, kept };
  }
}

/** Nodes of a body that differ from step to step. */
function nodesThatChange({ body, carryCount, sequenceCount }: PrimitiveAttributes['scan']): ReadonlySet<AnyNode> {
  const changing = new Set(body.inputs.slice(0, carryCount + sequenceCount).map((symbol) => symbol.node));
  for (const node of topologicalOrder(body.outputs)) {
    if (node.inputs.some((symbol) => changing.has(symbol.node))) changing.add(node);
  }
  return changing;
}

/** Walks from the outputs to what they are computed from, on from each symbol where `enter` says so. */
function visit(outputs: readonly SymbolicTensor[], enter: (symbol: SymbolicTensor) => boolean): void {
  const seen = new Set<SymbolicTensor>();
  const stack = [...outputs];
  for (let symbol = stack.pop(); symbol !== undefined; symbol = stack.pop()) {
    if (seen.has(symbol)) continue;
    seen.add(symbol);
    if (enter(symbol)) stack.push(...symbol.node.inputs);
  }
}

/** Values of all steps, stacked: the loop's own outputs where it has them, else those of a loop that stacks more. */
function stackValues(
  symbols: readonly SymbolicTensor[],
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
  attributes: PrimitiveAttributes['scan'],
): ReadonlyMap<SymbolicTensor, SymbolicTensor> {
  const { body, carryCount } = attributes;
  const wholes = new Map<SymbolicTensor, SymbolicTensor>();
  for (const [offset, symbol] of body.outputs.slice(carryCount).entries()) {
    wholes.set(symbol, outputs[carryCount + offset] as SymbolicTensor);
  }
  const missing = symbols.filter((symbol) => !wholes.has(symbol));
  if (missing.length === 0) return wholes;
  const extended = { ...body, outputs: [...body.outputs, ...missing] };
  const found = applyAll('scan', inputs, { ...attributes, body: extended });
  for (const [offset, symbol] of missing.entries()) {
    wholes.set(symbol, found[body.outputs.length + offset] as SymbolicTensor);
  }
  return wholes;
}

/** The outputs with other values in place of some. */
function substitute(
  outputs: readonly SymbolicTensor[],
  replacements: ReadonlyMap<SymbolicTensor, SymbolicTensor>,
): SymbolicTensor[] {
  const values = new Map(replacements);
  const newValue = (symbol: SymbolicTensor): SymbolicTensor => values.get(symbol) ?? symbol;
  for (const node of topologicalOrder(outputs)) {
    const inputs = node.inputs.map(newValue);
    if (inputs.every((symbol, index) => symbol === node.inputs[index])) continue;
    const rebuilt = applyAll(node.primitive as PrimitiveName, inputs, node.attributes);
    for (const [index, output] of node.outputs.entries()) {
      if (!replacements.has(output)) values.set(output, rebuilt[index] as SymbolicTensor);
    }
  }
  return outputs.map(newValue);
}
