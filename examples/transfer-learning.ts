/**
 * `npm run example transfer-learning`: a model that Keras has trained on the digits 0 to 7 learns to read 8 and 9.
 */
import { readFile } from 'node:fs/promises';
import { loadModel } from 'hornet';
// How `npm start` draws; nothing that a model needs.
import { colourDepth, drawPicture } from '../src/cli/terminal-picture.ts';
import { accuracy, classesOf, type DigitData, type DigitImages, decodeImages } from './digit-images.ts';
import { learnDigits } from './learn-digits.ts';

const FOLDER = new URL('../models/eight-digits/', import.meta.url);
const NEW = [8, 9];
const OLD = [0, 1, 2, 3, 4, 5, 6, 7];

const base = await loadModel(new URL('eight-digits.keras', FOLDER));
const data = JSON.parse(await readFile(new URL('images.json', FOLDER), 'utf8')) as DigitData;
const [learning, heldBack] = [decodeImages(data.learning), decodeImages(data.heldBack)];

const before = classesOf(await base.predict(heldBack.x));
console.log(`The model knows 0 to 7. It has never seen an 8 or a 9, and is shown ${learning.labels.length} images.\n`);

const started = performance.now();
const model = await learnDigits(base, learning, { verbose: 1, onStage: (text) => console.log(`\n${text}`) });
const seconds = (performance.now() - started) / 1000;

const after = classesOf(await model.predict(heldBack.x));
console.log(`\nSome of the ${heldBack.labels.length} images that it has not learnt from:\n`);
drawSome(heldBack, after);
const percent = (answers: readonly number[], digits: readonly number[]): string =>
  `${(accuracy(answers, heldBack.labels, digits) * 100).toFixed(1)} %`.padStart(8);
const row = (name: string, digits: readonly number[]): string =>
  `  ${name.padEnd(12)}${percent(before, digits)}${percent(after, digits)}`;
console.log(`Right, of the images held back:\n\n${''.padEnd(16)}before   after`);
console.log([row('8 and 9', NEW), row('0 to 7', OLD), row('all ten', [...OLD, ...NEW])].join('\n'));
console.log(`\nLearnt in ${seconds.toFixed(1)} s.\n
Next:
  npm run example feature-extraction   the same from features that are computed once
  npm run example browser              the same in a page, whose thread stays free: a worker learns
  examples/learn-digits.ts             how it is done`);

/** Two images of each new digit and four others, side by side, with the answers. */
function drawSome({ x, labels }: DigitImages, answers: readonly number[]): void {
  const rows = [8, 9, 8, 9, 3, 1, 5, 6].map((digit, place, all) => {
    const earlier = all.slice(0, place).filter((other) => other === digit).length;
    return labels.flatMap((label, index) => (label === digit ? [index] : []))[earlier] as number;
  });
  const pictures = rows.map((index) => {
    const pixels = (x.data as Float32Array).slice(index * 64, (index + 1) * 64);
    return drawPicture({ width: 8, height: 8, channels: 1, data: pixels }, 8, 4, colourDepth());
  });
  for (let line = 0; line < 4; line++) console.log(`  ${pictures.map((picture) => picture[line]).join('   ')}`);
  const texts = rows.map((index) => {
    const [answer, label] = [answers[index], labels[index]];
    return (answer === label ? `${answer}` : `${answer}, is ${label}`).padEnd(11);
  });
  console.log(`  ${texts.join('')}\n`);
}
