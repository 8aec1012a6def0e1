/** Constants that grow with what a configuration says: positions, windows, filters. */

/**
 * More elements than the tables of any model have, and few enough to be made in a moment. A file that asks for more is
 * refused before memory is taken.
 */
const MAX_TABLE_LENGTH: number = 2 ** 24;

/** Each window of adaptive pooling is a node of the graph. */
export const MAX_WINDOWS: number = 2 ** 14;

/**
 * Gives the number back.
 *
 * @throws {RangeError} when a table would have more elements than `limit`.
 */
export function tableLength(what: string, length: number, limit: number = MAX_TABLE_LENGTH): number {
  if (length <= limit) return length;
  throw new RangeError(`Cannot make ${what}: found ${length} elements, expected ${limit} at most`);
}
