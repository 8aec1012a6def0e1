/**
 * Cases of single layers, as `interop/layer_cases.py` writes them: configuration, inputs, weights by their path in a
 * `.weights.h5` file, and what Keras computed.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Dtype } from '../../src/array/dtype.ts';
import { formatShape, type PartialShape, type Shape } from '../../src/array/shape.ts';
import { type Tensor, tensor } from '../../src/array/tensor.ts';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import { input } from '../../src/graph/apply.ts';
import type { SymbolicTensor } from '../../src/graph/node.ts';
import type { Variable } from '../../src/graph/variable.ts';
import { createConstraint } from '../../src/layers/constraints.ts';
import type { Fields } from '../../src/layers/fields.ts';
import { createInitializer } from '../../src/layers/initializers.ts';
import { input as kerasInput } from '../../src/layers/input-layer.ts';
import { snakeCaseOf } from '../../src/layers/keras-object.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { createRegularizer } from '../../src/layers/regularizers.ts';

/** A class of layers, as tests create them from configurations. */
export interface LayerClass {
  new (options: never): Layer;
  readonly className: string;
  readonly fields: object;
}

interface StoredArray {
  readonly shape: Shape;
  readonly dtype: string;
  readonly data: readonly (number | string)[];
}

interface Inferred {
  readonly inputs: readonly PartialShape[];
  readonly outputs: readonly { readonly shape: PartialShape; readonly dtype: string }[];
}

/** One case of a fixture file. */
export interface LayerCase {
  readonly name: string;
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: readonly StoredArray[];
  readonly masks: readonly (StoredArray | null)[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly weights: Readonly<Record<string, StoredArray>>;
  readonly weight_names: readonly string[];
  readonly weight_shapes: readonly Shape[];
  readonly trainable: readonly boolean[];
  readonly outputs: readonly StoredArray[];
  readonly output_masks: readonly (StoredArray | null)[];
  readonly supports_masking: boolean;
  readonly inferred: readonly Inferred[];
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

function toTensor(stored: StoredArray): Tensor {
  const values = stored.data.map((value) =>
    typeof value === 'string' ? Number(value.replace('inf', 'Infinity')) : value,
  );
  return tensor(new Float64Array(values), stored.shape, computedDtype(stored.dtype));
}

function computedDtype(dtype: string): Dtype {
  return dtype === 'bool' ? 'bool' : /^u?int/.test(dtype) ? 'int32' : 'float32';
}

function isStored(value: unknown): value is StoredArray {
  return typeof value === 'object' && value !== null && 'shape' in value && 'data' in value;
}

/** Checks everything that a case says about a layer: shapes, weights, outputs and masks. */
export function checkLayerCase(given: LayerCase, classes: readonly LayerClass[]): void {
  const layer = createLayer(given.class_name, given.config, classes);
  checkInferredShapes(given, layer);
  expect(
    layer.weights.map((variable) => [variable.name, [...variable.shape], variable.trainable]),
    'weights',
  ).toEqual(given.weight_names.map((name, index) => [name, given.weight_shapes[index], given.trainable[index]]));
  assignWeights(given, layer);
  expect(layer.supportsMasking, 'supportsMasking').toBe(given.supports_masking);

  const { outputs, masks } = run(given, layer);
  expect(outputs.length, 'number of outputs').toBe(given.outputs.length);
  for (const [index, expected] of given.outputs.entries()) expectClose(outputs[index] as Tensor, expected);
  for (const [index, expected] of given.output_masks.entries()) {
    const mask = masks[index];
    expect(mask === undefined ? null : [...(mask.data as Uint8Array)], `mask ${index}`).toEqual(
      expected === null ? null : expected.data,
    );
  }
}

function checkInferredShapes(given: LayerCase, layer: Layer): void {
  for (const { inputs, outputs } of given.inferred) {
    const tensors = inputs.map((shape, index) =>
      kerasInput({ batchShape: shape, dtype: given.inputs[index]?.dtype ?? 'float32' }),
    );
    const kwargs = Object.entries(given.kwargs).map(([key, value]) => [
      camelCase(key),
      isStored(value) ? kerasInput({ batchShape: value.shape, dtype: value.dtype }) : value,
    ]);
    const inferred = layer.applyAll(tensors, Object.fromEntries(kwargs) as Record<string, unknown>);
    expect(
      inferred.map(({ shape, dtype }) => `${dtype}${formatShape(shape)}`),
      `output for ${inputs.map(formatShape).join(' ')}`,
    ).toEqual(outputs.map(({ shape, dtype }) => `${computedDtype(dtype)}${formatShape(shape)}`));
  }
}

function assignWeights(given: LayerCase, layer: Layer): void {
  const paths = weightPaths(layer);
  expect([...paths.keys()].sort(), 'paths of weights').toEqual(Object.keys(given.weights).sort());
  for (const [path, stored] of Object.entries(given.weights)) paths.get(path)?.assign(toTensor(stored));
}

function run(given: LayerCase, layer: Layer): { outputs: Tensor[]; masks: (Tensor | undefined)[] } {
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
    const mask = given.masks[index] ?? null;
    return { tensor: symbolOf(stored), mask: mask === null ? undefined : symbolOf(mask) };
  });
  const kwargs = Object.entries(given.kwargs).map(([key, value]) => [
    camelCase(key),
    isStored(value) ? symbolOf(value) : value,
  ]);
  const traced = layer.trace(inputs, { training: false, kwargs: Object.fromEntries(kwargs) });
  const masks = traced.map(({ mask }) => mask);
  const present = masks.filter((mask) => mask !== undefined);
  const results = evaluate(
    { inputs: symbols, outputs: [...traced.map((output) => output.tensor), ...present] },
    values,
  );
  const maskResults = results.slice(traced.length);
  return { outputs: results.slice(0, traced.length), masks: masks.map((mask) => mask && maskResults.shift()) };
}

const TOLERANCE = 1e-5;

function expectClose(actual: Tensor, stored: StoredArray): void {
  const expected = toTensor(stored);
  expect([actual.dtype, [...actual.shape]], 'dtype and shape').toEqual([expected.dtype, [...expected.shape]]);
  const [found, wanted] = [actual.data as Float32Array, expected.data as Float32Array];
  for (const [index, value] of wanted.entries()) {
    const other = found[index] as number;
    const isClose = Object.is(other, value) || Math.abs(other - value) <= TOLERANCE + TOLERANCE * Math.abs(value);
    if (!isClose) expect(`element ${index} is ${other}`).toBe(`element ${index} is ${value}`);
  }
}
