/** A profile as text for a terminal. */
import type { KernelProfile, ModelProfile } from '../index.ts';
import { formatBytes, formatCount, formatTable } from './format.ts';

/** The columns of numbers, and what is between them. */
const NUMBERS = ['ms', 'share', 'GFLOP/s', 'of peak', 'bytes', 'GB/s', 'floor ms'] as const;

/** What is left of the width after the numbers is shared by the layers and by what the kernel does. */
const LAYER_PART = 0.55;

export function formatProfile(profile: ModelProfile, top: number, columns: number): string {
  return [
    ...describeProfile(profile).map(([key, value]) => `${key.padEnd(9)}${value}`),
    '',
    table(profile, top, columns),
  ].join('\n');
}

/** The facts about the whole, by name. */
export function describeProfile(profile: ModelProfile): readonly (readonly [name: string, fact: string])[] {
  const { kind, inputs, repeats, peak, memory } = profile;
  const shapes = inputs.map(({ name, shape, dtype }) => `${name} ${shape.join('×')} ${dtype}`).join(', ');
  const [cache, main] = [peak.bandwidths[0], peak.bandwidths.at(-1)];
  return [
    [kind, `${shapes}; one thread, ${repeats} repeats`],
    [
      'run',
      `${formatMs(profile.runMilliseconds)} ms (median; ${formatMs(profile.fastestRunMilliseconds)} at best), ` +
        `kernel by kernel ${formatMs(profile.kernelMilliseconds)} ms, floor ${formatMs(profile.floorMilliseconds)} ms`,
    ],
    [
      'work',
      `${formatCount(profile.multiplyAdds)} multiply-adds; ` +
        `${profile.gigaflops.toFixed(1)} GFLOP/s, ${formatPercent(profile.shareOfPeak)} of the peak`,
    ],
    [
      'peak',
      `${peak.gigaflops.toFixed(1)} GFLOP/s multiplying and adding; copying ` +
        `${Math.round(cache?.gigabytesPerSecond ?? 0)} GB/s in cache, ${Math.round(main?.gigabytesPerSecond ?? 0)} in memory`,
    ],
    [
      'memory',
      `weights ${formatBytes(memory.weightBytes)}, activations ${formatBytes(memory.activationBytes)} ` +
        `(at least ${formatBytes(memory.leastActivationBytes)})`,
    ],
    [
      'start',
      `trace ${formatMs(profile.traceMilliseconds)} ms, compile ${formatMs(profile.compileMilliseconds)} ms, ` +
        `first run ${formatMs(profile.firstRunMilliseconds)} ms`,
    ],
  ];
}

function table({ kernels, kernelMilliseconds }: ModelProfile, top: number, columns: number): string {
  const sorted = kernels.toSorted((a, b) => b.milliseconds - a.milliseconds);
  const shown = sorted.slice(0, top);
  const numbers = shown.map(numbersOf);
  const widths = NUMBERS.map((title, column) =>
    Math.max(title.length, ...numbers.map((row) => row[column]?.length ?? 0)),
  );
  const room = columns - widths.reduce((sum, width) => sum + width + 2, 0) - 2;
  const layerRoom = Math.min(
    Math.floor(room * LAYER_PART),
    Math.max(5, ...shown.map((kernel) => formatLayers(kernel, room).length)),
  );
  const rows = shown.map((kernel, index) => [
    ...(numbers[index] ?? []),
    formatLayers(kernel, layerRoom),
    shorten(kernel.operation, room - layerRoom),
  ]);
  const lines = [formatTable([...NUMBERS, 'layer', 'kernel'], rows, [0, 1, 2, 3, 4, 5, 6])];
  const rest = sorted.slice(top).reduce((sum, kernel) => sum + kernel.milliseconds, 0);
  if (sorted.length > top) {
    const share = kernelMilliseconds === 0 ? 0 : rest / kernelMilliseconds;
    lines.push(`and ${sorted.length - top} more: ${formatMs(rest)} ms, ${formatPercent(share)}`);
  }
  return lines.join('\n');
}

function numbersOf(kernel: KernelProfile): string[] {
  return [
    formatMs(kernel.milliseconds),
    `${(kernel.share * 100).toFixed(1)} %`,
    kernel.gigaflops.toFixed(1),
    formatPercent(kernel.shareOfPeak),
    formatBytes(kernel.bytes),
    kernel.gigabytesPerSecond.toFixed(1),
    formatMs(kernel.floorMilliseconds),
  ];
}

/** `conv1 +2`: the first of the layers, and how many others are in the same kernel. What is too long loses its middle. */
function formatLayers({ layers }: KernelProfile, room: number): string {
  const [first = '', ...others] = layers;
  const more = others.length === 0 ? '' : ` +${others.length}`;
  const rest = room - more.length;
  if (first.length <= rest) return first + more;
  const end = Math.ceil((rest - 1) / 2);
  return `${first.slice(0, rest - 1 - end)}…${first.slice(-end)}${more}`;
}

/** Three digits that count, and microseconds at most. */
export function formatMs(milliseconds: number): string {
  if (milliseconds >= 100) return milliseconds.toFixed(0);
  return milliseconds.toFixed(milliseconds >= 10 ? 1 : milliseconds >= 1 ? 2 : 3);
}

export function formatPercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function shorten(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}
