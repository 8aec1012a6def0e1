/** Prints the speed of single contraction kernels on one thread: `node bench/kernels/contract.ts [filter] [--plain] [--wide]`. */
import { planConvolve, planConvolveInputGradient } from '../../src/backends/wasm/contract-convolve.ts';
import { type DotGeometry, planDot } from '../../src/backends/wasm/contract-dot.ts';
import { planConvolveFilterGradient } from '../../src/backends/wasm/contract-filter-gradient.ts';
import type { ContractPlan } from '../../src/backends/wasm/contract-plan.ts';
import { planAveragePool, planMaxPool } from '../../src/backends/wasm/pool.ts';
import { loadRareModules } from '../../src/backends/wasm/rare-code.ts';
import { runContract } from '../../test/support/run-contract.ts';
import { SeededNumbers } from '../../test/support/seeded-numbers.ts';

interface Measurement {
  readonly name: string;
  readonly plan: ContractPlan;
  readonly leftLength: number;
  readonly rightLength: number;
  readonly outputLength: number;
  readonly packed: boolean;
  readonly flops: number;
}

function dot(name: string, shape: Partial<DotGeometry> & { m: number; k: number; n: number }): Measurement {
  const geometry = { batch: 1, transposeLeft: false, transposeRight: false, packed: false, ...shape };
  const { batch, m, k, n, packed } = geometry;
  return {
    name: `dot ${name}`,
    plan: planDot(geometry),
    leftLength: batch * m * k,
    rightLength: batch * k * n,
    outputLength: batch * m * n,
    packed: packed === true,
    flops: 2 * batch * m * k * n,
  };
}

interface ConvolveShape {
  readonly extent: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly window: number;
  readonly stride: number;
  readonly depthwise?: boolean;
}

type Direction = 'forward' | 'input gradient' | 'filter gradient';

function convolve(shape: ConvolveShape, direction: Direction = 'forward'): Measurement {
  const { extent, inputs, outputs, window, stride, depthwise } = shape;
  const total = Math.max(0, (Math.ceil(extent / stride) - 1) * stride + window - extent);
  const padding = [Math.floor(total / 2), total - Math.floor(total / 2)] as const;
  const positions = Math.ceil(extent / stride);
  const attributes = {
    strides: [stride, stride],
    padding: [padding, padding],
    dilation: [1, 1],
    groups: depthwise ? inputs : 1,
  };
  const kernelShape = [window, window, depthwise ? 1 : inputs, outputs];
  const geometry = { inputShape: [1, extent, extent, inputs], kernelShape, attributes, packed: true };
  const [inputLength, outputLength] = [extent * extent * inputs, positions * positions * outputs];
  const text = `${depthwise ? 'depthwise ' : ''}${extent}² x ${inputs} to ${outputs}, ${window} x ${window}, stride ${stride}`;
  const kernelLength = kernelShape.reduce((size, length) => size * length, 1);
  const common = { packed: true, flops: 2 * outputLength * window * window * (depthwise ? 1 : inputs) };
  const name = `convolve ${direction === 'forward' ? '' : `${direction} `}${text}`;
  switch (direction) {
    case 'forward':
      return {
        name,
        plan: planConvolve(geometry),
        leftLength: inputLength,
        rightLength: kernelLength,
        outputLength,
        ...common,
      };
    case 'input gradient':
      return {
        name,
        plan: planConvolveInputGradient(geometry),
        leftLength: outputLength,
        rightLength: kernelLength,
        outputLength: inputLength,
        ...common,
      };
    case 'filter gradient':
      return {
        name,
        plan: planConvolveFilterGradient(geometry),
        leftLength: inputLength,
        rightLength: outputLength,
        outputLength: kernelLength,
        ...common,
        packed: false,
      };
  }
}

function pool(kind: 'max' | 'average', extent: number, channels: number, window: number, stride: number): Measurement {
  const positions = Math.floor((extent - window) / stride) + 1;
  const attributes = {
    window: [window, window],
    strides: [stride, stride],
    padding: [
      [0, 0],
      [0, 0],
    ] as const,
    dilation: [1, 1],
  };
  const geometry = { inputShape: [1, extent, extent, channels], attributes };
  const outputLength = positions * positions * channels;
  return {
    name: `${kind} pool ${extent}² x ${channels}, ${window} x ${window}, stride ${stride}`,
    plan: kind === 'max' ? planMaxPool(geometry) : planAveragePool(geometry),
    leftLength: extent * extent * channels,
    rightLength: 0,
    outputLength,
    packed: false,
    flops: outputLength * window * window,
  };
}

await loadRareModules('winograd');

