/** Where the time of a model goes: kernel by kernel, beside what the processor could do. */
import type { Dtype } from '../array/dtype.ts';
import type { Shape } from '../array/shape.ts';
import type { MachinePeak } from '../backends/wasm/measure-peak.ts';
import type { TargetValues } from '../training/samples.ts';
import type { KerasModel } from './keras-model.ts';
import type { PredictInputs } from './read-inputs.ts';

export interface ProfileOptions {
  /** How often the model is run, whole and kernel by kernel; by default as often as two seconds allow, 5 to 50 times. */
  readonly repeats?: number;
  /** Profiles a step of training on these instead of a prediction. The model is as before afterwards. */
  readonly targets?: TargetValues;
  /** Called after each repeat with the part that is done. */
  readonly onProgress?: (fraction: number) => void;
  /** Checked between repeats. */
  readonly signal?: AbortSignal;
}

/** One kernel: what it does, how long it takes, and how long it would have to take. */
export interface KernelProfile {
  /** Its name in the program, which no other kernel has. */
  readonly name: string;
  /** In a few words: `convolve 3×3, stride 2 + add, maximum`. */
  readonly operation: string;
  /** What it reads, computes and writes, as `operation` does not say. */
  readonly description: string;
  /** The layers that it computes, or parts of: paths of names in the model. Empty where nothing is known. */
  readonly layers: readonly string[];
  /** The shape of its result; of a loop over steps, their number. */
  readonly shape: Shape;
  /** Median. */
  readonly milliseconds: number;
  /** Of the sum of all kernels' times; between 0 and 1. */
  readonly share: number;
  /** Of contractions, as they are defined: Winograd's algorithm does with fewer. */
  readonly multiplyAdds: number;
  /** Two for each multiply-add, one for each other operation on a number. */
  readonly operations: number;
  /** Inputs and outputs, each once. */
  readonly bytes: number;
  /** 10⁹ operations in a second. */
  readonly gigaflops: number;
  /** 10⁹ bytes in a second. */
  readonly gigabytesPerSecond: number;
  /** `gigaflops` as a part of the machine's. */
  readonly shareOfPeak: number;
  /** The time below which the machine's peaks do not let it get; see `limit`. */
  readonly floorMilliseconds: number;
  /** What makes the floor: computing, or moving the bytes. */
  readonly limit: 'compute' | 'memory';
}

/** What `profileModel` finds. Times are medians, in milliseconds. */
export interface ModelProfile {
  readonly model: string;
  readonly kind: 'predict' | 'train';
  readonly inputs: readonly { readonly name: string; readonly shape: Shape; readonly dtype: Dtype }[];
  readonly repeats: number;
  /** From layers to a graph; of a training, with its gradients and the code for them. */
  readonly traceMilliseconds: number;
  /** From the graph to a program. */
  readonly compileMilliseconds: number;
  /** The first run, which also brings the weights to their places. */
  readonly firstRunMilliseconds: number;
  /** A run of the whole program on one thread. */
  readonly runMilliseconds: number;
  /** The fastest such run: much below the median, the machine was busy with other things. */
  readonly fastestRunMilliseconds: number;
  /** The sum over the kernels, each called alone. */
  readonly kernelMilliseconds: number;
  readonly floorMilliseconds: number;
  readonly multiplyAdds: number;
  readonly operations: number;
  readonly gigaflops: number;
  readonly shareOfPeak: number;
  /** A bare loop of multiply-adds and plain copies of memory, measured before and after; the better counts. */
  readonly peak: MachinePeak;
  readonly memory: ProfiledMemory;
  /** In the order in which they run. */
  readonly kernels: readonly KernelProfile[];
}

/** Bytes of a program. */
export interface ProfiledMemory {
  /** Weights and what is computed from them alone: it stays between runs. */
  readonly weightBytes: number;
  readonly activationBytes: number;
  /** The most that lives at one time, below which activations cannot get. */
  readonly leastActivationBytes: number;
}

/**
 * Runs a model on inputs, as one batch and on one thread, and says what each kernel of its program does, for which
 * layers, how long it takes, and how near that is to what the processor can do.
 *
 * ```ts
 * import { Dense, input, Model, profileModel, tensor } from 'hornet';
 *
 * const x = input({ shape: [3] });
 * const model = new Model({ inputs: x, outputs: new Dense({ units: 4, name: 'top' }).apply(x) });
 * const { kernels } = await profileModel(model, tensor([[1, 2, 3]]), { repeats: 5 });
 *
 * expect(kernels[0]?.multiplyAdds).toBe(12);
 * expect(kernels[0]?.layers).toEqual(['top']);
 * ```
 *
 * Kernels that are shorter than what the clock tells apart are rounded to that: a few microseconds in browsers.
 *
 * @throws {RangeError} when `repeats` is not above 0, or a training is asked of a model that is not compiled.
 * @throws {ShapeError} when an input does not fit.
 */
export async function profileModel(
  model: KerasModel,
  inputs: PredictInputs,
  options: ProfileOptions = {},
): Promise<ModelProfile> {
  const { repeats } = options;
  if (repeats !== undefined && !(Number.isSafeInteger(repeats) && repeats > 0)) {
    throw new RangeError(`Cannot profile model "${model.name}": repeats is ${repeats}, expected an integer above 0`);
  }
  const { runProfile } = await import('./run-profile.ts');
  return await runProfile(model, inputs, options);
}
