import type { Store } from 'hornet';

type WritableFile = Parameters<NonNullable<Store['write']>>[1];

/** When a store fails: at one step, or from one step on, as it does for a program that is killed. */
export interface Failure {
  readonly at: number;
  readonly forGood: boolean;
  /** Whether the step is done before it fails: a server may do what it then reports as failed. */
  readonly afterwards: boolean;
}

export class InterruptedError extends Error {
  override readonly name: string = 'InterruptedError';
}

/** Counts the steps of stores, and fails where it is told to. */
export class Interruption {
  steps = 0;
  readonly #failure: Failure | undefined;

  constructor(failure?: Failure) {
    this.#failure = failure;
  }

  /** Does a step, or fails. */
  async run<T>(step: () => Promise<T>): Promise<T> {
    const number = this.steps++;
    const { at, forGood, afterwards } = this.#failure ?? {
      at: Number.POSITIVE_INFINITY,
      forGood: false,
      afterwards: false,
    };
    const fails = forGood ? number >= at : number === at;
    if (!fails) return await step();
    if (afterwards && number === at) await step();
    throw new InterruptedError(`interrupted at step ${number}`);
  }
}

/** A store each of whose steps may fail: every call, every piece that is read, every piece that is written. */
export function failingStore(store: Store, interruption: Interruption): Store {
  const step = async <T>(run: () => Promise<T>): Promise<T> => await interruption.run(run);
  const stepwise = (file: WritableFile): WritableFile => ({
    byteLength: file.byteLength,
    writeTo: async (sink) =>
      await file.writeTo({ write: async (bytes) => await step(async () => await sink.write(bytes)) }),
  });
  const { write, writeAll, list, remove, info, placeOf } = store;
  return {
    name: store.name,
    open: async (key, options) => {
      const file = await step(async () => await store.open(key, options));
      return {
        name: file.name,
        byteLength: file.byteLength,
        slice: async (start, end) => await step(async () => await file.slice(start, end)),
      };
    },
    ...(write && { write: async (key, file) => await step(async () => await write(key, stepwise(file))) }),
    ...(writeAll && {
      writeAll: async (files) =>
        await step(async () => await writeAll(new Map([...files].map(([key, file]) => [key, stepwise(file)])))),
    }),
    ...(list && { list: async (folder) => await step(async () => await list(folder)) }),
    ...(remove && { remove: async (key) => await step(async () => await remove(key)) }),
    ...(info && { info: async (key) => await step(async () => await info(key)) }),
    ...(placeOf && { placeOf: async (key) => await step(async () => await placeOf(key)) }),
  };
}
