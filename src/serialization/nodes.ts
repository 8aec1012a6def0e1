/**
 * Calls of layers as files store them.
 *
 * Keras 3: `{ args, kwargs }`, with tensors as `__keras_tensor__` objects.
 * Keras 1, 2 and TensorFlow.js: a list of `[layer, node index, tensor index, kwargs?]`; tensors among the kwargs are
 * `[layer, node index, tensor index]`, constants in the place of a tensor `['_CONSTANT_VALUE', -1, value, kwargs]`.
 */
import { FormatError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import { configOf, isList, isObject, isSerializedObject } from './json-shapes.ts';

/** Where a tensor comes from: output `tensor` of call `node` of a layer. */
export class TensorReference {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;

  constructor(layer: string, node: number, tensor: number) {
    this.layer = layer;
    this.node = node;
    this.tensor = tensor;
  }
}

/** Arguments of one call, with references in the place of tensors; everything else is raw JSON. */
export interface CallJson {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** The calls of a layer. `names` are those of all layers of the model, to tell references from other lists. */
export function readInboundNodes(layer: JsonObject, names: ReadonlySet<string>): readonly CallJson[] {
  const nodes = layer.inbound_nodes;
  if (!isList(nodes)) return [];
  return nodes.map((node) => {
    if (isObject(node) && 'args' in node) return readKeras3Node(node);
    if (isList(node)) return readLegacyNode(node, names);
    throw new FormatError(`Cannot read the calls of layer "${String(layer.name)}": found ${JSON.stringify(node)}`);
  });
}

function readKeras3Node(node: JsonObject): CallJson {
  const { args = [], kwargs = {} } = node;
  if (!isList(args) || !isObject(kwargs)) {
    throw new FormatError(
      'Cannot build the model: found a call without args and kwargs, expected a list and an object',
    );
  }
  return { args: replaceTensors(args) as unknown[], kwargs: replaceTensors(kwargs) as Record<string, unknown> };
}

/** Puts references in the place of `__keras_tensor__` objects. */
function replaceTensors(value: JsonValue): unknown {
  if (isList(value)) return value.map(replaceTensors);
  if (!isObject(value)) return value;
  if (isSerializedObject(value) && value.class_name === '__keras_tensor__') {
    const history = configOf(value).keras_history;
    if (!isReference(history)) {
      throw new FormatError('Cannot read a call: found a tensor without a history, expected [layer, node, tensor]');
    }
    return new TensorReference(...history);
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, replaceTensors(entry)]));
}

function readLegacyNode(node: readonly JsonValue[], names: ReadonlySet<string>): CallJson {
  let kwargs: Record<string, unknown> = {};
  const readInput = (value: JsonValue): unknown => {
    if (!isList(value)) return value;
    if (value[0] === CONSTANT) {
      kwargs = readKwargs(value[3], names);
      return value[2];
    }
    if (isReference(value) && names.has(value[0])) {
      kwargs = { ...kwargs, ...readKwargs((value as readonly JsonValue[])[3], names) };
      return new TensorReference(value[0], value[1], value[2]);
    }
    return value.map(readInput);
  };
  // An operation of TensorFlow with one input is stored without the outer list.
  const single = node[0] === CONSTANT || (isReference(node) && names.has(node[0]));
  const inputs = readInput(node);
  const args = single || (inputs as unknown[]).length !== 1 ? [inputs] : (inputs as unknown[]);
  return { args, kwargs };
}

const CONSTANT = '_CONSTANT_VALUE';

function readKwargs(value: JsonValue | undefined, names: ReadonlySet<string>): Record<string, unknown> {
  if (!isObject(value)) return {};
  const read = (entry: JsonValue): unknown => {
    if (isList(entry)) {
      const isTensor = entry.length === 3 && isReference(entry) && names.has(entry[0]);
      if (isTensor) return new TensorReference(...(entry as unknown as [string, number, number]));
      return entry[0] === CONSTANT ? entry[2] : entry.map(read);
    }
    if (!isObject(entry)) return entry;
    return Object.fromEntries(Object.entries(entry).map(([key, inner]) => [key, read(inner)]));
  };
  return read(value) as Record<string, unknown>;
}

function isReference(value: unknown): value is readonly [string, number, number] {
  return (
    Array.isArray(value) &&
    value.length >= 3 &&
    typeof value[0] === 'string' &&
    Number.isInteger(value[1]) &&
    Number.isInteger(value[2])
  );
}

/** A structure whose leaves are references: `input_layers` and `output_layers` of a model. */
export type ReferenceStructure =
  | TensorReference
  | readonly ReferenceStructure[]
  | { readonly [key: string]: ReferenceStructure };

/** Reads `input_layers` or `output_layers`: a leaf, a list, or a record of such. A list of one means the one. */
export function readLeaves(value: JsonValue): ReferenceStructure {
  const read = (part: JsonValue): ReferenceStructure => {
    if (isReference(part)) return new TensorReference(part[0], part[1], part[2]);
    if (isList(part)) return part.map(read);
    if (isObject(part)) return Object.fromEntries(Object.entries(part).map(([key, entry]) => [key, read(entry)]));
    throw new FormatError(`Cannot read the model's inputs or outputs: found ${JSON.stringify(part)}`);
  };
  const structure = read(value);
  return Array.isArray(structure) && structure.length === 1 ? (structure[0] as ReferenceStructure) : structure;
}

/** Applies a function to every reference inside a value. */
export function mapReferences(value: unknown, map: (reference: TensorReference) => unknown): unknown {
  if (value instanceof TensorReference) return map(value);
  if (Array.isArray(value)) return value.map((element) => mapReferences(element, map));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mapReferences(entry, map)]));
}

export function referencesIn(value: unknown): TensorReference[] {
  const found: TensorReference[] = [];
  mapReferences(value, (reference) => found.push(reference));
  return found;
}
