import type { ByteReader } from './byte-reader.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { CONCURRENT_READS, MAX_TREE_DEPTH } from './limits.ts';

/** Guards the walk through one tree of a file: no node twice, no endless depth. */
export class TreeWalk {
  readonly #file: Hdf5File;
  readonly #what: string;
  readonly #seen = new Set<number>();

  constructor(file: Hdf5File, what: string) {
    this.#file = file;
    this.#what = what;
  }

  /** Call with the address of each node before it is read. */
  enter(address: number): void {
    if (this.#seen.has(address)) {
      throw this.#file.fail(`the ${this.#what} comes to one node twice`, this.#file.baseOffset + address);
    }
    this.#seen.add(address);
  }

  /** Levels count down to 0 at the leaves; `expected` is one less than the parent's, unknown at the root. */
  checkLevel(reader: ByteReader, found: number, expected: number | undefined): void {
    if (found > MAX_TREE_DEPTH) throw reader.fail(`the tree has ${found} levels`);
    if (expected !== undefined && found !== expected) throw reader.fail(`found level ${found}, expected ${expected}`);
  }

  /** Reads siblings, a few at a time, and gives the results in their order. */
  async readAll<T>(addresses: readonly number[], read: (address: number) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    for (const address of addresses) this.enter(address);
    for (let start = 0; start < addresses.length; start += CONCURRENT_READS) {
      results.push(...(await Promise.all(addresses.slice(start, start + CONCURRENT_READS).map(read))));
    }
    return results;
  }
}
