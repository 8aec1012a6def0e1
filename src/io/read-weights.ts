import type { Tensor } from '../array/tensor.ts';
import type { WeightEntry, Weights } from '../formats/artifacts.ts';

/**
 * Arrays under way at once. Many, so that requests for neighbours in a file are put together; together no more than a
 * bound that is added to the memory of the model itself while it is loaded.
 */
const MAX_ENTRIES_UNDER_WAY = 1024;
const MAX_BYTES_UNDER_WAY = 64 << 20;

/** Bytes that are read before the model is built. They are the model's own weights: what bounds them bounds a file that is refused. */
const MAX_EARLY_BYTES = 96 << 20;

/**
 * Reads that begin before it is known what their arrays are for: a file at hand is read while its model is built, which
 * takes about as long. The arrays of a file far away are not, as nothing is transferred in vain.
 */
export class EarlyReads {
  readonly #reads = new Map<WeightEntry, Promise<Tensor>>();
  readonly #arrived = new Set<WeightEntry>();

  /** The arrays that are there by now. */
  arrived(): ReadonlySet<WeightEntry> {
    return new Set(this.#arrived);
  }

  /** Begins to read; fulfilled when the reads are under way. */
  async start(weights: Weights): Promise<void> {
    let byteCount = 0;
    for (const entry of entriesOf(weights)) {
      byteCount += entry.storedBytes;
      if (byteCount > MAX_EARLY_BYTES || this.#reads.size >= MAX_ENTRIES_UNDER_WAY) break;
      const read = entry.read();
      this.#reads.set(entry, read);
      // Whoever takes the array hears of an error; when the model cannot be built, nobody does.
      read.then(
        () => this.#arrived.add(entry),
        () => {},
      );
    }
    // A read reaches the file system a few promises later, and what comes next may not let go for long.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** Takes over a read that was begun, `undefined` when it was not. */
  take(entry: WeightEntry): Promise<Tensor> | undefined {
    const read = this.#reads.get(entry);
    this.#reads.delete(entry);
    return read;
  }
}

function entriesOf(weights: Weights): readonly WeightEntry[] {
  switch (weights.kind) {
    case 'named':
      return weights.entries;
    case 'layers':
      return [...weights.layers.flatMap(({ entries }) => entries), ...weights.topLevel];
    case 'paths':
      return [...weights.groups.values()].flatMap(({ entries }) => [...entries.values()]);
    default:
      return weights satisfies never;
  }
}

export interface ReadWeightsOptions {
  readonly signal?: AbortSignal;
  /** Bytes under way at once at the most, and for one array more than that; 64 MB unless given. */
  readonly bytesUnderWay?: number;
  /** Reads that have begun already. */
  readonly early?: EarlyReads;
  /** Takes each array as it arrives, in any order. */
  readonly accept: (entry: WeightEntry, tensor: Tensor) => void;
}

/** Reads arrays, several at once. The first error ends it, and nothing is accepted after that. */
export async function readWeights(entries: readonly WeightEntry[], options: ReadWeightsOptions): Promise<void> {
  const { signal, early, accept, bytesUnderWay: mostBytes = MAX_BYTES_UNDER_WAY } = options;
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
      entriesUnderWay === 0 || (entriesUnderWay < MAX_ENTRIES_UNDER_WAY && bytesUnderWay + byteCount <= mostBytes);
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
      const tensor = await (early?.take(entry) ?? entry.read());
      if (isEnded) return;
      accept(entry, tensor);
      entriesUnderWay--;
      bytesUnderWay -= entry.storedBytes;
      startMore();
    };
    startMore();
  });
}
