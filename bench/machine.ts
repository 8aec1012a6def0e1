import { availableParallelism, cpus, loadavg } from 'node:os';

/** What the figures of a run were measured on, and how busy that was. */
export function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'an unknown processor';
  const busy = loadavg()[0] as number;
  const warning = busy > 0.5 ? ' (others are at work: times are too long, for both sides)' : '';
  return `${availableParallelism()} × ${model}, Node ${process.versions.node}, load ${busy.toFixed(2)}${warning}`;
}
