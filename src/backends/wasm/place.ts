/** Where a program is: its memory, its code, and who runs it. */
import { type Buffer, byteLengthOf } from '../../compiler/schedule.ts';
import { atOnce } from '../../pause.ts';

export type NumericData = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Name of the exported function that runs all kernels; with threads, of the first of them: `(threads)`. */
export const RUN = 'run';

/** Name of the exported function that runs one kernel, in a module for profiling. */
export function kernelExport(index: number): string {
  return `kernel${index}`;
}

/** What is done first is done first, also where it takes its time. */
export interface Place {
  /** How many threads took part in the last run. */
  readonly threads: number;
  /** Copies a value into a buffer. */
  write(buffer: Buffer, value: NumericData): void | Promise<void>;
  /** Lets a function write a buffer, all of it, in steps. */
  fill(buffer: Buffer, write: (target: NumericData) => Generator<void, void>): void | Promise<void>;
  /** Calls an exported function of integers. */
  call(exportName: string, words: readonly number[]): void | Promise<void>;
  run(): void | Promise<void>;
  /** What a buffer holds, to be read at once. */
  view(buffer: Buffer): NumericData | Promise<NumericData>;
  /** A copy of what an output, or a state, is after the last run; the caller owns it. */
  take(buffer: Buffer): NumericData;
  /** What a buffer holds that no run writes, also while one is under way; for places in memory that the caller sees. */
  peek?(buffer: Buffer): NumericData;
}

/** With the caller, who runs the program. */
export class LocalPlace implements Place {
  readonly memory: WebAssembly.Memory;
  readonly exports: WebAssembly.Exports;
  readonly offsets: ReadonlyMap<Buffer, number>;

  constructor(memory: WebAssembly.Memory, exports: WebAssembly.Exports, offsets: ReadonlyMap<Buffer, number>) {
    this.memory = memory;
    this.exports = exports;
    this.offsets = offsets;
  }

  get threads(): number {
    return 1;
  }

  write(buffer: Buffer, value: NumericData): void {
    this.view(buffer).set(value);
  }

  fill(buffer: Buffer, write: (target: NumericData) => Generator<void, void>): void {
    atOnce(write(this.view(buffer)));
  }

  call(exportName: string, words: readonly number[]): void {
    (this.exports[exportName] as (...words: readonly number[]) => void)(...words);
  }

  run(): void {
    // A program that is not shared takes no number of threads.
    (this.exports[RUN] as (threads: number) => void)(this.threads);
  }

  view(buffer: Buffer): NumericData {
    return numbersAt(this.memory.buffer, buffer, this.offsets.get(buffer) ?? 0);
  }

  take(buffer: Buffer): NumericData {
    return copyOf(buffer, this.view(buffer));
  }

  peek(buffer: Buffer): NumericData {
    return this.view(buffer);
  }
}

/** What a buffer holds, in memory that is not shared. Engines take ten times as long for a slice of shared memory. */
export function copyOf(
  buffer: Buffer,
  numbers: NumericData,
  bytes: ArrayBuffer = new ArrayBuffer(byteLengthOf(buffer)),
): NumericData {
  const copy = numbersAt(bytes, buffer, 0);
  copy.set(numbers);
  return copy;
}

/** The elements of a buffer, in bytes that have it at `offset`. */
export function numbersAt(
  bytes: ArrayBuffer,
  { dtype, size }: Pick<Buffer, 'dtype' | 'size'>,
  offset: number,
): NumericData {
  switch (dtype) {
    case 'float32':
      return new Float32Array(bytes, offset, size);
    case 'int32':
      return new Int32Array(bytes, offset, size);
    case 'bool':
      return new Uint8Array(bytes, offset, size);
  }
}
