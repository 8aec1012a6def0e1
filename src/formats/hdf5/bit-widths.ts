/** Bytes that an integer up to `limit` takes, 8 at most. */
export function byteWidth(limit: number): number {
  let width = 1;
  for (let rest = limit; rest >= 256 && width < 8; rest = Math.floor(rest / 256)) width++;
  return width;
}

export function isPowerOfTwo(value: number): boolean {
  return value >= 1 && Number.isInteger(Math.log2(value));
}
