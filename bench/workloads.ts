/** What inference is measured on: models that interop/make-bench-models.py writes, with one input and Keras' output. */
import { existsSync, readFileSync } from 'node:fs';
import type { KerasModel } from '../src/model/keras-model.ts';

export interface Workload {
  /** As in the names of its files. */
  readonly name: string;
  readonly title: string;
  readonly inputShape: readonly number[];
}

const image = [1, 224, 224, 3];

export type WorkloadName =
  | 'matrix-512'
  | 'matrix-1024'
  | 'convolution-56'
  | 'mobilenet-v1'
  | 'mobilenet-v2'
  | 'resnet-50'
  | 'efficientnet-b0'
  | 'lstm-256'
  | 'transformer-384'
  | 'mlp-784'
  | 'lstm-32';

const table: Readonly<Record<WorkloadName, readonly [title: string, inputShape: readonly number[]]>> = {
  'matrix-512': ['matrix product 512', [512, 512]],
  'matrix-1024': ['matrix product 1024', [1024, 1024]],
  'convolution-56': ['3 × 3 convolution, 56², 64 to 64', [1, 56, 56, 64]],
  'mobilenet-v1': ['MobileNetV1', image],
  'mobilenet-v2': ['MobileNetV2', image],
  'resnet-50': ['ResNet50', image],
  'efficientnet-b0': ['EfficientNetB0', image],
  'lstm-256': ['2 LSTMs of 256, 16 × 100 steps', [16, 100, 256]],
  'transformer-384': ['transformer 6 × 384, 128 tokens', [1, 128, 384]],
  'mlp-784': ['MLP 784-128-10', [1, 784]],
  'lstm-32': ['LSTM of 32, 50 steps', [1, 50, 8]],
};

export const WORKLOAD_NAMES: readonly WorkloadName[] = Object.keys(table) as WorkloadName[];

export function workload(name: WorkloadName): Workload {
  const [title, inputShape] = table[name];
  return { name, title, inputShape };
}

/**
 * Multiplications and additions of a call of a model of products and convolutions, straight from their definition: twice
 * the size of each kernel, for each position that it is applied at.
 */
export function flopsOf(model: KerasModel, batch: number): number {
  return model.layers.reduce((sum, layer) => {
    const kernel = layer.weights.find(({ shape }) => shape.length > 1);
    if (kernel === undefined) return sum;
    const positions = layer.output.shape.slice(1, -1).reduce<number>((size, extent) => size * (extent ?? 1), batch);
    return sum + 2 * positions * kernel.shape.reduce((size, extent) => size * extent, 1);
  }, 0);
}

export function readInput(folder: string, { name }: Workload): Float32Array {
  return readFloats(`${folder}/${name}-input.bin`);
}

/** What Keras answers to the input. */
export function readExpected(folder: string, { name }: Workload): Float32Array {
  return readFloats(`${folder}/${name}-output.bin`);
}

/** TensorFlow.js has not the layers of all. */
export function hasLayersModel(folder: string, { name }: Workload): boolean {
  return existsSync(`${folder}/${name}/model.json`);
}

function readFloats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
