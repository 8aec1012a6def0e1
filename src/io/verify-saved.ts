/** Loads what was saved, and compares it with the model that it was made of. */
import type { Tensor } from '../array/tensor.ts';
import { FormatError, UnsupportedError } from '../errors.ts';
import type { QuantizedWeight } from '../formats/layers-model/write-layers-model.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { modelFromJSON } from '../serialization/build-model.ts';
import type { CustomObjects } from '../serialization/custom-objects.ts';
import { isModelClass } from '../serialization/json-shapes.ts';
import { tensorflowNames } from '../serialization/named-weights.ts';
import { loadLayerClasses } from '../serialization/registry.ts';
import { layerPlaces } from '../serialization/weights/match-paths.ts';
import { loadModel, loadWeights } from './load.ts';
import { modelJson } from './model-json.ts';
import { type FormatOptions, formatHolds, type SaveFormat } from './save-formats.ts';
import { largestDifference, predictSeeded, tensorsOf } from './seeded-inputs.ts';
import type { StoredModel } from './source.ts';

/** What a model that was loaded again has in common with the one that was saved. */
export interface Verification {
  /** The largest distance of two elements of weights: 0, but for those that are quantized. */
  readonly weightDifference: number;
  /** The largest distance of two predicted numbers, on inputs that are the same each time. */
  readonly predictionDifference: number;
}

export interface VerifyOptions {
  readonly format: SaveFormat;
  readonly options: FormatOptions;
  readonly quantized: readonly QuantizedWeight[] | undefined;
  /** How far predictions may be off; without it not at all, unless weights are quantized. */
  readonly tolerance: number | undefined;
  /** Whether the old model is gone already. */
  readonly isInPlace: boolean;
}

/**
 * Compares the weights and the predictions of a model with those of what was written.
 *
 * @throws {FormatError} when they differ.
 */
export async function verifySaved(
  model: KerasModel,
  written: StoredModel,
  { format, options, quantized = [], tolerance, isInPlace }: VerifyOptions,
): Promise<Verification> {
  if (options.trainableOnly === true) {
    const feature = 'verify with trainableOnly';
    throw new UnsupportedError(`Cannot save model "${model.name}" with ${feature}: not all of it is saved`, feature);
  }
  const old = isInPlace ? 'it is in its place nevertheless' : 'what was there before is unchanged';
  const fail = (problem: string): FormatError =>
    new FormatError(`Cannot verify "${written.key}": ${problem}; ${old}`, { file: written.key });
  const again = await loadAgain(model, written, format);
  const allowed = new Map(quantized.map(({ weight, largestError }) => [weight, largestError]));
  const names = tensorflowNames(model);
  let weightDifference = 0;
  for (const [index, variable] of model.weights.entries()) {
    const other = again.weights[index]?.value as Tensor;
    const difference = largestDifference([variable.value], [other]);
    if (!(difference <= (allowed.get(names.get(variable) as string) ?? 0))) {
      throw fail(`the weight "${variable.path}" differs by ${difference}`);
    }
    weightDifference = Math.max(weightDifference, difference);
  }
  const { inputs, outputs } = await predictSeeded(model);
  const predictionDifference = largestDifference(outputs, tensorsOf(await again.predict(inputs)));
  const limit = tolerance ?? (quantized.length > 0 ? Number.POSITIVE_INFINITY : 0);
  if (predictionDifference > limit) {
    throw fail(`predictions differ by ${predictionDifference}, expected ${limit} at most`);
  }
  return { weightDifference, predictionDifference };
}

async function loadAgain(model: KerasModel, { store, key }: StoredModel, format: SaveFormat): Promise<KerasModel> {
  const customObjects = await customObjectsOf(model);
  if (formatHolds(format) === 'model') return await loadModel({ store, key }, { customObjects, compile: false });
  const again = await modelFromJSON(await modelJson(model), { customObjects });
  await loadWeights(again, { store, key });
  return again;
}

/** The classes of layers that only their author has. */
async function customObjectsOf(model: KerasModel): Promise<CustomObjects> {
  const layers = layerPlaces(model).map(({ layer }) => layer);
  const known = await loadLayerClasses(new Set(layers.map(({ className }) => className)));
  const own = layers.filter(({ className }) => !known.has(className) && !isModelClass(className));
  return Object.fromEntries(own.map((layer) => [layer.className, layer.constructor])) as CustomObjects;
}
