/** Saving as TensorFlow.js does: `model.json` and shards of weights. */
import type { JsonObject, ModelArtifacts } from '../formats/artifacts.ts';
import { decodeJsonObject, decodeText } from '../formats/json.ts';
import { decodeManifest } from '../formats/layers-model/weight-specs.ts';
import { writeLayersModel } from '../formats/layers-model/write-layers-model.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { encodeForLayersModel } from '../serialization/encode-layers-model.ts';
import { encodeModel, KERAS_VERSION } from '../serialization/encode-model.ts';
import { namedWeightsOf, shortNamesOf, tensorflowNames } from '../serialization/named-weights.ts';
import { tensorflowJsGaps } from '../serialization/tensorflow-js-gaps.ts';
import { quantizeRule } from './quantize-rule.ts';
import type { SavedFiles, SaveRequest } from './save-formats.ts';
import { tensorFlowJsTrainingOf } from './training-record.ts';
import { uniqueId } from './unique-id.ts';
import { GENERATED_BY } from './version.ts';

/** The words in which configurations are written, as their version says it to readers. */
const DIALECT_VERSION = 'tfjs-layers 4.22.0';

/** A model in the record that `writeLayersModel` takes, and what there is to say about it. */
export interface LayersModelRecord {
  readonly artifacts: ModelArtifacts;
  /** What `model.json` says beside topology and weights. */
  readonly fields: JsonObject;
  readonly needs: readonly string[];
  readonly omitted: readonly string[];
  readonly notInTensorflowJs: readonly string[];
}

export async function encodeLayersModel(request: SaveRequest): Promise<SavedFiles> {
  const { model, shardSize, splitByLayer } = request;
  const { artifacts, fields, needs, omitted, notInTensorflowJs } = await layersModelRecord(request);
  const { file, shards, quantized } = await writeLayersModel(artifacts, {
    ...(shardSize === undefined ? {} : { shardSize }),
    ...(splitByLayer === undefined ? {} : { splitByLayer }),
    quantize: quantizeRule(request.quantize, artifacts, model.name),
    id: uniqueId(),
    fields,
  });
  return {
    file,
    nameInFolder: 'model.json',
    beside: shards,
    besideOf,
    needs,
    omitted,
    notInTensorflowJs,
    ...(request.quantize === undefined ? {} : { quantized }),
  };
}

/** The record of a model, with what `toArtifacts` gives. */
export async function layersModelRecord(request: RecordRequest): Promise<LayersModelRecord> {
  const { model, trainableOnly = false, metadata, date, metrics } = request;
  const names = tensorflowNames(model);
  const { trainingConfig, optimizerWeights, omitted: untold } = await tensorFlowJsTrainingOf(request, names);
  const { needs, omitted, notInTensorflowJs, topology } = await topologyOf(model);
  const artifacts: ModelArtifacts = {
    format: 'layers-model',
    source: model.name,
    topology,
    weights: namedWeightsOf(model, { trainableOnly, names }),
    ...(trainingConfig === undefined ? {} : { trainingConfig }),
    ...(optimizerWeights === undefined ? {} : { optimizerWeights }),
  };
  const fields: JsonObject = {
    format: 'layers-model',
    generatedBy: GENERATED_BY,
    convertedBy: null,
    ...(trainingConfig === undefined ? {} : { trainingConfig }),
    ...(metadata === undefined ? {} : { userDefinedMetadata: metadata }),
    ...(date === undefined ? {} : { dateSaved: date.toISOString() }),
    ...(metrics === undefined ? {} : { metrics }),
  };
  return { artifacts, fields, needs, omitted: [...omitted, ...untold], notInTensorflowJs };
}

/** A request whose metadata and metrics may be those that a model happens to have. */
type RecordRequest = Omit<SaveRequest, 'metadata' | 'metrics'> & {
  readonly metadata?: JsonObject | undefined;
  readonly metrics?: JsonObject | undefined;
};

type TopologyRecord = Pick<LayersModelRecord, 'needs' | 'omitted' | 'notInTensorflowJs'> & {
  readonly topology: JsonObject;
};

async function topologyOf(model: KerasModel): Promise<TopologyRecord> {
  const { topology: told, needs, omitted } = await encodeModel(model, { dialect: 'keras2', inlineAssets: true });
  const keras2 = encodeForLayersModel(told);
  if (keras2 !== undefined) {
    const topology = { ...keras2, keras_version: DIALECT_VERSION, backend: 'tensor_flow.js' };
    return { topology, needs, omitted, notInTensorflowJs: tensorflowJsGaps(keras2, [...shortNamesOf(model).values()]) };
  }
  // In its own words Keras 3 can say all of it, and TensorFlow.js could not read it in any.
  const keras3 = await encodeModel(model, { inlineAssets: true });
  return {
    topology: { ...keras3.topology, keras_version: KERAS_VERSION, backend: 'tensorflow' },
    needs: keras3.needs,
    omitted: keras3.omitted,
    notInTensorflowJs: ['functions that are called without a layer: the configuration is in the words of Keras 3'],
  };
}

/** The shards that a `model.json` names, to be removed when it is replaced; none when it is something else. */
function besideOf(bytes: Uint8Array): readonly string[] {
  try {
    const name = 'model.json';
    const { weightsManifest = [] } = decodeJsonObject(decodeText(bytes, name), name);
    return decodeManifest(weightsManifest, name).flatMap(({ paths }) => paths);
  } catch {
    return [];
  }
}
