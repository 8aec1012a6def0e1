/** Raw operations among the layers of a saved model. */
import { UnsupportedError } from '../errors.ts';
import type { JsonObject } from '../formats/artifacts.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import type { Layer } from '../layers/layer.ts';
import type { Decoder } from './decoder.ts';

const KERAS_2_OPERATIONS: ReadonlySet<string> = new Set(['TFOpLambda', 'SlicingOpLambda', 'TensorFlowOpLayer']);

/** Modules of Keras 3 whose classes are operations, not layers. */
const OPERATION_MODULES = /^keras\.(src\.)?(ops|activations)\b/;

/** Whether a node of a graph is a call of a function, not of a layer. */
export function isRawOperation(json: JsonObject): boolean {
  return (
    KERAS_2_OPERATIONS.has(String(json.class_name)) ||
    (typeof json.module === 'string' && OPERATION_MODULES.test(json.module))
  );
}

/** The layer that makes one call of an operation, and the tensors that it is to be applied to. */
export function createOperation(
  _decoder: Decoder,
  json: JsonObject,
  name: string,
  _call: { readonly args: readonly unknown[]; readonly kwargs: Readonly<Record<string, unknown>> },
): { readonly layer: Layer; readonly inputs: readonly KerasTensor[] } {
  throw new UnsupportedError(`Cannot load operation "${name}": ${String(json.class_name)}`, 'op');
}
