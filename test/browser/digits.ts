import heldBack from '../../models/digits/held-back.json' with { type: 'json' };

/** The address of the model below the root, which is also its path in the repository. */
export const MODEL = '/models/digits/digits.keras';

/** The images on which Node and the browser are compared. */
const IMAGES = 50;

/** Pixels of images that the model has not been trained on. */
export function digitPixels(): Float32Array {
  const bytes = Uint8Array.from(atob(heldBack.images), (character) => character.charCodeAt(0));
  return Float32Array.from(bytes.subarray(0, IMAGES * 64));
}

/** Floats as their bits, so that equal means equal. */
export function bitsOf(values: Float32Array): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}
