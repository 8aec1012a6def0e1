/**
 * Kernels that most models do without. Their code is loaded with the first graph that needs it, so that a page with an
 * image classifier does not carry sorting, sines and the gradients of filters.
 */
import { type Graph, topologicalOrder } from '../../graph/node.ts';
import type { PrimitiveName } from '../../graph/primitives.ts';
import { needsWinograd } from './winograd-choice.ts';

/** The modules of rare code. */
interface RareModules {
  readonly gradients: typeof import('./contract-filter-gradient.ts');
  /** For programs that assign variables. */
  readonly groups: typeof import('./loop-groups.ts');
  readonly indexing: typeof import('./index-code.ts');
  readonly integers: typeof import('./integer-math.ts');
  readonly lanes: typeof import('./lane-code.ts');
  /** For weights that are kept in a narrow form. */
  readonly narrow: typeof import('./contract-narrow.ts');
  readonly narrowWinograd: typeof import('./narrow-winograd.ts');
  readonly pools: typeof import('./pool.ts');
  readonly power: typeof import('./math-power.ts');
  readonly random: typeof import('./random-code.ts');
  /** For tables that are kept in a narrow form. */
  readonly table: typeof import('./narrow-table.ts');
  readonly trigonometry: typeof import('./math-trigonometric.ts');
  readonly winograd: typeof import('./contract-winograd.ts');
}

type RareName = keyof RareModules;

const LOADERS: { readonly [K in RareName]: () => Promise<RareModules[K]> } = {
  gradients: () => import('./contract-filter-gradient.ts'),
  groups: () => import('./loop-groups.ts'),
  indexing: () => import('./index-code.ts'),
  integers: () => import('./integer-math.ts'),
  lanes: () => import('./lane-code.ts'),
  narrow: () => import('./contract-narrow.ts'),
  narrowWinograd: () => import('./narrow-winograd.ts'),
  pools: () => import('./pool.ts'),
  power: () => import('./math-power.ts'),
  random: () => import('./random-code.ts'),
  table: () => import('./narrow-table.ts'),
  trigonometry: () => import('./math-trigonometric.ts'),
  winograd: () => import('./contract-winograd.ts'),
};

const NEEDS: { readonly [K in PrimitiveName]?: readonly RareName[] } = {
  convolveFilterGradient: ['gradients'],
  gather: ['indexing'],
  takeAlongAxis: ['indexing'],
  scatterAdd: ['indexing'],
  floorDivide: ['integers'],
  remainder: ['integers'],
  power: ['integers', 'power'],
  argMax: ['lanes'],
  argMin: ['lanes'],
  argSort: ['lanes'],
  cumulativeSum: ['lanes'],
  cumulativeProduct: ['lanes'],
  cumulativeMax: ['lanes'],
  cumulativeMin: ['lanes'],
  maxPool: ['pools'],
  averagePool: ['pools'],
  maxPoolGradient: ['pools'],
  averagePoolGradient: ['pools'],
  randomBits: ['random'],
  sin: ['trigonometry'],
  cos: ['trigonometry'],
  tan: ['trigonometry'],
  asin: ['trigonometry'],
  acos: ['trigonometry'],
  atan: ['trigonometry'],
  atan2: ['trigonometry'],
};

const loaded: { -readonly [K in RareName]?: RareModules[K] } = {};

/** Loads the code for the nodes of a graph, and of the loops in it. */
export async function loadRareCode(graph: Graph): Promise<void> {
  const names = new Set<RareName>();
  collectNames(graph, names);
  await loadRareModules(...names);
}

/** Loads code by its name. */
export async function loadRareModules(...names: readonly RareName[]): Promise<void> {
  await Promise.all(names.map(loadModule));
}

async function loadModule<K extends RareName>(name: K): Promise<void> {
  const load: () => Promise<RareModules[K]> = LOADERS[name];
  const module: { -readonly [N in RareName]?: RareModules[N] } = loaded;
  module[name] ??= (await load()) as (typeof loaded)[K];
}

/** Code that `loadRareCode` has loaded for the present graph. */
export function rareCode<K extends RareName>(name: K): RareModules[K] {
  const module = loaded[name];
  if (module === undefined) throw new Error(`Cannot compile the graph: the code for ${name} was not loaded`);
  return module as RareModules[K];
}

function collectNames({ outputs }: Graph, names: Set<RareName>): void {
  for (const node of topologicalOrder(outputs)) {
    for (const name of NEEDS[node.primitive] ?? []) names.add(name);
    if (needsWinograd(node)) names.add('winograd');
    if (node.primitive === 'parameter' && node.attributes.variable.narrow)
      names.add('narrow').add('narrowWinograd').add('table');
    if (node.primitive === 'scan') collectNames(node.attributes.body, names);
  }
}
