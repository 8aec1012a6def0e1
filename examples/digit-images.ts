/** Images of handwritten digits as tensors, from the file that lies beside the model. Runs in Node and in pages. */
import { type Tensor, tensor } from 'hornet';

/** Images as the bytes of their pixels in base64, and one digit for each. */
export interface EncodedImages {
  readonly shape: readonly number[];
  readonly images: string;
  readonly labels: string;
}

/** What `models/eight-digits/images.json` holds. */
export interface DigitData {
  /** To learn from. */
  readonly learning: EncodedImages;
  /** To measure with: the model never learns from these. */
  readonly heldBack: EncodedImages;
}

export interface DigitImages {
  /** Pixels of 0 to 255, `[images, 8, 8, 1]`. */
  readonly x: Tensor;
  /** The digit of each, `[images, 1]`. */
  readonly y: Tensor;
  readonly labels: readonly number[];
}

export function decodeImages({ shape, images, labels }: EncodedImages): DigitImages {
  const pixels = Float32Array.from(atob(images), (character) => character.charCodeAt(0));
  const digits = Array.from(labels, Number);
  return { x: tensor(pixels, shape), y: tensor(Float32Array.from(digits), [digits.length, 1]), labels: digits };
}

/** The most probable class of each row. */
export function classesOf({ shape: [rows = 0, classes = 0], data }: Tensor): number[] {
  return Array.from({ length: rows }, (_, row) => {
    const scores = (data as Float32Array).subarray(row * classes, (row + 1) * classes);
    return scores.indexOf(Math.max(...scores));
  });
}

/** The share of answers that are right: of all images, and of those that show one of some digits. */
export function accuracy(answers: readonly number[], labels: readonly number[], digits?: readonly number[]): number {
  const rows = labels.flatMap((label, row) => ((digits?.includes(label) ?? true) ? [row] : []));
  return rows.filter((row) => answers[row] === labels[row]).length / rows.length;
}
