/** Kernels by what they are, each kind with a colour that it has in all pictures. */
import type { KernelProfile } from '../index.ts';

export interface KernelKind {
  /** Also the name of its class in the style sheets. */
  readonly id: string;
  readonly title: string;
  /** On a light ground and on a dark one. */
  readonly colours: readonly [light: string, dark: string];
}

const OTHER: KernelKind = { id: 'other', title: 'others', colours: ['#8a8f98', '#9aa1ab'] };

const KINDS: readonly (readonly [pattern: RegExp, kind: KernelKind])[] = [
  [/^convolve.*depthwise/, { id: 'depthwise', title: 'depthwise convolutions', colours: ['#0d9488', '#2dd4bf'] }],
  [/^convolve\w+Gradient/, { id: 'gradient', title: 'gradients of convolutions', colours: ['#be185d', '#f472b6'] }],
  [/^convolve/, { id: 'convolution', title: 'convolutions', colours: ['#2563eb', '#60a5fa'] }],
  [/^dot /, { id: 'product', title: 'matrix products', colours: ['#7c3aed', '#a78bfa'] }],
  [/^\d+ steps? of/, { id: 'steps', title: 'loops over steps', colours: ['#b45309', '#fbbf24'] }],
  [/Pool|^(sum|product|max|min) over/, { id: 'reduction', title: 'pools and sums', colours: ['#dc2626', '#f87171'] }],
  [/^[a-z][A-Za-z0-9]*(, | and |$)/, { id: 'elements', title: 'element by element', colours: ['#65a30d', '#a3e635'] }],
];

export function kindOf({ operation }: KernelProfile): KernelKind {
  return KINDS.find(([pattern]) => pattern.test(operation))?.[1] ?? OTHER;
}

/** Those that some kernels have, the one with most of the time first. */
export function kindsOf(kernels: readonly KernelProfile[]): readonly { kind: KernelKind; share: number }[] {
  const shares = new Map<KernelKind, number>();
  for (const kernel of kernels) {
    const kind = kindOf(kernel);
    shares.set(kind, (shares.get(kind) ?? 0) + kernel.share);
  }
  return [...shares].map(([kind, share]) => ({ kind, share })).sort((a, b) => b.share - a.share);
}

/** Style sheet rules that both pictures and pages need: the colours, light and dark. */
export function colourRules(): string {
  const all = [...KINDS.map(([, kind]) => kind), OTHER];
  const variables = (index: 0 | 1): string => all.map(({ id, colours }) => `--${id}: ${colours[index]};`).join(' ');
  const ground = [
    '--ground: #ffffff; --ink: #1b1f24; --quiet: #656d76; --line: #d8dee4; --panel: #f6f8fa; --mark: #c2410c;',
    '--ground: #0f1419; --ink: #e6edf3; --quiet: #8d96a0; --line: #30363d; --panel: #171d24; --mark: #fb923c;',
  ] as const;
  return [
    `:root, svg { color-scheme: light dark; ${ground[0]} ${variables(0)} }`,
    `@media (prefers-color-scheme: dark) { :root, svg { ${ground[1]} ${variables(1)} } }`,
    ...all.map(({ id }) => `.${id} { fill: var(--${id}); --own: var(--${id}); }`),
  ].join('\n');
}
