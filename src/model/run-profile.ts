/** What `profileModel` does, which is loaded when it is called. */
import type { Tensor } from '../array/tensor.ts';
import { kernelWork } from '../backends/wasm/kernel-work.ts';
import { type Bandwidth, type MachinePeak, measurePeak } from '../backends/wasm/measure-peak.ts';
import { wasmBackend } from '../backends/wasm/wasm-backend.ts';
import type { WasmProgram } from '../backends/wasm/wasm-program.ts';
import type { Backend, CompileOptions, Program } from '../compiler/backend.ts';
import { describeKernel, kernelOrigins, kernelShape } from '../compiler/describe-kernel.ts';
import { formatKernel } from '../compiler/format-schedule.ts';
import type { Kernel } from '../compiler/schedule.ts';
import { type Graph, origin } from '../graph/node.ts';
import type { Layer } from '../layers/layer.ts';
import type { KerasModel } from './keras-model.ts';
import { Predictor } from './predictor.ts';
import type { KernelProfile, ModelProfile, ProfileOptions } from './profile-model.ts';
import type { PredictInputs } from './read-inputs.ts';

const [LEAST_REPEATS, MOST_REPEATS, BUDGET_MS] = [5, 50, 2000];

/** The origin of what no layer makes, in a training. */
const AROUND_LAYERS = 'loss and optimizer';

/** Profiles a model; see `profileModel`. */
export async function runProfile(
  model: KerasModel,
  inputs: PredictInputs,
  { repeats, targets, onProgress, signal }: ProfileOptions,
): Promise<ModelProfile> {
  const before = await measurePeak();
  const state = targets === undefined ? undefined : await model.getTrainingState();
  try {
    const recorder = new Recorder();
    const started = performance.now();
    await withOrigins(model, targets === undefined ? undefined : AROUND_LAYERS, async () => {
      if (targets === undefined) {
        await new Predictor(model).predict(inputs, { backend: recorder, batchSize: Number.MAX_SAFE_INTEGER });
      } else {
        await model.trainOnBatch(inputs, targets, { backend: recorder });
      }
    });
    const record = recorder.record(model.name);
    const times = await measure(record, repeats, onProgress, signal);
    const peak = better(before, await measurePeak());
    const { program } = record;
    return {
      model: model.name,
      kind: targets === undefined ? 'predict' : 'train',
      inputs: model.inputs.map(({ name, dtype }, index) => {
        return { name, dtype, shape: record.inputs[index]?.shape ?? [] };
      }),
      repeats: times.runs.length,
      traceMilliseconds: record.compileStart - started,
      compileMilliseconds: record.compileMilliseconds,
      firstRunMilliseconds: record.firstRunMilliseconds,
      runMilliseconds: median(times.runs),
      fastestRunMilliseconds: Math.min(...times.runs),
      ...summarize(program.schedule.kernels, times.kernels, peak),
      peak,
      memory: {
        weightBytes: program.plan.permanentBytes,
        activationBytes: program.plan.totalBytes - program.plan.permanentBytes,
        leastActivationBytes: program.plan.lowerBoundBytes - program.plan.permanentBytes,
      },
    };
  } finally {
    if (state !== undefined) await model.setTrainingState(state);
  }
}

/** A program, and what it was first run on. */
interface Recording {
  readonly program: WasmProgram;
  readonly inputs: readonly Tensor[];
  readonly compileStart: number;
  readonly compileMilliseconds: number;
  readonly firstRunMilliseconds: number;
}

/** A backend that keeps the program that it was asked for last. */
class Recorder implements Backend {
  readonly name = 'wasm';
  readonly #backend = wasmBackend({ profile: true, threads: 1 });
  #last: Recording | undefined;

  async compile(graph: Graph, options?: CompileOptions): Promise<Program> {
    const compileStart = performance.now();
    const program = await this.#backend.compile(graph, options);
    const compileMilliseconds = performance.now() - compileStart;
    return {
      run: async (inputs) => {
        const started = performance.now();
        const outputs = await program.run(inputs);
        const firstRunMilliseconds = performance.now() - started;
        this.#last = { program, inputs, compileStart, compileMilliseconds, firstRunMilliseconds };
        return outputs;
      },
    };
  }

