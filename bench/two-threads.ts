/** Two threads against one of ours, and against TensorFlow.js, which has no threads in Node. */
import { openHornet, openTensorflowJs } from './engines.ts';
import { type Findings, makeRow, type Row } from './measure.ts';
import { describeTimes, medianOf, race } from './race.ts';
import { readExpected, type WorkloadName, workload } from './workloads.ts';

interface Comparison {
  readonly name: WorkloadName;
  /** What the ratios should be at least, where that is set down. */
  readonly overOne?: number;
  readonly overTensorflow?: number;
}

const COMPARISONS: readonly Comparison[] = [
  { name: 'matrix-1024', overOne: 1.7 },
  { name: 'resnet-50', overOne: 1.7 },
  { name: 'mobilenet-v2', overTensorflow: 2.5 },
];

export async function measureTwoThreads(folder: string): Promise<Findings> {
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const { name, overOne, overTensorflow } of COMPARISONS) {
    const work = workload(name);
    const ours = await openHornet(folder, work, 2);
    const one = await openHornet(folder, work, 1);
    const tensorflow = await openTensorflowJs(folder, work);
    const times = await race(work.title, readExpected(folder, work), [ours, one, tensorflow]);
    for (const contestant of [ours, one, tensorflow]) contestant.close();
    const title = `${work.title}, two threads`;
    const mine = medianOf(times, ours);
    rows.push(makeRow(title, mine, medianOf(times, one), 'Hornet, one thread', 'ms', overOne));
    rows.push(makeRow(title, mine, medianOf(times, tensorflow), tensorflow.name, 'ms', overTensorflow));
    notes.push(describeTimes(title, times));
  }
  return { rows, notes };
}
