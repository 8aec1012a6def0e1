/** The models that Node and the browser load both. Runs in both, so it reads nothing. */
import heldBack from '../../models/digits/held-back.json' with { type: 'json' };

export interface ModelFiles {
  /** Paths below the repository, which are also addresses below the root; the first is the one to load. */
  readonly paths: readonly [string, ...string[]];
  readonly inputs: () => Float32Array;
}

/** Written before the tests from the shipped model; two shards, so that a weight lies in both. */
export const LAYERS_MODEL_FOLDER = '.cache/browser/digits-layers';
export const SHARDS = ['group1-shard1of2.bin', 'group1-shard2of2.bin'] as const;

export const MODELS: Readonly<Record<'keras' | 'h5' | 'layers-model', ModelFiles>> = {
  keras: { paths: ['models/digits/digits.keras'], inputs: digitPixels },
  h5: { paths: ['test/fixtures/formats/tiny.h5'], inputs: steps },
  'layers-model': {
    paths: [`${LAYERS_MODEL_FOLDER}/model.json`, ...SHARDS.map((shard) => `${LAYERS_MODEL_FOLDER}/${shard}`)],
    inputs: digitPixels,
  },
};

export type ModelKind = keyof typeof MODELS;

/** The images on which Node and the browser are compared. */
const IMAGES = 50;

/** Pixels of images that the model has not been trained on. */
export function digitPixels(): Float32Array {
  const bytes = Uint8Array.from(atob(heldBack.images), (character) => character.charCodeAt(0));
  return Float32Array.from(bytes.subarray(0, IMAGES * 64));
}

function steps(): Float32Array {
  return Float32Array.from({ length: 21 }, (_, index) => Math.fround(index / 7 - 1));
}

/** Floats as their bits, so that equal means equal. */
export function bitsOf(values: Float32Array): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}
