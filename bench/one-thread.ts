/** One thread against the engines in WebAssembly that there are: products, convolutions, and whole models. */
import { openHornet, openOnnxruntimeWeb, openTensorflowJs } from './engines.ts';
import { type Findings, geometricMean, makeRow, type Row } from './measure.ts';
import { describeTimes, medianOf, race } from './race.ts';
import { hasLayersModel, readExpected, type WorkloadName, workload } from './workloads.ts';

const KERNELS: readonly WorkloadName[] = ['matrix-512', 'matrix-1024', 'convolution-56'];

const MODELS: readonly WorkloadName[] = [
  'mobilenet-v1',
  'mobilenet-v2',
  'resnet-50',
  'efficientnet-b0',
  'lstm-256',
  'transformer-384',
];

export const ONE_THREAD_WORKLOADS: readonly WorkloadName[] = [...KERNELS, ...MODELS];

/** Measures those of `wanted`; each against every peer that can run it. */
export async function measureOneThread(folder: string, wanted: readonly WorkloadName[]): Promise<Findings> {
  const rows: Row[] = [];
  const notes: string[] = [];
  const better = new Map<WorkloadName, Row>();
  for (const name of wanted) {
    const found = await measureWorkload(folder, name);
    rows.push(...found.rows);
    notes.push(...found.notes);
    const [first, ...others] = found.rows as [Row, ...Row[]];
    better.set(
      name,
      others.reduce((best, row) => (row.ratio < best.ratio ? row : best), first),
    );
  }
  return { rows: [...rows, ...rowOfMean(better, 'one thread')], notes };
}

/** What the ratio to each peer should be at least. */
export function goalOf(name: WorkloadName): number {
  return KERNELS.includes(name) ? 1.7 : 1.2;
}

/** The geometric mean of the models, where all have been measured, from the row of the better peer of each. */
export function rowOfMean(better: ReadonlyMap<WorkloadName, Row>, where: string): Row[] {
  const models = MODELS.flatMap((name) => better.get(name) ?? []);
  if (models.length < MODELS.length) return [];
  const [ours, peers] = [geometricMean(models.map((row) => row.ours)), geometricMean(models.map((row) => row.peer))];
  return [
    makeRow(`geometric mean of ${MODELS.length} models, ${where}`, ours, peers, 'the better peer of each', 'ms', 1.5),
  ];
}

async function measureWorkload(folder: string, name: WorkloadName): Promise<Findings> {
  const work = workload(name);
  const ours = await openHornet(folder, work, 1);
  const peers = [await openOnnxruntimeWeb(folder, work)];
  if (hasLayersModel(folder, work)) peers.push(await openTensorflowJs(folder, work));
  const times = await race(work.title, readExpected(folder, work), [ours, ...peers]);
  for (const contestant of [ours, ...peers]) contestant.close();
  return {
    rows: peers.map((peer) =>
      makeRow(`${work.title}, one thread`, medianOf(times, ours), medianOf(times, peer), peer.name, 'ms', goalOf(name)),
    ),
    notes: [describeTimes(work.title, times)],
  };
}
