/**
 * Prints what the compiled program of a MobileNetV2 (224², batch 1, random weights) costs on one thread: each stage of
 * compiling, the first runs, the best one, and the kernels that take longest. `node bench/kernels/program.ts`.
 */
import { Tensor } from '../../src/array/tensor.ts';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import { emitProgram } from '../../src/backends/wasm/emit-program.ts';
import { prepareNodes } from '../../src/backends/wasm/prepare-nodes.ts';
import { wasmBackend } from '../../src/backends/wasm/wasm-backend.ts';
import { foldAffine } from '../../src/compiler/fold-affine.ts';
import { formatPlan } from '../../src/compiler/format-schedule.ts';
import { lowerGraph } from '../../src/compiler/lower.ts';
import { planMemory } from '../../src/compiler/plan.ts';
import { simplify } from '../../src/compiler/simplify.ts';
import { apply, constant, input, parameter } from '../../src/graph/apply.ts';
import type { Graph, SymbolicTensor } from '../../src/graph/node.ts';
import { Variable } from '../../src/graph/variable.ts';
import { samePadding } from '../../src/graph/window.ts';
import { atOnce } from '../../src/pause.ts';
import { SeededNumbers } from '../../test/support/seeded-numbers.ts';

const numbers = new SeededNumbers(7);

function weight(shape: readonly number[], low: number, high: number): SymbolicTensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = numbers.floats(size).map((value) => low + ((value + 1) / 2) * (high - low));
  return parameter(new Variable({ name: 'weight', shape, initialize: () => new Tensor(shape, 'float32', data) }));
}

function spread(vector: SymbolicTensor, x: SymbolicTensor): SymbolicTensor {
  const own = x.shape.map((extent, axis) => (axis === x.shape.length - 1 ? extent : 1));
  return apply('broadcast', [apply('reshape', [vector], { shape: own })], { shape: x.shape });
}

function scalar(value: number, x: SymbolicTensor): SymbolicTensor {
  const point = new Tensor([], 'float32', Float32Array.of(value));
  const ones = apply('reshape', [constant(point)], { shape: x.shape.map(() => 1) });
  return apply('broadcast', [ones], { shape: x.shape });
}

/** Batch normalisation as Keras writes it, then perhaps relu6. */
function normalize(x: SymbolicTensor, relu6: boolean): SymbolicTensor {
  const shape = [x.shape.at(-1) as number];
  const variance = weight(shape, 0.5, 1.5);
  const root = apply('rsqrt', [apply('add', [variance, scalar(1e-3, variance)], {})], {});
  const scale = apply('multiply', [root, weight(shape, 0.5, 1.5)], {});
  const shift = apply('subtract', [weight(shape, -1, 1), apply('multiply', [weight(shape, -1, 1), scale], {})], {});
  const scaled = apply('multiply', [x, spread(scale, x)], {});
  const y = apply('add', [scaled, spread(shift, x)], {});
  if (!relu6) return y;
  return apply('minimum', [apply('maximum', [y, scalar(0, y)], {}), scalar(6, y)], {});
}

function convolve(
  x: SymbolicTensor,
  outputs: number,
  window: number,
  stride: number,
  depthwise = false,
): SymbolicTensor {
  const inputs = x.shape.at(-1) as number;
  const padding = samePadding(x.shape[1] as number, window, stride, 1);
  const groups = depthwise ? inputs : 1;
  const range = Math.sqrt(6 / (window * window * (inputs / groups)));
  return apply('convolve', [x, weight([window, window, inputs / groups, outputs], -range, range)], {
    strides: [stride, stride],
    padding: [padding, padding],
    dilation: [1, 1],
    groups,
  });
}

const BLOCKS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

