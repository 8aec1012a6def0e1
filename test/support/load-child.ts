/** Loads a model of zeros that no disk has, and prints by how many bytes the process has grown at most. */
import { bytesFile, type RangedFile } from '../../src/binary/ranged-file.ts';
import { loadModel, type Store, type WeightDtype } from '../../src/index.ts';

const [layers, units, weightDtype] = process.argv.slice(2);
const count = Number(layers);
const extent = Number(units);
const bytesOfKernel = extent * extent * 4;

const classes = Array.from({ length: count }, (_, index) => ({
  class_name: 'Dense',
  config: { name: `dense_${index}`, units: extent, use_bias: false, batch_input_shape: [null, extent] },
}));
const weightsManifest = classes.map(({ config }) => ({
  paths: [`${config.name}.bin`],
  weights: [{ name: `${config.name}/kernel`, shape: [extent, extent], dtype: 'float32' }],
}));
const config = { name: 'wide', layers: classes };
const json = JSON.stringify({
  format: 'layers-model',
  modelTopology: { keras_version: '2.15.0', model_config: { class_name: 'Sequential', config } },
  weightsManifest,
});

/** Reads that are made when they are asked for. */
function zerosOf(name: string, byteLength: number): RangedFile {
  return { name, byteLength, slice: async (start, end = byteLength) => new Uint8Array(end - start) };
}

const store: Store = {
  name: 'zeros',
  open: async (key) =>
    key.endsWith('.json') ? bytesFile(new TextEncoder().encode(json), key) : zerosOf(key, bytesOfKernel),
};

const before = process.resourceUsage().maxRSS;
const model = await loadModel(
  { store, key: 'model.json' },
  weightDtype === undefined ? {} : { weightDtype: weightDtype as WeightDtype },
);
const grown = (process.resourceUsage().maxRSS - before) * 1024;
process.stdout.write(JSON.stringify({ grown, float32Bytes: model.countParams() * 4 }));
