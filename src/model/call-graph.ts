/** The calls between some input tensors and some output tensors, in the order in which Keras lists and runs them. */
import { InputLayer } from '../layers/input-layer.ts';
import type { KerasTensor, LayerCall } from '../layers/keras-tensor.ts';
import { tensorsIn } from '../layers/keras-tensor.ts';
import type { Layer } from '../layers/layer.ts';

export interface CallGraph {
  /** Every call, deepest first and so after those that it depends on. */
  readonly calls: readonly LayerCall[];
  /** Every layer once, deepest first as in Keras, which decides the order of weights. */
  readonly layers: readonly Layer[];
}

/** Whether this is where a model begins, and no call of a layer. */
function isInput({ layer }: LayerCall): boolean {
  return (layer as unknown) instanceof InputLayer;
}

/** The tensors that a call depends on: its inputs, and those among its further arguments. */
function dependenciesOf(call: LayerCall): readonly KerasTensor[] {
  return [...call.inputs, ...tensorsIn(call.kwargs)];
}

/**
 * @throws {RangeError} when an output depends on an input that is not given.
 */
export function traceCalls(inputs: readonly KerasTensor[], outputs: readonly KerasTensor[]): CallGraph {
  const given = new Set(inputs);
  const boundary = new Set(inputs.map((tensor) => tensor.call));
  const { calls, layerOrder } = visitCalls(outputs, given);
  for (const call of calls) {
    if (isInput(call) && !boundary.has(call)) {
      throw new RangeError(
        `Cannot create a model: the outputs depend on input "${call.layer.name}", which is not among the inputs`,
      );
    }
  }

  const callDepth = new Map<LayerCall, number>();
  const layerDepth = new Map<Layer, number>();
  for (const call of calls.toReversed()) {
    const depth = Math.max(callDepth.get(call) ?? 0, layerDepth.get(call.layer) ?? 0);
    callDepth.set(call, depth);
    layerDepth.set(call.layer, depth);
    if (boundary.has(call)) continue;
    for (const tensor of dependenciesOf(call)) {
      callDepth.set(tensor.call, Math.max(depth + 1, callDepth.get(tensor.call) ?? 0));
    }
  }
  for (const tensor of inputs.filter(({ call }) => isInput(call))) {
    // An input that leads nowhere belongs to the model all the same.
    if (!layerDepth.has(tensor.call.layer)) layerDepth.set(tensor.call.layer, 0);
    if (!layerOrder.has(tensor.call.layer)) layerOrder.set(tensor.call.layer, -1);
  }
  const layers = [...layerDepth.keys()].sort(
    (a, b) =>
      (layerDepth.get(b) as number) - (layerDepth.get(a) as number) ||
      (layerOrder.get(a) as number) - (layerOrder.get(b) as number),
  );
  // The order decides which layers still see the masks that others take away.
  const inGraph = new Set(calls);
  const byDepth = [...callDepth].sort(([, a], [, b]) => b - a);
  return { calls: byDepth.map(([call]) => call).filter((call) => inGraph.has(call)), layers };
}

/** Depth first from the outputs, without recursion: calls in post-order, layers numbered when first met. */
function visitCalls(outputs: readonly KerasTensor[], given: ReadonlySet<KerasTensor>) {
  const calls: LayerCall[] = [];
  const layerOrder = new Map<Layer, number>();
  const state = new Map<LayerCall, 'open' | 'done'>();
  for (const output of outputs) {
    const stack: { call: LayerCall; isGiven: boolean }[] = [{ call: output.call, isGiven: given.has(output) }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { call, isGiven } = top;
      if (state.get(call) === 'done') {
        stack.pop();
      } else if (state.get(call) === 'open') {
        state.set(call, 'done');
        calls.push(call);
        stack.pop();
      } else {
        // A given tensor that is not an input layer's cuts the graph: the layer before it is not part of the model.
        state.set(call, isGiven && !isInput(call) ? 'done' : 'open');
        if (state.get(call) === 'done') continue;
        if (!layerOrder.has(call.layer)) layerOrder.set(call.layer, layerOrder.size);
        if (isGiven) continue;
        for (const tensor of dependenciesOf(call).toReversed()) {
          if (!state.has(tensor.call)) stack.push({ call: tensor.call, isGiven: given.has(tensor) });
        }
      }
    }
  }
  return { calls, layerOrder };
}
