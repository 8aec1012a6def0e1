/**
 * Cases of single layers, as `interop/layer_cases.py` writes them: configuration, inputs, weights by their path in a
 * `.weights.h5` file, and what Keras computed.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Dtype } from '../../src/array/dtype.ts';
import { formatShape, type PartialShape, type Shape } from '../../src/array/shape.ts';
import { type Tensor, tensor } from '../../src/array/tensor.ts';
import { referenceBackend } from '../../src/backends/reference/reference-backend.ts';
import type { Backend } from '../../src/compiler/backend.ts';
import { input } from '../../src/graph/apply.ts';
import type { SymbolicTensor } from '../../src/graph/node.ts';
import type { Variable } from '../../src/graph/variable.ts';
import { createConstraint } from '../../src/layers/constraints.ts';
import type { Fields } from '../../src/layers/fields.ts';
import { createInitializer } from '../../src/layers/initializers.ts';
import { input as kerasInput } from '../../src/layers/input-layer.ts';
import { snakeCaseOf } from '../../src/layers/keras-object.ts';
import type { Layer, MaskedTensor } from '../../src/layers/layer.ts';
import { createRegularizer } from '../../src/layers/regularizers.ts';

/** A class of layers, as tests create them from configurations. */
export interface LayerClass {
  new (options: never): Layer;
  readonly className: string;
  readonly fields: object;
}

interface StoredArray {
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly data: readonly (number | string)[];
}

/** One case of a fixture file. */
export interface LayerCase {
  readonly name: string;
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: readonly StoredArray[];
  readonly masks?: readonly (StoredArray | null)[];
  /** Further arguments; a tensor is `{ tensor: … }`, a list may hold several. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly weights: readonly (StoredArray & { readonly path: string })[];
  /** All weights in Keras' order. */
  readonly variables: readonly { readonly name: string; readonly shape: Shape; readonly trainable?: boolean }[];
  readonly outputs: readonly StoredArray[];
  readonly output_masks?: readonly (StoredArray | null)[];
  /** Shapes of the outputs when the batch is unknown. */
  readonly output_shapes?: readonly PartialShape[];
  /** Shapes of the outputs when more is unknown. */
  readonly unknown?: { readonly inputs: readonly PartialShape[]; readonly outputs: readonly PartialShape[] };
  readonly supports_masking?: boolean;
  /** The weights after a call in training. */
  readonly updated?: readonly (StoredArray & { readonly path: string })[];
}

