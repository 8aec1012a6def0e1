/** Two threads against native code on the same two cores: as they are, and with kernels of 256 bits (`HORNET_WIDE=1`). */
import { openHornet, openKeras, openOnnxruntimeNode, openWideHornet } from './engines.ts';
import { type Findings, makeRow, type Row } from './measure.ts';
import { type Contestant, describeTimes, medianOf, race } from './race.ts';
import { readExpected, type WorkloadName, workload } from './workloads.ts';

const THREADS = 2;

/** What the ratios should be at least: to Keras on TensorFlow, to onnxruntime. */
const GOALS: readonly (readonly [WorkloadName, number, number])[] = [
  ['mobilenet-v2', 0.7, 0.45],
  ['resnet-50', 0.7, 0.45],
  ['mlp-784', 1, 1],
  ['lstm-32', 1, 1],
];

export const NATIVE_WORKLOADS: readonly WorkloadName[] = GOALS.map(([name]) => name);

export async function measureNative(folder: string, python: string | undefined): Promise<Findings> {
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const [name, overKeras, overOnnxruntime] of GOALS) {
    const work = workload(name);
    const ours = await openHornet(folder, work, THREADS);
    const wide = await openWideHornet(folder, work, THREADS);
    const onnxruntime = await openOnnxruntimeNode(folder, work, THREADS);
    const keras = python === undefined ? undefined : await openKeras(folder, work, python, THREADS);
    const all = [ours, wide, onnxruntime, ...(keras === undefined ? [] : [keras])];
    const times = await race(work.title, readExpected(folder, work), all);
    for (const contestant of all) contestant.close();
    const title = `${work.title}, two cores`;
    for (const [suffix, contestant] of [
      ['', ours],
      [', wide', wide],
    ] as const) {
      const mine = medianOf(times, contestant);
      const addRow = (peer: Contestant, goal: number): void => {
        rows.push(makeRow(`${title}${suffix}`, mine, medianOf(times, peer), peer.name, 'ms', goal));
      };
      if (keras !== undefined) addRow(keras, overKeras);
      addRow(onnxruntime, overOnnxruntime);
    }
    notes.push(describeTimes(title, times));
  }
  if (python === undefined) notes.push('not run: Keras on TensorFlow, because no Python with Keras was found');
  return { rows, notes };
}