  record(model: string): Recording {
    if (this.#last === undefined) throw new RangeError(`Cannot profile model "${model}": nothing was run`);
    return this.#last;
  }
}

/** Lets each layer say that the nodes which it makes come from it, while `run` traces the model. */
async function withOrigins(model: KerasModel, around: string | undefined, run: () => Promise<void>): Promise<void> {
  const named = new Set<Layer>();
  const name = (layer: Layer): void => {
    if (named.has(layer)) return;
    named.add(layer);
    const { trace } = layer;
    layer.trace = (...call) => {
      const outer = origin.current;
      origin.current = outer === around ? layer.name : `${outer}/${layer.name}`;
      try {
        return trace.apply(layer, call);
      } finally {
        origin.current = outer;
      }
    };
    layer.children.forEach(name);
  };
  model.layers.forEach(name);
  const before = origin.current;
  origin.current = around;
  try {
    await run();
  } finally {
    origin.current = before;
    // What was set on the layers hid the method of their class.
    for (const layer of named) Reflect.deleteProperty(layer, 'trace');
  }
}

interface Times {
  readonly runs: readonly number[];
  /** Of each kernel, one for each repeat. */
  readonly kernels: readonly (readonly number[])[];
}

async function measure(
  { program, inputs }: Recording,
  repeats: number | undefined,
  onProgress: ((fraction: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Times> {
  const runs: number[] = [];
  const kernels: number[][] = program.schedule.kernels.map(() => []);
  const started = performance.now();
  for (let fraction = 0; fraction < 1; ) {
    signal?.throwIfAborted();
    const start = performance.now();
    await program.run(inputs);
    runs.push(performance.now() - start);
    for (const [index, { milliseconds }] of (await program.profile(inputs)).entries()) {
      kernels[index]?.push(milliseconds);
    }
    const spent = (performance.now() - started) / BUDGET_MS;
    fraction =
      repeats === undefined
        ? Math.max(runs.length / MOST_REPEATS, Math.min(spent, runs.length / LEAST_REPEATS))
        : runs.length / repeats;
    onProgress?.(Math.min(fraction, 1));
    // Whoever shows the progress gets a turn.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return { runs, kernels };
}

function summarize(kernels: readonly Kernel[], times: readonly (readonly number[])[], peak: MachinePeak) {
  const medians = times.map(median);
  const sum = medians.reduce((total, time) => total + time, 0);
  const rows = kernels.map((kernel, index) => profileKernel(kernel, medians[index] ?? 0, sum, peak));
  const total = (of: (row: KernelProfile) => number): number => rows.reduce((all, row) => all + of(row), 0);
  const operations = total((row) => row.operations);
  const gigaflops = rate(operations, sum);
  return {
    kernelMilliseconds: sum,
    floorMilliseconds: total((row) => row.floorMilliseconds),
    multiplyAdds: total((row) => row.multiplyAdds),
    operations,
    gigaflops,
    shareOfPeak: gigaflops / peak.gigaflops,
    kernels: rows,
  };
}

function profileKernel(kernel: Kernel, milliseconds: number, sum: number, peak: MachinePeak): KernelProfile {
  const work = kernelWork(kernel);
  const computing = work.operations / (peak.gigaflops * 1e6);
  const moving = work.bytes / (bandwidthFor(work.bytes, peak.bandwidths) * 1e6);
  const gigaflops = rate(work.operations, milliseconds);
  return {
    name: kernel.name,
    operation: describeKernel(kernel),
    description: formatKernel(kernel),
    layers: kernelOrigins(kernel),
    shape: kernelShape(kernel),
    milliseconds,
    share: sum === 0 ? 0 : milliseconds / sum,
    ...work,
    gigaflops,
    gigabytesPerSecond: rate(work.bytes, milliseconds),
    shareOfPeak: gigaflops / peak.gigaflops,
    floorMilliseconds: Math.max(computing, moving),
    limit: computing >= moving ? 'compute' : 'memory',
  };
}

/** 10⁹ in a second; 0 for what took no time that the clock can tell. */
function rate(count: number, milliseconds: number): number {
  return milliseconds === 0 ? 0 : count / (milliseconds * 1e6);
}

/** That of the largest measured size that is not above the given: at least what so many bytes allow. */
function bandwidthFor(bytes: number, bandwidths: readonly Bandwidth[]): number {
  const fitting = bandwidths.filter((each) => each.bytes <= bytes).at(-1) ?? bandwidths[0];
  return fitting?.gigabytesPerSecond ?? Number.POSITIVE_INFINITY;
}

function better(first: MachinePeak, second: MachinePeak): MachinePeak {
  return {
    gigaflops: Math.max(first.gigaflops, second.gigaflops),
    bandwidths: first.bandwidths.map(({ bytes, gigabytesPerSecond }, index) => {
      return {
        bytes,
        gigabytesPerSecond: Math.max(gigabytesPerSecond, second.bandwidths[index]?.gigabytesPerSecond ?? 0),
      };
    }),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
