/** Runs under Node, before the browser starts: what the browser has to equal. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { type KerasModel, loadModel, readArtifacts } from 'hornet';
import type { TestProject } from 'vitest/node';
import { bitsOf, LAYERS_MODEL_FOLDER, MODELS, type ModelKind, SHARDS } from './models.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Bits of the predictions that Node computes, for each model. */
    nodeBits: Readonly<Record<ModelKind, readonly number[]>>;
  }
}

/** Hands the predictions of Node to the tests. */
export async function setup(project: TestProject): Promise<void> {
  const [shipped] = MODELS.keras.paths;
  await writeLayersModel(shipped);
  const nodeBits: Partial<Record<ModelKind, readonly number[]>> = {};
  for (const [kind, { paths, inputs }] of Object.entries(MODELS)) {
    const output = await (await loadModel(paths[0])).predict(inputs());
    nodeBits[kind as ModelKind] = bitsOf(output.data as Float32Array);
  }
  project.provide('nodeBits', nodeBits as Record<ModelKind, readonly number[]>);
}

/** Writes the shipped model as a `model.json` with shards. */
async function writeLayersModel(source: string): Promise<void> {
  const { topology, kerasVersion } = await readArtifacts(source);
  const model: KerasModel = await loadModel(source);
  const specs = model.weights.map(({ path, shape, dtype }) => ({ name: path, shape, dtype }));
  const bytes = Buffer.concat(
    model.weights.map(({ value }) => Buffer.from((value.data as Float32Array).slice().buffer)),
  );
  const middle = (bytes.byteLength >> 1) + 3;
  mkdirSync(LAYERS_MODEL_FOLDER, { recursive: true });
  writeFileSync(`${LAYERS_MODEL_FOLDER}/${SHARDS[0]}`, bytes.subarray(0, middle));
  writeFileSync(`${LAYERS_MODEL_FOLDER}/${SHARDS[1]}`, bytes.subarray(middle));
  const json = {
    format: 'layers-model',
    modelTopology: { keras_version: kerasVersion, model_config: topology },
    weightsManifest: [{ paths: SHARDS, weights: specs }],
  };
  writeFileSync(`${LAYERS_MODEL_FOLDER}/model.json`, JSON.stringify(json));
}
