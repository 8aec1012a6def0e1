/**
 * A training in a process of its own, which may be killed at any moment: `node resumable-training.ts OPTIMIZER BACKUP`.
 * Prints a line for each batch, and at the end what all its bits come to.
 */
import { createHash } from 'node:crypto';
import {
  BatchNormalization,
  callbacks,
  Dense,
  Dropout,
  InputLayer,
  optimizers,
  Sequential,
  schedules,
  tensor,
} from '../../src/index.ts';

const OPTIMIZERS = {
  adam: () => new optimizers.Adam({ learningRate: 0.01 }),
  momentum: () => new optimizers.SGD({ learningRate: 0.05, momentum: 0.9 }),
  schedule: () =>
    new optimizers.AdamW({
      learningRate: new schedules.CosineDecay({ initialLearningRate: 0.02, decaySteps: 60 }),
      useEma: true,
    }),
} as const;

const SAMPLES = 100;
const FEATURES = 12;

/** Numbers that look random and are the same in each process. */
function noise(count: number, frequency: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(frequency * (index + 1) ** 1.5));
}

const [kind = 'adam', backup = ''] = process.argv.slice(2);
const model = new Sequential({
  layers: [
    new InputLayer({ batchShape: [null, FEATURES] }),
    new Dense({ units: 24, activation: 'relu' }),
    new BatchNormalization(),
    new Dropout({ rate: 0.4 }),
    new Dense({ units: 3, activation: 'softmax' }),
  ],
});
model.setWeights(
  model.weights.map(({ shape, name }, index) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const values = name.includes('variance') ? new Float32Array(size).fill(1) : noise(size, index + 0.7);
    return tensor(values, shape);
  }),
);
const optimizer = OPTIMIZERS[kind as keyof typeof OPTIMIZERS]();
model.compile({ optimizer, loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'], seed: 3 });
const x = tensor(noise(SAMPLES * FEATURES, 1.3), [SAMPLES, FEATURES]);
const y = tensor(Int32Array.from({ length: SAMPLES }, (_, index) => (index * index) % 3));
let epoch = 0;
const { history } = await model.fit(x, y, {
  epochs: 10,
  batchSize: 16,
  seed: 5,
  validationSplit: 0.2,
  callbacks: [
    new callbacks.BackupAndRestore(backup, { saveFreq: 2 }),
    ...(kind === 'schedule' ? [] : [new callbacks.ReduceLROnPlateau({ patience: 1, factor: 0.7 })]),
    new callbacks.EarlyStopping({ patience: 20, restoreBestWeights: true }),
    new callbacks.LambdaCallback({
      onEpochBegin: (number) => {
        epoch = number;
      },
      onTrainBatchEnd: async (batch) => {
        console.log(`batch ${epoch} ${batch}`);
        // Time for whoever wants to kill it.
        await new Promise((resolve) => setTimeout(resolve, 4));
      },
    }),
  ],
});
const { tensors } = await model.getTrainingState();
const hash = createHash('sha256');
for (const [name, { data }] of tensors) {
  hash.update(name).update(new Uint8Array((data as Float32Array<ArrayBuffer>).slice().buffer));
}
console.log(`done ${JSON.stringify({ hash: hash.digest('hex'), names: tensors.size, history })}`);
