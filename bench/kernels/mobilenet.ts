/**
 * Prints what the contraction kernels of MobileNetV2 (224², batch 1) cost on one thread, without a compiler around
 * them: writing the module, compiling it, the first runs and the best one. `node bench/kernels/mobilenet.ts`.
 */
import { ModuleBuilder } from '../../src/backends/wasm/assembler-module.ts';
import { planConvolve } from '../../src/backends/wasm/contract-convolve.ts';
import { planDot } from '../../src/backends/wasm/contract-dot.ts';
import type { ContractPlan, KernelCode } from '../../src/backends/wasm/contract-plan.ts';
import { READ_SLACK_BYTES } from '../../src/backends/wasm/contract-tile.ts';
import { planAveragePool } from '../../src/backends/wasm/pool.ts';
import { samePadding } from '../../src/graph/window.ts';
import { atOnce } from '../../src/pause.ts';
import { SeededNumbers } from '../../test/support/seeded-numbers.ts';

interface Step {
  readonly plan: ContractPlan;
  readonly weightLength: number;
  readonly channels: number;
  readonly outputLength: number;
  readonly relu6: boolean;
}

const steps: Step[] = [];
let extent = 224;

function convolve(inputs: number, outputs: number, window: number, stride: number, relu6: boolean, groups = 1): void {
  const padding = samePadding(extent, window, stride, 1);
  const kernelShape = [window, window, inputs / groups, outputs];
  const plan = planConvolve({
    inputShape: [1, extent, extent, inputs],
    kernelShape,
    attributes: { strides: [stride, stride], padding: [padding, padding], dilation: [1, 1], groups },
    packed: groups === 1,
  });
  extent = Math.ceil(extent / stride);
  const weightLength = kernelShape.reduce((size, length) => size * length, 1);
  steps.push({ plan, weightLength, channels: outputs, outputLength: extent * extent * outputs, relu6 });
}

convolve(3, 32, 3, 2, true);
let channels = 32;
const BLOCKS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;
for (const [expansion, outputs, repeats, firstStride] of BLOCKS) {
  for (let repeat = 0; repeat < repeats; repeat++) {
    const inner = channels * expansion;
    if (expansion > 1) convolve(channels, inner, 1, 1, true);
    convolve(inner, inner, 3, repeat === 0 ? firstStride : 1, true, inner);
    convolve(inner, outputs, 1, 1, false);
    channels = outputs;
  }
}
convolve(channels, 1280, 1, 1, true);
steps.push({
  plan: planAveragePool({
    inputShape: [1, 7, 7, 1280],
    attributes: {
      window: [7, 7],
      strides: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
      dilation: [1, 1],
    },
  }),
  weightLength: 0,
  channels: 0,
  outputLength: 1280,
  relu6: false,
});
const dense = { batch: 1, m: 1, k: 1280, n: 1000, transposeLeft: false, transposeRight: false, packed: true };
steps.push({ plan: planDot(dense), weightLength: 1280 * 1000, channels: 1000, outputLength: 1000, relu6: false });

// Warms the assembler up, as importing and compiling another model would.
const start = performance.now();
let end = 1024;
const place = (byteLength: number): number => {
  const at = end;
  end = Math.ceil((end + byteLength) / 64) * 64;
  return at;
};
const privateScratch = place(Math.max(...steps.map(({ plan }) => plan.privateBytes)));
const buffers = [place(224 * 224 * 96 * 4), place(224 * 224 * 96 * 4)] as const;
const weights = steps.map(({ plan, weightLength, channels: count }) => ({
  right: place(plan.packing?.byteLength ?? weightLength * 4),
  bias: place(count * 4),
}));
const pages = Math.ceil((end + READ_SLACK_BYTES) / 65536);
const module = new ModuleBuilder();
module.importMemory('host', 'memory', { minimum: pages });
const codes: KernelCode[] = steps.map(({ plan, channels: count, relu6 }, index) =>
  plan.emit(module, {
    left: buffers[index % 2] as number,
    right: weights[index]?.right as number,
    output: buffers[(index + 1) % 2] as number,
    sharedScratch: 0,
    ...(count > 0 ? { bias: weights[index]?.bias as number } : {}),
    ...(relu6 ? { lower: 0, upper: 6 } : {}),
  }),
);
module.exportFunction(
  'run',
  module.function([], [], (f) => {
    for (const { kernel, units } of codes) f.i32(0).i32(units).i32(privateScratch).call(kernel);
  }),
);
const bytes = module.build();
const assembled = performance.now();
const compiled = await WebAssembly.compile(bytes);
const memory = new WebAssembly.Memory({ initial: pages });
const instance = await WebAssembly.instantiate(compiled, { host: { memory } });
const ready = performance.now();
console.log(
  `write ${(assembled - start).toFixed(1)} ms (${bytes.length} bytes), compile ${(ready - assembled).toFixed(1)} ms`,
);

const numbers = new SeededNumbers(1);
const floats = new Float32Array(memory.buffer);
floats.set(numbers.floats(224 * 224 * 3), buffers[0] / 4);
for (const [index, { plan, weightLength, channels: count }] of steps.entries()) {
  const source = numbers.floats(weightLength).map((value) => value * 0.1);
  const { right, bias } = weights[index] as { right: number; bias: number };
  const target = floats.subarray(right / 4, right / 4 + (plan.packing?.byteLength ?? weightLength * 4) / 4);
  if (plan.packing?.pack) atOnce(plan.packing.pack(source, target));
  else target.set(source);
  floats.set(numbers.floats(count), bias / 4);
}

const run = instance.exports.run as () => void;
const times = Array.from({ length: 60 }, () => {
  const before = performance.now();
  run();
  return performance.now() - before;
});
console.log(
  `runs: ${times
    .slice(0, 8)
    .map((time) => time.toFixed(1))
    .join(', ')} … best ${Math.min(...times).toFixed(2)} ms`,
);
