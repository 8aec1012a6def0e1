/** What the page and its worker tell each other. */
import type { DigitData } from '../digit-images.ts';

/** From the page. */
export type Request =
  | { readonly kind: 'load'; readonly url: string; readonly data: DigitData }
  | { readonly kind: 'learn' };

/** From the worker. `answers` are the classes of the images that were held back. */
export type Report =
  | { readonly kind: 'loaded'; readonly answers: readonly number[] }
  | { readonly kind: 'stage'; readonly text: string }
  | { readonly kind: 'epoch'; readonly epoch: number; readonly loss: number }
  | { readonly kind: 'learnt'; readonly answers: readonly number[]; readonly seconds: number }
  | { readonly kind: 'failed'; readonly message: string };
