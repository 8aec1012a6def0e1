/** All that computes, away from the page's thread: a worker has the whole of Hornet, and the page stays free. */
import { callbacks, type KerasModel, loadModel } from 'hornet';
import { classesOf, type DigitImages, decodeImages } from '../digit-images.ts';
import { learnDigits } from '../learn-digits.ts';
import type { Report, Request } from './messages.ts';

const report = (message: Report): void => postMessage(message);

let base: KerasModel;
let learning: DigitImages;
let heldBack: DigitImages;

async function answer(request: Request): Promise<void> {
  if (request.kind === 'load') {
    base = await loadModel(request.url);
    learning = decodeImages(request.data.learning);
    heldBack = decodeImages(request.data.heldBack);
    report({ kind: 'loaded', answers: classesOf(await base.predict(heldBack.x)) });
    return;
  }
  const started = performance.now();
  const progress = new callbacks.LambdaCallback({
    onEpochEnd: (epoch, { loss }) => report({ kind: 'epoch', epoch, loss: Number(loss) }),
  });
  const onStage = (text: string): void => report({ kind: 'stage', text });
  const model = await learnDigits(base, learning, { callbacks: [progress], onStage });
  const seconds = (performance.now() - started) / 1000;
  report({ kind: 'learnt', answers: classesOf(await model.predict(heldBack.x)), seconds });
}

addEventListener('message', (event: MessageEvent<Request>) => {
  answer(event.data).catch((error: Error) => report({ kind: 'failed', message: error.message }));
});