/** The cases of a file below `test/fixtures/layers`. */
export function readLayerCases(path: string): LayerCase[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/layers/${path}`, import.meta.url), 'utf8')) as LayerCase[];
}

/** Creates the layer of a case, and layers inside it, from Keras' configuration. Every key must be known. */
export function createLayer(
  className: string,
  config: Readonly<Record<string, unknown>>,
  classes: readonly LayerClass[],
): Layer {
  const layerClass = classes.find((candidate) => candidate.className === className);
  if (layerClass === undefined) throw new Error(`Cannot create ${className}: the test knows no such class`);
  const fields = layerClass.fields as Fields<Record<string, unknown>>;
  const options = Object.entries(config).map(([key, value]) => {
    const name = camelCase(key);
    return [name, decode(value, fields[name]?.kind, classes)];
  });
  return new layerClass(Object.fromEntries(options) as never);
}

function camelCase(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

interface Serialized {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

function isSerialized(value: unknown): value is Serialized {
  return typeof value === 'object' && value !== null && 'class_name' in value;
}

function decode(value: unknown, kind: string | undefined, classes: readonly LayerClass[]): unknown {
  if (Array.isArray(value)) return value.map((element) => decode(element, kind, classes));
  if (!isSerialized(value)) return value;
  const { class_name: className, config } = value;
  if (className.endsWith('Policy')) return config.name;
  const camel = Object.fromEntries(Object.entries(config).map(([key, element]) => [camelCase(key), element]));
  if (kind === 'initializer') return createInitializer(className, camel);
  if (kind === 'regularizer') return createRegularizer(className, camel);
  if (kind === 'constraint') return createConstraint(className, camel);
  return createLayer(className, config, classes);
}

/** All weights by their path in a `.weights.h5` file. */
export function weightPaths(layer: Layer, prefix = ''): Map<string, Variable> {
  const paths = new Map<string, Variable>();
  for (const [index, variable] of layer.ownWeights.entries()) paths.set(`${prefix}vars/${index}`, variable);
  for (const [attribute, child] of Object.entries(layer.sublayers)) {
    const counts = new Map<string, number>();
    for (const each of 'length' in child ? child : [child]) {
      const group = snakeCaseOf(each.className);
      const count = counts.get(group) ?? 0;
      counts.set(group, count + 1);
      const suffix = count === 0 ? group : `${group}_${count}`;
      const name = snakeAttribute(attribute);
      const path = 'length' in child ? `${prefix}${name}/${suffix}/` : `${prefix}${name}/`;
      for (const [key, variable] of weightPaths(each, path)) paths.set(key, variable);
    }
  }
  return paths;
}

function snakeAttribute(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Replaces the stored tensors in the arguments of a call. */
function mapArguments(value: unknown, map: (stored: StoredArray) => unknown): unknown {
  if (Array.isArray(value)) return value.map((element) => mapArguments(element, map));
  if (typeof value === 'object' && value !== null && 'tensor' in value) return map(value.tensor as StoredArray);
  return value;
}

function callArguments(given: LayerCase, map: (stored: StoredArray) => unknown): Record<string, unknown> {
  const entries = Object.entries(given.kwargs ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [camelCase(key), mapArguments(value, map)]));
}

function toTensor({ shape, dtype, data }: StoredArray): Tensor {
  if (dtype === 'string') return tensor(data as readonly string[], shape, dtype);
  const numbers = data.map((value) => (typeof value === 'string' ? Number(value.replace('inf', 'Infinity')) : value));
  return tensor(new Float64Array(numbers), shape, dtype);
}

/** Checks everything that a case says about a layer: shapes, weights, outputs and masks. The interpreter computes them. */
export async function checkLayerCase(
  given: LayerCase,
  classes: readonly LayerClass[],
  backend: Backend = referenceBackend(),
): Promise<void> {
  const layer = createLayer(given.class_name, given.config, classes);
  const withoutBatch = given.inputs.map(({ shape }) => [null, ...shape.slice(1)]);
  if (given.output_shapes !== undefined) checkShapes(given, layer, withoutBatch, given.output_shapes);
  if (given.unknown !== undefined) checkShapes(given, layer, given.unknown.inputs, given.unknown.outputs);
  layer.ensureBuilt(given.inputs.map(({ shape }) => shape));
  checkVariables(given, layer);
  assignWeights(given, layer);
  if (given.supports_masking !== undefined) {
    expect(layer.supportsMasking, 'supportsMasking').toBe(given.supports_masking);
  }
  const { outputs, masks, updated } = await run(given, layer, backend);
  checkUpdates(given, layer, updated);
  expect(outputs.length, 'number of outputs').toBe(given.outputs.length);
  for (const [index, expected] of given.outputs.entries()) expectClose(outputs[index] as Tensor, expected);
  for (const [index, mask] of masks.entries()) {
    const expected = given.output_masks?.[index] ?? undefined;
    expect(mask && [...(mask.data as Uint8Array)], `mask ${index}`).toEqual(expected?.data);
  }
}

function checkShapes(
  given: LayerCase,
  layer: Layer,
  shapes: readonly PartialShape[],
  expected: readonly PartialShape[],
): void {
  const inputs = shapes.map((batchShape, index) =>
    kerasInput({ batchShape, dtype: given.inputs[index]?.dtype ?? 'float32' }),
  );
  const kwargs = callArguments(given, ({ shape, dtype }) =>
    kerasInput({ batchShape: [null, ...shape.slice(1)], dtype }),
  );
  const inferred = layer.applyAll(inputs, kwargs).map(({ shape }) => formatShape(shape));
  expect(inferred, `shapes for ${shapes.map(formatShape).join(' ')}`).toEqual(expected.map(formatShape));
}

function checkVariables(given: LayerCase, layer: Layer): void {
  const found = layer.weights.map(({ name, shape }) => `${name} ${formatShape(shape)}`);
  expect(found, 'weights').toEqual(given.variables.map(({ name, shape }) => `${name} ${formatShape(shape)}`));
  for (const [index, { name, trainable }] of given.variables.entries()) {
    if (trainable !== undefined) expect(layer.weights[index]?.trainable, `${name}: trainable`).toBe(trainable);
  }
}

function assignWeights(given: LayerCase, layer: Layer): void {
  const paths = weightPaths(layer);
  expect([...paths.keys()].sort(), 'paths of weights').toEqual(given.weights.map(({ path }) => path).sort());
  for (const stored of given.weights) paths.get(stored.path)?.assign(toTensor(stored));
}

interface LayerResults {
  readonly outputs: readonly Tensor[];
  readonly masks: readonly (Tensor | undefined)[];
  readonly updated: ReadonlyMap<Variable, Tensor>;
}

/** A case as a graph: what goes in, with its values, and what comes out. */
export interface TracedCase {
  /** The layer's inputs; further ones are masks and arguments. */
  readonly inputs: readonly MaskedTensor[];
  readonly symbols: readonly SymbolicTensor[];
  readonly values: readonly Tensor[];
  readonly outputs: readonly MaskedTensor[];
  readonly updates: ReadonlyMap<Variable, SymbolicTensor>;
}

/** Builds the layer of a case, with its weights. */
export function buildLayerCase(given: LayerCase, classes: readonly LayerClass[]): Layer {
  const layer = createLayer(given.class_name, given.config, classes);
  const shapes = given.inputs.map(({ shape }) => shape);
  layer.ensureBuilt(shapes);
  // Layers inside may be built by a call alone.
  if (layer.weights.length < given.weights.length)
    layer.applyAll(shapes.map((shape) => kerasInput({ batchShape: shape })));
  assignWeights(given, layer);
  return layer;
}

/** Calls a layer with the inputs of a case. */
export function traceLayerCase(given: LayerCase, layer: Layer, training: boolean): TracedCase {
  const symbols: SymbolicTensor[] = [];
  const values: Tensor[] = [];
  const symbolOf = (stored: StoredArray): SymbolicTensor => {
    const value = toTensor(stored);
    const symbol = input(`input${symbols.length}`, { shape: value.shape, dtype: value.dtype });
    symbols.push(symbol);
    values.push(value);
    return symbol;
  };
  const inputs = given.inputs.map((stored, index) => {
    const mask = given.masks?.[index] ?? null;
    return { tensor: symbolOf(stored), mask: mask === null ? undefined : symbolOf(mask) };
  });
  const updates = new Map<Variable, SymbolicTensor>();
  const outputs = layer.trace(inputs, {
    training,
    kwargs: callArguments(given, symbolOf),
    update: (variable, value) => updates.set(variable, value),
  });
  return { inputs, symbols, values, outputs, updates };
}

async function run(given: LayerCase, layer: Layer, backend: Backend): Promise<LayerResults> {
  const { symbols, values, outputs: traced, updates } = traceLayerCase(given, layer, false);
  const masks = traced.map(({ mask }) => mask);
  const present = masks.filter((mask) => mask !== undefined);
  const wanted = [...traced.map((output) => output.tensor), ...present, ...updates.values()];
  const program = await backend.compile({ inputs: symbols, outputs: wanted });
  const results = await program.run(values);
  const outputs = results.splice(0, traced.length);
  return {
    outputs,
    masks: masks.map((mask) => mask && results.shift()),
    updated: new Map([...updates.keys()].map((variable, index) => [variable, results[index] as Tensor])),
  };
}

const TOLERANCE = 1e-5;

/** The weights after the call: those that it updates, and the others as they were. */
function checkUpdates(given: LayerCase, layer: Layer, updated: ReadonlyMap<Variable, Tensor>): void {
  const paths = weightPaths(layer);
  for (const stored of given.updated ?? []) {
    const variable = paths.get(stored.path) as Variable;
    expectClose(updated.get(variable) ?? variable.value, stored);
  }
}

function expectClose(actual: Tensor, stored: StoredArray): void {
  const expected = toTensor(stored);
  expect([actual.dtype, [...actual.shape]], 'dtype and shape').toEqual([expected.dtype, [...expected.shape]]);
  const [found, wanted] = [actual.data as Float32Array, expected.data as Float32Array];
  for (const [index, value] of wanted.entries()) {
    const other = found[index] as number;
    // Integers, bools and strings are exact; only floats may differ.
    const margin = expected.dtype === 'float32' ? TOLERANCE + TOLERANCE * Math.abs(value) : 0;
    const isClose = Object.is(other, value) || Math.abs(other - value) <= margin;
    if (!isClose) expect(`element ${index} is ${other}`).toBe(`element ${index} is ${value}`);
  }
}
