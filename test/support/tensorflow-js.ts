/** Stock TensorFlow.js under Node, in plain JavaScript; only what tests use of it is typed here. */
import { createRequire } from 'node:module';
import type { Tensor } from '../../src/index.ts';

export interface TensorflowTensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
}

export interface TensorflowModel {
  predict(inputs: readonly TensorflowTensor[]): TensorflowTensor | TensorflowTensor[];
  save(
    handler: { save(artifacts: unknown): Promise<unknown> },
    options?: { readonly includeOptimizer: boolean },
  ): Promise<unknown>;
  /** The loss, and behind it the metrics where there are any. */
  trainOnBatch(x: TensorflowTensor, y: TensorflowTensor): Promise<number | number[]>;
}

export interface Tensorflow {
  readonly version: string;
  tensor(value: Tensor): TensorflowTensor;
  loadLayersModel(handler: { load(): Promise<unknown> }): Promise<TensorflowModel>;
  /** Frees what models hold, which nothing else does. */
  disposeVariables(): void;
}

/** All its packages have to share one core: that is why each is taken as CommonJS. */
export async function openTensorflow(): Promise<Tensorflow> {
  const require = createRequire(import.meta.url);
  const core = require('@tensorflow/tfjs-core') as {
    readonly version_core: string;
    setBackend(name: string): Promise<boolean>;
    tensor(data: unknown, shape: readonly number[], dtype: string): TensorflowTensor;
    disposeVariables(): void;
  };
  const layers = require('@tensorflow/tfjs-layers') as Pick<Tensorflow, 'loadLayersModel'>;
  require('@tensorflow/tfjs-backend-cpu');
  // It recommends another package on the console.
  const { warn } = console;
  console.warn = () => {};
  await core.setBackend('cpu');
  console.warn = warn;
  return {
    version: core.version_core,
    tensor: ({ data, shape, dtype }) => core.tensor(data, shape, dtype),
    loadLayersModel: layers.loadLayersModel,
    disposeVariables: core.disposeVariables,
  };
}

interface LayersModelJson {
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly unknown[] }[];
}

/** Reads a model as TensorFlow.js' own handlers do: the JSON, and the shards one after the other. */
export function filesHandler(files: ReadonlyMap<string, Uint8Array>, path: string): { load(): Promise<unknown> } {
  return {
    load: async () => {
      const json = JSON.parse(new TextDecoder().decode(files.get(path))) as LayersModelJson;
      const folder = path.slice(0, path.lastIndexOf('/') + 1);
      return {
        ...json,
        weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
        weightData: json.weightsManifest
          .flatMap(({ paths }) => paths)
          .map((shard) => Uint8Array.from(files.get(folder + shard) ?? []).buffer),
      };
    },
  };
}
