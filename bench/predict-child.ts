/**
 * Predictions by Hornet, as predict-child.py makes them: `node predict-child.ts FOLDER WORKLOAD THREADS`. What is set for a
 * whole process, such as HORNET_WIDE, is so for this one alone.
 *
 * Prints {} when it is ready; then answers each line of the standard input: `answer` with the outputs, `turn N` with the
 * milliseconds of a call, N of which follow one that is not timed.
 */
import { createInterface } from 'node:readline';
import { openHornet } from './engines.ts';
import { type WorkloadName, workload } from './workloads.ts';

const [folder = '', name = '', threads] = process.argv.slice(2);
const contestant = await openHornet(folder, workload(name as WorkloadName), Number(threads));
console.log('{}');
for await (const line of createInterface(process.stdin)) {
  const [word, count] = line.split(' ');
  const found = word === 'answer' ? [...(await contestant.answer())] : await contestant.turn(Number(count));
  console.log(JSON.stringify(found));
}
