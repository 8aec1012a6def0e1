/** Which nodes of a saved graph are calls of functions: of `keras.ops`, or of TensorFlow in files of tf.keras. */
import type { JsonObject } from '../formats/artifacts.ts';
import { configOf, isList, isObject } from './json-shapes.ts';
import { isLayerClassName } from './registry.ts';

const KERAS_2_CLASSES: ReadonlySet<string> = new Set(['TFOpLambda', 'SlicingOpLambda', 'TensorFlowOpLayer']);

/** Modules of Keras 3 whose classes are functions, not layers. */
const FUNCTION_MODULES = /^keras\.(src\.)?(ops|activations)\b/;

/**
 * Whether a node of a graph is a call of a function, not of a layer.
 *
 * Legacy `.h5` files of Keras 3 leave the module out. There only layers have a dtype; a name that is both a layer's and
 * a function's (`Multiply`) is the function's where the call has several arguments.
 */
export function isRawOperation(json: JsonObject): boolean {
  const className = String(json.class_name);
  if (KERAS_2_CLASSES.has(className)) return true;
  if (typeof json.module === 'string') return FUNCTION_MODULES.test(json.module);
  const config = configOf(json);
  const [node] = isList(json.inbound_nodes) ? json.inbound_nodes : [];
  if (!isObject(node) || 'dtype' in config || 'trainable' in config) return false;
  return !isLayerClassName(className) || (isList(node.args) && node.args.length > 1);
}
