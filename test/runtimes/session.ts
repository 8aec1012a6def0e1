/**
 * What somebody does with the package on a server, in the runtime that runs this: `RUNTIME session.ts PACKAGE MODEL FOLDER`.
 *
 * Loads a model, predicts, saves and loads it in every format, trains it with checkpoints, and goes on from one. The last
 * line is JSON, a `Session`.
 */
import { readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

export interface Session {
  readonly prediction: readonly number[];
  /** By the number of threads, or by the file that was saved and loaded: whether the prediction has the same bits. */
  readonly isSame: Readonly<Record<string, boolean>>;
  readonly listed: readonly string[];
  readonly losses: readonly number[];
  /** What training costs after it went on from a checkpoint. */
  readonly resumed: readonly number[];
  /** What lies in the folder at the end. */
  readonly left: readonly string[];
}

const [packageFile = '', modelFile = '', folder = ''] = process.argv.slice(2);
const { callbacks, Checkpoints, listModels, loadModel, moveModel, optimizers, removeModel, tensor, wasmBackend } =
  (await import(pathToFileURL(packageFile).href)) as typeof import('../../src/index.ts');

/** Without where the folder is, and what makes names of shards their own. */
const inFolder = (name: string): string => name.replace(`${folder}/`, '').replace(/_[0-9a-f]{16}_/, '_…_');

const ROWS = 24;
const values = Float32Array.from({ length: ROWS * 64 }, (_, index) => Math.abs(Math.sin(index)));
const x = tensor(values, [ROWS, 8, 8, 1]);
const backend = wasmBackend({ threads: 1 });

const model = await loadModel(modelFile);
const { data } = await model.predict(x, { backend });
const isSame: Record<string, boolean> = {};
const compare = async (what: string, other: typeof model, options: object = { backend }): Promise<void> => {
  const found = (await other.predict(x, options)).data;
  isSame[what] = found.every((value, index) => Object.is(value, data[index]));
};

await compare('two threads', model, { backend: wasmBackend({ threads: 2 }) });
for (const name of ['a.keras', 'a.h5', 'b/model.json']) {
  await model.save(`${folder}/${name}`);
  await compare(name, await loadModel(`${folder}/${name}`));
}
for (const name of ['w.weights.h5', 'w.weights.json', 'w.safetensors', 'w.npz']) {
  await model.saveWeights(`${folder}/${name}`);
  const other = await loadModel(modelFile);
  other.setWeights(other.getWeights().map(({ shape, data: { length } }) => tensor(new Float32Array(length), shape)));
  await other.loadWeights(`${folder}/${name}`);
  await compare(name, other);
}
const listed = Object.keys(await listModels(folder))
  .map(inFolder)
  .sort();
await moveModel(`${folder}/a.keras`, `${folder}/moved.keras`);
await compare('moved.keras', await loadModel(`${folder}/moved.keras`));
await removeModel(`${folder}/b/model.json`);

const labels = tensor(
  Int32Array.from({ length: ROWS }, (_, index) => index % 10),
  [ROWS],
);
const fitting = { epochs: 2, batchSize: 8, shuffle: false };
model.compile({ optimizer: new optimizers.Adam(), loss: 'sparse_categorical_crossentropy' });
const versions = new Checkpoints(`${folder}/versions`, { keep: 2 });
await model.fit(x, labels, { ...fitting, callbacks: [new callbacks.ModelCheckpoint(versions)] });
const again = await versions.loadModel('latest');
const losses = (await model.fit(x, labels, fitting)).history.loss as number[];
const resumed = (await again.fit(x, labels, fitting)).history.loss as number[];

const session: Session = {
  prediction: Array.from(data as Float32Array),
  isSame,
  listed,
  losses,
  resumed,
  left: readdirSync(folder).map(inFolder).sort(),
};
console.log(JSON.stringify(session));
