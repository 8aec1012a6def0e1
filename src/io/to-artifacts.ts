/** A model as TensorFlow.js passes it around in memory. */
import type { JsonObject } from '../formats/artifacts.ts';
import {
  bytesOf,
  type QuantizedWeight,
  quantizedOf,
  SHARD_BYTES,
  type StoredWeight,
  storedWeights,
} from '../formats/layers-model/write-layers-model.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { quantizeRule } from './quantize-rule.ts';
import type { FormatOptions, SavedFiles } from './save-formats.ts';
import { layersModelRecord } from './save-layers-model.ts';
import { encodeMetrics } from './saved-metrics.ts';

/** TensorFlow.js' `ModelArtifacts`: what its load handlers give and its save handlers take. */
export interface LayersModelArtifacts {
  readonly modelTopology: JsonObject;
  readonly format: 'layers-model';
  readonly generatedBy: string;
  readonly convertedBy: null;
  /** Name, shape, dtype and quantization of each weight. */
  readonly weightSpecs: readonly JsonObject[];
  /** The bytes of all weights, one after the other; cut where one buffer could not hold them. */
  readonly weightData?: ArrayBuffer | ArrayBuffer[];
  /** The same bytes as they are asked for, in place of `weightData`. */
  readonly getWeightStream?: () => ReadableStream<ArrayBuffer>;
  readonly trainingConfig?: JsonObject;
  readonly userDefinedMetadata?: JsonObject;
  /** What the model's training measured last; TensorFlow.js does not know it. */
  readonly metrics?: JsonObject;
}

export interface ArtifactsOptions
  extends Pick<FormatOptions, 'metadata' | 'metrics' | 'trainableOnly' | 'quantize' | 'includeOptimizer'> {
  /** Give `getWeightStream`, which holds no second copy of the weights, in place of `weightData`; false unless given. */
  readonly stream?: boolean;
}

/** Every host has buffers of this size; many have none above 2 GB. */
const MAX_BUFFER_BYTES = 1 << 30;

/** The artifacts of a model; see `KerasModel.toArtifacts`. */
export async function modelArtifactsOf(model: KerasModel, options: ArtifactsOptions): Promise<LayersModelArtifacts> {
  return (await describeArtifacts(model, options)).artifacts;
}

/** What there is to say about artifacts, as about files. */
export type ArtifactsReport = Pick<SavedFiles, 'needs' | 'omitted' | 'notInTensorflowJs'> & {
  readonly quantized?: readonly QuantizedWeight[];
};

export async function describeArtifacts(
  model: KerasModel,
  { stream = false, metrics = model.trainingLogs, ...options }: ArtifactsOptions,
): Promise<{ readonly artifacts: LayersModelArtifacts; readonly report: ArtifactsReport }> {
  const {
    artifacts: record,
    fields,
    needs,
    omitted,
    notInTensorflowJs,
  } = await layersModelRecord({
    metadata: model.userDefinedMetadata,
    ...options,
    metrics: encodeMetrics(metrics),
    model,
  });
  const weights = await storedWeights(record, quantizeRule(options.quantize, record, model.name));
  const data = stream ? { getWeightStream: () => streamOf(weights) } : { weightData: await dataOf(weights) };
  const artifacts = {
    modelTopology: record.topology,
    ...fields,
    weightSpecs: weights.map(({ spec }) => spec),
    ...data,
  } as unknown as LayersModelArtifacts;
  const quantized = options.quantize === undefined ? {} : { quantized: quantizedOf(weights) };
  return { artifacts, report: { needs, omitted, notInTensorflowJs, ...quantized } };
}

async function dataOf(weights: readonly StoredWeight[]): Promise<ArrayBuffer | ArrayBuffer[]> {
  const byteLength = weights.reduce((sum, weight) => sum + weight.byteLength, 0);
  if (byteLength <= MAX_BUFFER_BYTES) return await bufferOf(weights, 0, byteLength);
  const buffers: ArrayBuffer[] = [];
  for (let start = 0; start < byteLength; start += MAX_BUFFER_BYTES) {
    buffers.push(await bufferOf(weights, start, Math.min(start + MAX_BUFFER_BYTES, byteLength)));
  }
  return buffers;
}

async function bufferOf(weights: readonly StoredWeight[], start: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  let place = 0;
  for await (const piece of bytesOf(weights, start, end)) {
    bytes.set(piece, place);
    place += piece.byteLength;
  }
  return bytes.buffer;
}

function streamOf(weights: readonly StoredWeight[]): ReadableStream<ArrayBuffer> {
  const byteLength = weights.reduce((sum, weight) => sum + weight.byteLength, 0);
  let start = 0;
  return new ReadableStream<ArrayBuffer>({
    pull: async (controller) => {
      const end = Math.min(start + SHARD_BYTES, byteLength);
      if (start < end) controller.enqueue(await bufferOf(weights, start, end));
      start = end;
      if (start >= byteLength) controller.close();
    },
  });
}
