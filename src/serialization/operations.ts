/** Raw operations among the layers of a saved model: functions of `keras.ops`, and of TensorFlow in files of tf.keras. */
import { UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import { OperationLayer, splitCall } from '../layers/operation-layer.ts';
import { operations, type RawOperation } from '../ops/operations.ts';
import { decodeNodeAttributes, tfNodeOperations } from '../ops/tf-node-operations.ts';
import { tfOperations } from '../ops/tf-operations.ts';
import { configOf, isObject } from './json-shapes.ts';

/** Arguments of a call; tensors are in their places, everything else is decoded. */
export interface OperationCall {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** A layer that makes the call, and the tensors that it is to be applied to. */
export interface OperationNode {
  readonly layer: OperationLayer;
  readonly inputs: readonly KerasTensor[];
}

/** A function by name, with what its configuration says of the arguments. */
interface FoundOperation {
  readonly name: string;
  readonly operation: RawOperation | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly call: OperationCall;
}

/**
 * Makes the layer of one call.
 *
 * @throws {UnsupportedError} when the function is not known.
 */
export function createOperation(
  decodeValue: (value: JsonValue) => unknown,
  json: JsonObject,
  name: string,
  call: OperationCall,
): OperationNode {
  const found = findOperation(decodeValue, json, call);
  if (found.operation === undefined) {
    throw new UnsupportedError(
      `Cannot load operation "${name}": the function "${found.name}" is not supported; ` +
        'replace it with a layer in Keras and save the model again',
      `operation ${found.name}`,
    );
  }
  const { template, inputs } = splitCall(found.call.args, found.call.kwargs);
  const className = String(json.class_name);
  return {
    layer: new OperationLayer({ name, className, operation: found.operation, config: found.config, template }),
    inputs,
  };
}

function findOperation(
  decodeValue: (value: JsonValue) => unknown,
  json: JsonObject,
  call: OperationCall,
): FoundOperation {
  const className = String(json.class_name);
  const config = configOf(json);
  switch (className) {
    case 'TFOpLambda':
    case 'SlicingOpLambda': {
      const name = String(config.function);
      const { name: _, ...kwargs } = call.kwargs;
      return { name, operation: tfOperations.get(name), config: {}, call: { args: call.args, kwargs } };
    }
    case 'TensorFlowOpLayer':
      return findNode(config, call);
    default: {
      const operation = operations.get(className);
      // A dtype is an argument of some functions; of the others it is the policy that every object has.
      const own = Object.entries(config).filter(
        ([key]) => operation?.keys.includes(key) || !['name', 'trainable', 'dtype'].includes(key),
      );
      const decoded = Object.fromEntries(own.map(([key, value]) => [key, decodeValue(value)]));
      return { name: className, operation, config: decoded, call };
    }
  }
}

/** Nodes of TensorFlow's graph, which tf.keras 2.0 to 2.3 stored in place of functions. */
function findNode(config: JsonObject, call: OperationCall): FoundOperation {
  const node = isObject(config.node_def) ? config.node_def : {};
  const name = String(node.op);
  // Constants stand at their position among the inputs; tensors fill the rest.
  const constants = isObject(config.constants) ? config.constants : {};
  const tensors = call.args.flat();
  const count = tensors.length + Object.keys(constants).length;
  const args = Array.from({ length: count }, (_, index) => constants[String(index)] ?? tensors.shift());
  const attributes = decodeNodeAttributes(isObject(node.attr) ? node.attr : {});
  return { name, operation: tfNodeOperations.get(name), config: attributes, call: { args, kwargs: {} } };
}
