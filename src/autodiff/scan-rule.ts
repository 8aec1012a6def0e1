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
  const sums = active.map((index, position) => {
    const list = terms[position] as readonly SymbolicTensor[];
    return isCarry(index) || isSequence(index) ? backward.sum(list, body.inputs[index] as SymbolicTensor) : undefined;
  });
  const collected = active.map((index, position) =>
    sums[position] === undefined
      ? backward.collect(terms[position] as readonly SymbolicTensor[], body.inputs[index] as SymbolicTensor)
      : undefined,
  );

  const carried = active.flatMap((index, position) => (isCarry(index) ? [{ index, position }] : []));
  const sequences = active.flatMap((index, position) => (isSequence(index) ? [{ index, position }] : []));
  const results = [
    ...carried.map(({ position }) => sums[position] as SymbolicTensor),
    ...backward.accumulators.map(({ next }) => next),
    ...sequences.map(({ position }) => sums[position] as SymbolicTensor),
    ...backward.stacked,
  ];
  const kept = keepValues(call, results);
  const stackedGradients = cotangents.filter(({ output }) => !isCarry(output));
  const gradientOfCarry = (index: number): Cotangent => cotangents.find(({ output }) => output === index) as Cotangent;
  const found = applyAll(
    'scan',
    [
      ...carried.map(({ index }) => dys[index] ?? zeros((outputs[index] as SymbolicTensor).shape)),
      ...backward.accumulators.map(({ current }) => zeros(current.shape)),
      ...stackedGradients.map(({ output }) => dys[output] as SymbolicTensor),
      ...kept.sequences.map(({ whole }) => whole),
      ...kept.further.map((index) => inputs[index] as SymbolicTensor),
    ],
    {
      body: {
        inputs: [
          ...carried.map(({ index }) => gradientOfCarry(index).gradient),
          ...backward.accumulators.map(({ current }) => current),
          ...stackedGradients.map(({ gradient }) => gradient),
          ...kept.sequences.map(({ step }) => step),
          ...kept.further.map((index) => body.inputs[index] as SymbolicTensor),
        ],
        outputs: kept.outputs,
      },
      length,
      carryCount: carried.length + backward.accumulators.length,
      sequenceCount: stackedGradients.length + kept.sequences.length,
      reverse: !reverse,
    },
  );

  const accumulatorsAt = carried.length;
  const sequencesAt = accumulatorsAt + backward.accumulators.length;
  const stacksAt = sequencesAt + sequences.length;
  const gradients = inputs.map((): SymbolicTensor | null => null);
  for (const [offset, { index }] of carried.entries()) gradients[index] = found[offset] as SymbolicTensor;
  for (const [offset, { index }] of sequences.entries()) {
    gradients[index] = found[sequencesAt + offset] as SymbolicTensor;
  }
  for (const [position, collect] of collected.entries()) {
    if (collect === undefined) continue;
    gradients[active[position] as number] = collect(
      (accumulator) => found[accumulatorsAt + accumulator] as SymbolicTensor,
      (stack) => found[stacksAt + stack] as SymbolicTensor,
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

/** Takes the final values of the accumulators and the stacks, by number, and gives a gradient. */
type Collect = (
  accumulated: (accumulator: number) => SymbolicTensor,
  stacked: (stack: number) => SymbolicTensor,
) => SymbolicTensor;

/** What the loop backwards computes beside the gradients of carries and sequences. */
class BackwardBody {
  /** Running sums over the steps. */
  readonly accumulators: { readonly current: SymbolicTensor; readonly next: SymbolicTensor }[] = [];
  /** What is kept of every step. */
  readonly stacked: SymbolicTensor[] = [];

  sum(terms: readonly SymbolicTensor[], { shape }: SymbolicTensor): SymbolicTensor {
    const [first, ...others] = terms;
    return first === undefined ? zeros(shape) : others.reduce((sum, term) => add(sum, term), first);
  }

  /** The sum over all steps, for a value that all of them use. */
  collect(terms: readonly SymbolicTensor[], { shape }: SymbolicTensor): Collect {
    const products: Collect[] = [];
    const others: SymbolicTensor[] = [];
    for (const term of terms) {
      const product = this.#collectProduct(term);
      if (product === undefined) others.push(term);
      else products.push(product);
    }
    if (others.length > 0) {
      const number = this.accumulators.length;
      const current = input(`sum ${number}`, { shape, dtype: 'float32' });
      this.accumulators.push({ current, next: others.reduce((sum, term) => add(sum, term), current) });
      products.push((accumulated) => accumulated(number));
    }
    return (accumulated, stacked) =>
      products
        .map((product) => withShape(product(accumulated, stacked), shape))
        .reduce<SymbolicTensor | undefined>((sum, term) => (sum === undefined ? term : add(sum, term)), undefined) ??
      zeros(shape);
  }

  /** A product of two values of the step: over all steps, one product of the values side by side. */
  #collectProduct(term: SymbolicTensor): Collect | undefined {
    let { node } = term;
    while (node.primitive === 'reshape') node = (node.inputs[0] as SymbolicTensor).node;
    if (node.primitive === 'dot' && node.inputs[0]?.shape.length === 2) {
      const { transposeLeft, transposeRight } = node.attributes;
      const [left, right] = node.inputs.map((symbol) => this.#stack(symbol)) as [number, number];
      return (_, stacked) =>
        apply('dot', [inRows(stacked(left), !transposeLeft), inRows(stacked(right), transposeRight)], {
          transposeLeft: true,
          transposeRight: false,
        });
    }
    if (node.primitive === 'convolveFilterGradient') {
      const { attributes } = node;
      const [x, dy] = node.inputs.map((symbol) => this.#stack(symbol)) as [number, number];
      return (_, stacked) =>
        apply('convolveFilterGradient', [joinSteps(stacked(x)), joinSteps(stacked(dy))], attributes);
    }
    return undefined;
  }

  #stack(symbol: SymbolicTensor): number {
    const known = this.stacked.indexOf(symbol);
    return known >= 0 ? known : this.stacked.push(symbol) - 1;
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

/** What a loop backwards needs from the steps of the loop. */
interface KeptValues {
  /** The outputs of the body, which depend on `step`s in place of what was computed. */
  readonly outputs: readonly SymbolicTensor[];
  readonly sequences: readonly { readonly step: SymbolicTensor; readonly whole: SymbolicTensor }[];
  /** Which inputs of the loop it uses unchanged. */
  readonly further: readonly number[];
}

/** What is dearer to compute again than to keep. */
const KEPT: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  ...(['dot', 'convolve', 'convolveInputGradient', 'convolveFilterGradient'] as const),
  ...(['maxPool', 'averagePool', 'maxPoolGradient', 'averagePoolGradient'] as const),
  ...(['sum', 'product', 'max', 'min', 'argMax', 'argMin'] as const),
  ...(['cumulativeSum', 'cumulativeProduct', 'cumulativeMax', 'cumulativeMin'] as const),
  ...(['gather', 'takeAlongAxis', 'scatterAdd', 'argSort', 'scan', 'host'] as const),
]);

/** Finds the values of the loop's steps that the outputs depend on, and replaces them by inputs. */
function keepValues(
  { inputs, outputs: loopOutputs, attributes }: GradientCall<'scan'>,
  outputs: readonly SymbolicTensor[],
): KeptValues {
  const { body, carryCount, sequenceCount } = attributes;
  const positions = new Map(body.inputs.map((symbol, index) => [symbol, index]));
  const changing = nodesThatChange(attributes);
  const used = new Set<SymbolicTensor>();
  const kept = new Set<SymbolicTensor>();
  visit(outputs, (symbol) => {
    if (positions.has(symbol)) used.add(symbol);
    else if (changing.has(symbol.node) && KEPT.has(symbol.node.primitive)) kept.add(symbol);
    else return true;
    return false;
  });

  const carries = [...used].filter((symbol) => (positions.get(symbol) as number) < carryCount);
  const wholes = stackValues([...carries, ...kept], inputs, loopOutputs, attributes);
  const replacements = new Map(
    [...kept].map(({ shape, dtype }, index): [SymbolicTensor, SymbolicTensor] => [
      [...kept][index] as SymbolicTensor,
      input(`kept ${index}`, { shape, dtype }),
    ]),
  );
  const sequences = [...used].flatMap((step) => {
    const index = positions.get(step) as number;
    return index >= carryCount && index < carryCount + sequenceCount
      ? [{ step, whole: inputs[index] as SymbolicTensor }]
      : [];
  });
  return {
    outputs: substitute(outputs, replacements),
    sequences: [
      ...carries.map((step) => ({ step, whole: wholes.get(step) as SymbolicTensor })),
      ...[...replacements].map(([symbol, step]) => ({ step, whole: wholes.get(symbol) as SymbolicTensor })),
      ...sequences,
    ],
    further: [...used]
      .map((symbol) => positions.get(symbol) as number)
      .filter((index) => index >= carryCount + sequenceCount),
  };
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
