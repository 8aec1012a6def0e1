import type { ByteReader } from './byte-reader.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { CONCURRENT_READS, MAX_TREE_DEPTH } from './limits.ts';

/** Guards the walk through one tree of a file: no node twice, no endless depth, no more bytes than the file has. */
export class TreeWalk {
  readonly #file: Hdf5File;
  readonly #what: string;
  readonly #seen = new Set<number>();
  #totalBytes = 0;

  constructor(file: Hdf5File, what: string) {
    this.#file = file;
    this.#what = what;
  }

  /** Call for each node before its body is read. */
  enter(address: number, byteLength: number): void {
    const offset = this.#file.baseOffset + address;
    if (this.#seen.has(address)) throw this.#file.fail(`the ${this.#what} comes to one node twice`, offset);
    this.#seen.add(address);
    this.#totalBytes += byteLength;
    if (this.#totalBytes > this.#file.byteLength) {
      throw this.#file.fail(`the nodes of the ${this.#what} overlap, as they are longer than the file`, offset);
    }
  }

  /** Levels count down to 0 at the leaves; `expected` is one less than the parent's, unknown at the root. */
  checkLevel(reader: ByteReader, found: number, expected: number | undefined): void {
    if (found > MAX_TREE_DEPTH) throw reader.fail(`the tree has ${found} levels`);
    if (expected !== undefined && found !== expected) throw reader.fail(`found level ${found}, expected ${expected}`);
  }
}

/** Reads several things at once, a few at a time, and gives the results in their order. */
export async function readEach<T, R>(items: readonly T[], read: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += CONCURRENT_READS) {
    results.push(...(await Promise.all(items.slice(start, start + CONCURRENT_READS).map(read))));
  }
  return results;
}