function mobileNet(): Graph {
  const image = input('image', { shape: [1, 224, 224, 3], dtype: 'float32' });
  let x = normalize(convolve(image, 32, 3, 2), true);
  for (const [expansion, outputs, repeats, firstStride] of BLOCKS) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const inputs = x.shape.at(-1) as number;
      const stride = repeat === 0 ? firstStride : 1;
      let inner = x;
      if (expansion > 1) inner = normalize(convolve(inner, inputs * expansion, 1, 1), true);
      inner = normalize(convolve(inner, inputs * expansion, 3, stride, true), true);
      inner = normalize(convolve(inner, outputs, 1, 1), false);
      x = stride === 1 && inputs === outputs ? apply('add', [x, inner], {}) : inner;
    }
  }
  x = normalize(convolve(x, 1280, 1, 1), true);
  const total = apply('sum', [x], { axes: [1, 2] });
  const mean = apply('multiply', [total, scalar(1 / 49, total)], {});
  const dense = apply('dot', [mean, weight([1280, 1000], -0.05, 0.05)], {
    transposeLeft: false,
    transposeRight: false,
  });
  const logits = apply('add', [dense, spread(weight([1000], -1, 1), dense)], {});
  const along = (y: SymbolicTensor): SymbolicTensor =>
    apply('broadcast', [apply('reshape', [y], { shape: [1, 1] })], { shape: logits.shape });
  const exp = apply('exp', [apply('subtract', [logits, along(apply('max', [logits], { axes: [1] }))], {})], {});
  const probabilities = apply('divide', [exp, along(apply('sum', [exp], { axes: [1] }))], {});
  return { inputs: [image], outputs: [probabilities] };
}

function timed<T>(name: string, task: () => T): T {
  const started = performance.now();
  const result = task();
  console.log(`${name.padEnd(24)} ${(performance.now() - started).toFixed(1)} ms`);
  return result;
}

const graph = mobileNet();
const simple = timed('simplify', () => atOnce(foldAffine(atOnce(simplify(graph, evaluate)))));
const lowered = timed('lower', () => atOnce(lowerGraph(simple)));
const prepared = timed('prepare', () => prepareNodes(lowered));
const plan = timed('plan memory', () => planMemory(prepared.schedule));
console.log(formatPlan(plan));
let started = performance.now();
const emitted = await emitProgram(prepared, plan.offsets, 16384, {});
console.log(`write module             ${(performance.now() - started).toFixed(1)} ms`);
console.log(`${prepared.schedule.kernels.length} kernels, ${emitted.bytes.length} bytes`);
started = performance.now();
await WebAssembly.compile(emitted.bytes);
console.log(`compile WebAssembly      ${(performance.now() - started).toFixed(1)} ms`);

started = performance.now();
const program = await wasmBackend({ threads: 1, profile: process.argv.includes('--profile') }).compile(graph);
console.log(`all of it again          ${(performance.now() - started).toFixed(1)} ms`);
const image = new Tensor([1, 224, 224, 3], 'float32', numbers.floats(150528));
const times: number[] = [];
for (let run = 0; run < 40; run++) {
  started = performance.now();
  await program.run([image]);
  times.push(performance.now() - started);
}
console.log(`runs: ${times.slice(0, 5).map((time) => time.toFixed(1))} … best ${Math.min(...times).toFixed(1)} ms`);

if (process.argv.includes('--profile')) {
  const best = new Map<string, number>();
  for (let run = 0; run < 20; run++) {
    for (const { kernel, milliseconds } of await program.profile([image])) {
      best.set(kernel, Math.min(best.get(kernel) ?? Number.POSITIVE_INFINITY, milliseconds));
    }
  }
  const sorted = [...best].sort(([, a], [, b]) => b - a);
  const sum = sorted.reduce((total, [, time]) => total + time, 0);
  console.log(`sum of kernels ${sum.toFixed(1)} ms`);
  for (const [kernel, time] of sorted.slice(0, 25)) console.log(`${time.toFixed(3)} ms  ${kernel.slice(0, 150)}`);
}
