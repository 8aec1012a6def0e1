/** How weights are brought back from the memory of a program that has them, to the bit: those that it takes as they are. */
import { isPermanent, type MemoryPlan } from '../../compiler/plan.ts';
import { type Buffer, byteLengthOf, type Schedule } from '../../compiler/schedule.ts';
import type { Variable } from '../../graph/variable.ts';
import type { Packing } from './contract-plan.ts';
import { copyOf, type NumericData } from './place.ts';

/** The array of a smaller weight takes less than it would take to bring it back when somebody asks for it. */
const LEAST_BYTES = 1 << 16;

/** Makes an array of a weight, of what the memory holds. */
export type WeightReader = (view: (buffer: Buffer) => NumericData) => NumericData;

/**
 * The weights that lie in the memory between runs in their order, or in panels from which nothing is missing. Not those that
 * others are folded into, nor those that the program assigns, or that are kept in a narrow form.
 */
export function weightReaders({
  schedule,
  plan,
}: {
  schedule: Schedule;
  plan: MemoryPlan;
}): Map<Variable, WeightReader> {
  const readers = new Map<Variable, WeightReader>();
  const panels = new Map<Buffer, { packed: Buffer; unpack: NonNullable<Packing['unpack']> }>();
  for (const kernel of schedule.prologue) {
    if (kernel.kind === 'pack' && kernel.unpack)
      panels.set(kernel.input, { packed: kernel.output, unpack: kernel.unpack });
  }
  for (const [variable, buffer] of schedule.parameters) {
    if (buffer.role !== 'parameter' || buffer.narrow !== undefined || byteLengthOf(buffer) < LEAST_BYTES) continue;
    const panel = panels.get(buffer);
    if (isPermanent(plan, buffer)) readers.set(variable, (view) => copyOf(buffer, view(buffer)));
    else if (panel !== undefined) {
      readers.set(variable, (view) => {
        const weights = new Float32Array(buffer.size);
        panel.unpack(view(panel.packed) as Float32Array, weights);
        return weights;
      });
    }
  }
  return readers;
}
