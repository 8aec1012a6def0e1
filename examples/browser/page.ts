/** The page: it draws, and leaves all that computes to its worker. */

import model from '../../models/eight-digits/eight-digits.keras?url';
import data from '../../models/eight-digits/images.json' with { type: 'json' };
import { accuracy, decodeImages } from '../digit-images.ts';
import { EPOCHS } from '../learn-digits.ts';
import type { Report, Request } from './messages.ts';

const heldBack = decodeImages(data.heldBack);
/** New digits first: four of each, then two of each other. */
const shown = [8, 9, 0, 1, 2, 3, 4, 5, 6, 7].flatMap((digit) =>
  heldBack.labels.flatMap((label, index) => (label === digit ? [index] : [])).slice(0, digit > 7 ? 8 : 2),
);

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const ask = (request: Request): void => worker.postMessage(request);
const losses: number[] = [];

const element = <E extends Element = HTMLElement>(selector: string): E => document.querySelector(selector) as E;
const button = element<HTMLButtonElement>('#learn');

worker.addEventListener('message', ({ data: report }: MessageEvent<Report>) => {
  switch (report.kind) {
    case 'loaded':
      showAnswers(report.answers);
      showAccuracy('before', report.answers);
      say('It knows 0 to 7. It has never seen an 8 or a 9.');
      button.disabled = false;
      break;
    case 'stage':
      say(report.text);
      break;
    case 'epoch':
      losses.push(report.loss);
      drawCurve();
      break;
    case 'learnt':
      showAnswers(report.answers);
      showAccuracy('after', report.answers);
      say(`Learnt from ${data.learning.labels.length} images in ${report.seconds.toFixed(1)} s.`);
      document.body.dataset.state = 'learnt';
      break;
    case 'failed':
      say(`It failed: ${report.message}`);
      document.body.dataset.state = 'failed';
      break;
    default:
      report satisfies never;
  }
});

button.addEventListener('click', () => {
  button.disabled = true;
  ask({ kind: 'learn' });
});

drawImages();
drawCurve();
ask({ kind: 'load', url: new URL(model, location.href).href, data });

function say(text: string): void {
  element('#status').textContent = text;
}

function drawImages(): void {
  const pixels = heldBack.x.data as Float32Array;
  element('#images').replaceChildren(
    ...shown.map((index) => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 8;
      const ink = Uint8ClampedArray.from({ length: 256 }, (_, at) =>
        at % 4 === 3 ? (pixels[index * 64 + Math.floor(at / 4)] as number) : 0,
      );
      canvas.getContext('2d')?.putImageData(new ImageData(ink, 8, 8), 0, 0);
      const figure = document.createElement('figure');
      figure.append(canvas, document.createElement('figcaption'));
      return figure;
    }),
  );
}

function showAnswers(answers: readonly number[]): void {
  for (const [place, figure] of [...element('#images').children].entries()) {
    const index = shown[place] as number;
    const isRight = answers[index] === heldBack.labels[index];
    figure.className = isRight ? 'right' : 'wrong';
    (figure.lastElementChild as HTMLElement).textContent = `${answers[index]}`;
    (figure as HTMLElement).title = isRight ? '' : `It is a ${heldBack.labels[index]}`;
  }
}

function showAccuracy(when: 'before' | 'after', answers: readonly number[]): void {
  const groups = { new: [8, 9], old: [0, 1, 2, 3, 4, 5, 6, 7], all: undefined };
  for (const [group, digits] of Object.entries(groups)) {
    const share = accuracy(answers, heldBack.labels, digits) * 100;
    const bar = element(`#${group} .${when}`);
    bar.style.setProperty('--share', `${share}%`);
    bar.textContent = `${share.toFixed(1)} %`;
  }
}

/** The loss of each epoch, on a logarithmic axis. */
function drawCurve(): void {
  const [width, height, low, high] = [560, 200, -4, 1];
  const x = (epoch: number): number => 44 + (epoch / (2 * EPOCHS - 1)) * (width - 64);
  const y = (loss: number): number => 12 + ((high - Math.log10(loss)) / (high - low)) * (height - 40);
  const ticks = [1, 0, -1, -2, -3, -4].map((power) => {
    const at = y(10 ** power);
    const label =
      power < -1 ? `10${[...String(power)].map((sign) => '⁻⁰¹²³⁴'['-01234'.indexOf(sign)]).join('')}` : 10 ** power;
    return `<line x1="44" x2="${width - 12}" y1="${at}" y2="${at}"/><text x="36" y="${at + 4}" class="y">${label}</text>`;
  });
  const middle = (x(EPOCHS - 1) + x(EPOCHS)) / 2;
  const stages = `<line class="stage" x1="${middle}" x2="${middle}" y1="12" y2="${height - 28}"/>
    <text x="${(44 + middle) / 2}" y="${height - 8}">new head</text>
    <text x="${(middle + width - 12) / 2}" y="${height - 8}">head and last convolution</text>`;
  const points = losses.map((loss, epoch) => `${x(epoch)},${y(loss)}`);
  const dots = losses.map(
    (loss, epoch) =>
      `<circle cx="${x(epoch)}" cy="${y(loss)}" r="4"><title>epoch ${epoch + 1}: loss ${loss}</title></circle>`,
  );
  element('#curve').innerHTML = `${ticks.join('')}${stages}<polyline points="${points.join(' ')}"/>${dots.join('')}`;
}
