import type { Tensor } from '../array/tensor.ts';
import type { WeightEntry } from '../formats/artifacts.ts';

/**
 * Arrays under way at once. Many, so that requests for neighbours in a file are put together; together no more than a
 * bound that is added to the memory of the model itself while it is loaded.
 */
const MAX_ENTRIES_UNDER_WAY = 1024;
const MAX_BYTES_UNDER_WAY = 64 << 20;

export interface ReadWeightsOptions {
  readonly signal?: AbortSignal;
  /** Takes each array as it arrives, in any order. */
  readonly accept: (entry: WeightEntry, tensor: Tensor) => void;
}

/** Reads arrays, several at once. The first error ends it, and nothing is accepted after that. */
export async function readWeights(entries: readonly WeightEntry[], options: ReadWeightsOptions): Promise<void> {
  const { signal, accept } = options;
  await new Promise<void>((resolve, reject) => {
    let next = 0;
    let entriesUnderWay = 0;
    let bytesUnderWay = 0;
    let isEnded = false;
    const end = (error?: unknown): void => {
      if (isEnded) return;
      isEnded = true;
      signal?.removeEventListener('abort', onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onAbort = (): void => end(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();

    const hasRoom = (byteCount: number): boolean =>
      entriesUnderWay === 0 ||
      (entriesUnderWay < MAX_ENTRIES_UNDER_WAY && bytesUnderWay + byteCount <= MAX_BYTES_UNDER_WAY);
    const startMore = (): void => {
      for (let entry = entries[next]; !isEnded && entry !== undefined; entry = entries[next]) {
        if (!hasRoom(entry.storedBytes)) return;
        next++;
        entriesUnderWay++;
        bytesUnderWay += entry.storedBytes;
        read(entry).catch(end);
      }
      if (entriesUnderWay === 0) end();
    };
    const read = async (entry: WeightEntry): Promise<void> => {
      const tensor = await entry.read();
      if (isEnded) return;
      accept(entry, tensor);
      entriesUnderWay--;
      bytesUnderWay -= entry.storedBytes;
      startMore();
    };
    startMore();
  });
}
