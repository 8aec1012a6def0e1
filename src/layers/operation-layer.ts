import type { SymbolicTensor } from '../graph/node.ts';
import type { RawOperation } from '../ops/operations.ts';
import type { Fields } from './fields.ts';
import { type KerasTensor, mapTensors } from './keras-tensor.ts';
import { Layer, type LayerConfig, type LayerOutput, layerFields } from './layer.ts';

/** The place of a tensor among the arguments of a call: which of the layer's inputs goes there. */
export class TensorSlot {
  readonly input: number;

  constructor(input: number) {
    this.input = input;
  }
}

/** Arguments of one call, with slots in the place of tensors. */
export interface CallTemplate {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/**
 * Takes the tensors out of the arguments of a call: a layer holds what is left, and is applied to what was taken.
 *
 * Tensors are found in lists and plain objects, to any depth, in order; one that occurs twice is taken twice.
 */
export function splitCall(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): { readonly template: CallTemplate; readonly inputs: readonly KerasTensor[] } {
  const inputs: KerasTensor[] = [];
  const take = (tensor: KerasTensor): TensorSlot => new TensorSlot(inputs.push(tensor) - 1);
  const template = {
    args: mapTensors(args, take) as readonly unknown[],
    kwargs: mapTensors(kwargs, take) as Record<string, unknown>,
  };
  return { template, inputs };
}

export interface OperationLayerOptions {
  readonly name: string;
  /** The class that a file names, such as `GetItem` or `TFOpLambda`. */
  readonly className: string;
  readonly operation: RawOperation;
  /** Arguments of the operation's constructor, with Python's names. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly template: CallTemplate;
}

/**
 * One call of a function such as `keras.ops.mean` in the graph of a Functional model.
 *
 * It has no weights and drops masks, as functions do in Keras. Its inputs are the tensors of the call, flattened.
 */
export class OperationLayer extends Layer {
  static readonly className = 'OperationLayer';
  static readonly fields: Fields<LayerConfig> = layerFields;
  readonly operation: RawOperation;
  readonly operationConfig: Readonly<Record<string, unknown>>;
  readonly template: CallTemplate;

  constructor({ name, className, operation, config = {}, template }: OperationLayerOptions) {
    super(className, OperationLayer.fields, { name });
    this.operation = operation;
    this.operationConfig = config;
    this.template = template;
  }

  override call(inputs: readonly SymbolicTensor[]): LayerOutput {
    const { args, kwargs } = this.template;
    const filled = { args: fill(args, inputs) as unknown[], kwargs: fill(kwargs, inputs) as Record<string, unknown> };
    return this.operation.call(filled, this.operationConfig);
  }
}

/** Puts tensors into their slots; everything else stays the object that it is. */
function fill(value: unknown, inputs: readonly SymbolicTensor[]): unknown {
  if (value instanceof TensorSlot) return inputs[value.input];
  if (Array.isArray(value)) return value.map((element) => fill(element, inputs));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, fill(element, inputs)]));
}
