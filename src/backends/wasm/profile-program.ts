import { formatKernel } from '../../compiler/format-schedule.ts';
import type { Schedule } from '../../compiler/schedule.ts';
import { BackendError } from '../../errors.ts';
import { kernelExport, LocalPlace, type Place } from './place.ts';

/** How long one kernel took. */
export interface KernelTime {
  /** What it does; see `formatSchedule`. */
  readonly kernel: string;
  readonly milliseconds: number;
}

/**
 * Runs a program kernel by kernel, right after it has run. States are then what they were.
 *
 * @throws {BackendError} when the program was not compiled for it.
 */
export function profileKernels({ kernels, updates }: Schedule, place: Place): KernelTime[] {
  if (!(place instanceof LocalPlace) || (kernels.length > 0 && place.exports[kernelExport(0)] === undefined)) {
    throw new BackendError('Cannot profile the program: ask for it with `wasmBackend({ profile: true })`', 'wasm');
  }
  // Kernels may overwrite states.
  const states = updates.map(({ state }) => [state, place.take(state)] as const);
  const times = kernels.map((kernel, index) => {
    const run = place.exports[kernelExport(index)] as () => void;
    const started = performance.now();
    run();
    const milliseconds = performance.now() - started;
    return { kernel: formatKernel(kernel), milliseconds };
  });
  for (const [state, before] of states) place.view(state).set(before);
  return times;
}
