/**
 * `npm run example feature-extraction`: what a base model sees in images is computed once; a head is trained on that.
 */
import { readFile } from 'node:fs/promises';
import { Dense, InputLayer, loadModel, Model, Sequential } from 'hornet';
import { accuracy, classesOf, type DigitData, decodeImages } from './digit-images.ts';

const FOLDER = new URL('../models/eight-digits/', import.meta.url);
const data = JSON.parse(await readFile(new URL('images.json', FOLDER), 'utf8')) as DigitData;
const [learning, heldBack] = [decodeImages(data.learning), decodeImages(data.heldBack)];

// Only what lies below the features is loaded.
const base = await loadModel(new URL('eight-digits.keras', FOLDER), { until: 'features' });
const features = await base.predict(learning.x);

const head = new Sequential({
  layers: [
    new InputLayer({ batchShape: [null, features.shape[1] as number] }),
    new Dense({ units: 10, activation: 'softmax', kernelInitializer: 'zeros' }),
  ],
});
head.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy' });
const { history } = await head.fit(features, learning.y, { epochs: 40, batchSize: 8, seed: 1 });

// Base and head are one model again: it has the weights of both.
const model = new Model({ inputs: base.inputs, outputs: head.applyAll(base.outputs)[0] ?? [] });
const answers = classesOf(await model.predict(heldBack.x));

console.log(
  `Features of ${features.shape[0]} images, ${features.shape[1]} numbers each; a base of ${base.countParams()} parameters was run once.`,
);
console.log(`The loss of the head fell from ${history.loss?.[0]} to ${history.loss?.at(-1)}.`);
console.log(
  `Right, of the images held back: ${(accuracy(answers, heldBack.labels) * 100).toFixed(1)} %, ` +
    `of 8 and 9 ${(accuracy(answers, heldBack.labels, [8, 9]) * 100).toFixed(1)} %.`,
);
