/** Raw operations among the layers of a saved model: functions of `keras.ops`, and of TensorFlow in files of tf.keras. */
import { UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import type { KerasTensor } from '../layers/keras-tensor.ts';
import { OperationLayer, splitCall } from '../layers/operation-layer.ts';
import { operations, type RawOperation } from '../ops/operations.ts';
import { tfOperations } from '../ops/tf-operations.ts';
import type { Decoder } from './decoder.ts';
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

const KERAS_2_CLASSES: ReadonlySet<string> = new Set(['TFOpLambda', 'SlicingOpLambda', 'TensorFlowOpLayer']);

/** Modules of Keras 3 whose classes are functions, not layers. */
const FUNCTION_MODULES = /^keras\.(src\.)?(ops|activations)\b/;

/** Whether a node of a graph is a call of a function, not of a layer. */
export function isRawOperation(json: JsonObject): boolean {
  return (
    KERAS_2_CLASSES.has(String(json.class_name)) ||
    (typeof json.module === 'string' && FUNCTION_MODULES.test(json.module))
  );
}

/**
 * Makes the layer of one call.
 *
 * @throws {UnsupportedError} when the function is not known.
 */
export function createOperation(decoder: Decoder, json: JsonObject, name: string, call: OperationCall): OperationNode {
  const found = findOperation(decoder, json, call);
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

function findOperation(decoder: Decoder, json: JsonObject, call: OperationCall): FoundOperation {
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
      return findKernel(config, call);
    default: {
      const { name: _, trainable: __, dtype: ___, ...own } = config;
      const decoded = Object.fromEntries(Object.entries(own).map(([key, value]) => [key, decoder.value(value)]));
      return { name: className, operation: operations.get(className), config: decoded, call };
    }
  }
}

/**
 * Kernels of TensorFlow, which tf.keras 2.0 to 2.3 stored in place of functions, by the function that they are. Those
 * marked as lists take the list of their tensors as the first argument.
 */
const KERNELS: Readonly<Record<string, { readonly function: string; readonly takesList?: boolean }>> = {
  Abs: { function: 'math.abs' },
  Add: { function: 'math.add' },
  AddV2: { function: 'math.add' },
  ConcatV2: { function: 'concat', takesList: true },
  Exp: { function: 'math.exp' },
  ExpandDims: { function: 'expand_dims' },
  Log: { function: 'math.log' },
  MatMul: { function: 'linalg.matmul' },
  BatchMatMulV2: { function: 'linalg.matmul' },
  Max: { function: 'math.reduce_max' },
  Maximum: { function: 'math.maximum' },
  Mean: { function: 'math.reduce_mean' },
  Min: { function: 'math.reduce_min' },
  Minimum: { function: 'math.minimum' },
  Mul: { function: 'math.multiply' },
  Neg: { function: 'math.negative' },
  Pow: { function: 'math.pow' },
  RealDiv: { function: 'math.truediv' },
  Relu: { function: 'nn.relu' },
  Reshape: { function: 'reshape' },
  Rsqrt: { function: 'math.rsqrt' },
  Sigmoid: { function: 'math.sigmoid' },
  Softmax: { function: 'nn.softmax' },
  Sqrt: { function: 'math.sqrt' },
  Square: { function: 'math.square' },
  Sub: { function: 'math.subtract' },
  Sum: { function: 'math.reduce_sum' },
  Tanh: { function: 'math.tanh' },
  Transpose: { function: 'transpose' },
};

/** Attributes of kernels that are arguments of functions; the others say what dtypes are meant. */
const KERNEL_ATTRIBUTES: Readonly<Record<string, string>> = { keep_dims: 'keepdims' };

function findKernel(config: JsonObject, call: OperationCall): FoundOperation {
  const node = isObject(config.node_def) ? config.node_def : {};
  const name = String(node.op);
  const kernel = Object.hasOwn(KERNELS, name) ? KERNELS[name] : undefined;
  // Constants stand at their position among the inputs; tensors fill the rest.
  const constants = isObject(config.constants) ? config.constants : {};
  const tensors = call.args.flat();
  const count = tensors.length + Object.keys(constants).length;
  const args = Array.from({ length: count }, (_, index) => constants[String(index)] ?? tensors.shift());
  const lists = kernel?.takesList === true ? [args.slice(0, -1), args.at(-1)] : args;
  const kwargs: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(isObject(node.attr) ? node.attr : {})) {
    const argument = KERNEL_ATTRIBUTES[key];
    if (argument !== undefined) kwargs[argument] = attributeValue(value);
  }
  const operation = kernel === undefined ? undefined : tfOperations.get(kernel.function);
  return { name, operation, config: {}, call: { args: lists, kwargs } };
}

/** `{ "b": true }` and the like: the JSON of a protocol buffer. */
function attributeValue(value: JsonValue): unknown {
  return isObject(value) ? Object.values(value)[0] : value;
}
