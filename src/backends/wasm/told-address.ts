/**
 * Addresses that a function is told by parameters, so that kernels of equal shapes are one function. Who writes the code
 * computes with numbers all the same: one far above all addresses stands for such a parameter, plus a distance.
 */

/** Above any address, with room for distances on both sides, which are exact. */
const UNIT = 2 ** 40;

/** What stands for an address that is told. */
export function toldAddress(index: number): number {
  return (index + 1) * UNIT;
}

/** Whether a number is not itself meant. */
export function isTold(value: number): boolean {
  return value > UNIT / 2;
}

/** Which address such a number stands for, and what is added to it. */
export function readTold(value: number): { readonly index: number; readonly distance: number } {
  const index = Math.round(value / UNIT) - 1;
  return { index, distance: value - toldAddress(index) };
}

/** A number as what is told of it, 0 where nothing is, and what is added to that. */
export function splitTold(value: number): { readonly told: number; readonly distance: number } {
  if (!isTold(value)) return { told: 0, distance: value };
  const { index, distance } = readTold(value);
  return { told: toldAddress(index), distance };
}