const MEASUREMENTS: readonly Measurement[] = [
  dot('512', { m: 512, k: 512, n: 512 }),
  dot('1024', { m: 1024, k: 1024, n: 1024 }),
  dot('1024 packed', { m: 1024, k: 1024, n: 1024, packed: true }),
  dot('1024 right transposed', { m: 1024, k: 1024, n: 1024, transposeRight: true }),
  dot('1024 left transposed', { m: 1024, k: 1024, n: 1024, transposeLeft: true }),
  dot('784 x 32 x 128 left transposed', { m: 784, k: 32, n: 128, transposeLeft: true }),
  dot('1 x 1280 x 1000 packed', { m: 1, k: 1280, n: 1000, packed: true }),
  dot('1 x 1280 x 1000', { m: 1, k: 1280, n: 1000 }),
  dot('32 x 784 x 128', { m: 32, k: 784, n: 128 }),
  dot('12544 x 32 x 16 packed', { m: 12544, k: 32, n: 16, packed: true }),
  dot('12544 x 16 x 96 packed', { m: 12544, k: 16, n: 96, packed: true }),
  dot('3136 x 24 x 144 packed', { m: 3136, k: 24, n: 144, packed: true }),
  dot('3136 x 144 x 24 packed', { m: 3136, k: 144, n: 24, packed: true }),
  dot('196 x 384 x 64 packed', { m: 196, k: 384, n: 64, packed: true }),
  dot('49 x 960 x 160 packed', { m: 49, k: 960, n: 160, packed: true }),
  dot('49 x 320 x 1280 packed', { m: 49, k: 320, n: 1280, packed: true }),
  dot('12 heads 128 x 64 x 128', { batch: 12, m: 128, k: 64, n: 128, transposeRight: true }),
  convolve({ extent: 56, inputs: 64, outputs: 64, window: 3, stride: 1 }),
  convolve({ extent: 224, inputs: 3, outputs: 32, window: 3, stride: 2 }),
  convolve({ extent: 224, inputs: 3, outputs: 64, window: 7, stride: 2 }),
  convolve({ extent: 28, inputs: 128, outputs: 128, window: 3, stride: 1 }),
  convolve({ extent: 14, inputs: 256, outputs: 256, window: 3, stride: 1 }),
  convolve({ extent: 7, inputs: 512, outputs: 512, window: 3, stride: 1 }),
  convolve({ extent: 56, inputs: 256, outputs: 512, window: 1, stride: 2 }),
  convolve({ extent: 28, inputs: 1, outputs: 32, window: 3, stride: 1 }),
  convolve({ extent: 112, inputs: 32, outputs: 32, window: 3, stride: 1, depthwise: true }),
  convolve({ extent: 112, inputs: 96, outputs: 96, window: 3, stride: 2, depthwise: true }),
  convolve({ extent: 56, inputs: 144, outputs: 144, window: 3, stride: 1, depthwise: true }),
  convolve({ extent: 56, inputs: 144, outputs: 144, window: 3, stride: 2, depthwise: true }),
  convolve({ extent: 28, inputs: 192, outputs: 192, window: 3, stride: 1, depthwise: true }),
  convolve({ extent: 28, inputs: 192, outputs: 192, window: 3, stride: 2, depthwise: true }),
  convolve({ extent: 14, inputs: 384, outputs: 384, window: 3, stride: 1, depthwise: true }),
  convolve({ extent: 14, inputs: 576, outputs: 576, window: 3, stride: 1, depthwise: true }),
  convolve({ extent: 14, inputs: 576, outputs: 576, window: 3, stride: 2, depthwise: true }),
  convolve({ extent: 7, inputs: 960, outputs: 960, window: 3, stride: 1, depthwise: true }),
  convolve({ extent: 56, inputs: 144, outputs: 144, window: 3, stride: 2, depthwise: true }, 'input gradient'),
  convolve({ extent: 56, inputs: 64, outputs: 64, window: 3, stride: 1 }, 'input gradient'),
  convolve({ extent: 56, inputs: 64, outputs: 64, window: 4, stride: 2 }, 'input gradient'),
  convolve({ extent: 56, inputs: 64, outputs: 64, window: 3, stride: 1 }, 'filter gradient'),
  convolve({ extent: 7, inputs: 512, outputs: 512, window: 3, stride: 1 }, 'filter gradient'),
  convolve({ extent: 28, inputs: 1, outputs: 32, window: 3, stride: 1 }, 'filter gradient'),
  convolve({ extent: 14, inputs: 384, outputs: 64, window: 1, stride: 1 }, 'filter gradient'),
  convolve({ extent: 56, inputs: 144, outputs: 144, window: 3, stride: 1, depthwise: true }, 'filter gradient'),
  pool('max', 112, 64, 3, 2),
  pool('max', 28, 32, 2, 2),
  pool('average', 7, 1280, 7, 1),
];

/** Without relaxed SIMD, as on engines that lack it. */
const isPlain = process.argv.includes('--plain');

/** For `node --experimental-wasm-revectorize`. */
const wide = process.argv.includes('--wide');

function measure({ plan, leftLength, rightLength, outputLength, packed, flops, name }: Measurement): void {
  const numbers = new SeededNumbers(1);
  const [left, right] = [numbers.floats(leftLength), numbers.floats(rightLength)];
  const { time } = runContract({
    plan,
    left,
    right,
    outputLength,
    packed,
    wide,
    ...(isPlain ? { relaxedSimd: false } : {}),
  });
  const first = time();
  let best = first;
  const deadline = performance.now() + 700;
  while (performance.now() < deadline) best = Math.min(best, time());
  const speed = (flops / best / 1e6).toFixed(1);
  console.log(`${name.padEnd(44)} ${best.toFixed(3).padStart(9)} ms ${speed.padStart(7)} GFLOP/s`);
}

const filter = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? '';
for (const measurement of MEASUREMENTS) if (measurement.name.includes(filter)) measure(measurement);
