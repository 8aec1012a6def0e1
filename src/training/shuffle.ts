import type { PhiloxStream } from '../array/philox.ts';

/** The numbers below `count` in an order that a stream decides. */
export function shuffledOrder(count: number, stream: PhiloxStream): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index--) {
    const other = Math.floor(stream.nextUniform() * (index + 1));
    const kept = order[index] as number;
    order[index] = order[other] as number;
    order[other] = kept;
  }
  return order;
}
