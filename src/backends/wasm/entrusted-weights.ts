/** How weights are brought back from the memory of a program that has them, to the bit: those that it takes as they are. */

import type { DataOf } from '../../array/dtype.ts';
import { Tensor } from '../../array/tensor.ts';
import { isPermanent, type MemoryPlan } from '../../compiler/plan.ts';
import type { Buffer, PackKernel, Schedule } from '../../compiler/schedule.ts';
import type { Variable } from '../../graph/variable.ts';
import { copyOf, type NumericData } from './place.ts';

/** Smaller weights keep their arrays: they take less than it takes to bring them back when somebody asks for them. */
const LEAST_ELEMENTS = 1 << 14;

/** Leaves the value of a variable to a memory, of which it is told what a buffer holds. */
export type Entrust = (view: (buffer: Buffer) => NumericData) => void;

/**
 * The weights that lie in the memory between runs in their order, or in panels from which nothing is missing. Not those that
 * others are folded into, nor those that the program assigns.
 */
export function entrustable({ schedule, plan }: { schedule: Schedule; plan: MemoryPlan }): Map<Variable, Entrust> {
  const found = new Map<Variable, Entrust>();
  const packs = new Map<Buffer, PackKernel>();
  for (const kernel of schedule.prologue) {
    if (kernel.kind === 'pack' && (kernel.unpack ?? kernel.unpackNarrow)) packs.set(kernel.input, kernel);
  }
  for (const [variable, buffer] of schedule.parameters) {
    const { role, narrow, size } = buffer;
    if (role !== 'parameter' || size < LEAST_ELEMENTS) continue;
    const { shape, dtype } = variable;
    const { output, unpack, unpackNarrow } = packs.get(buffer) ?? {};
    if (narrow !== undefined) {
      if (output === undefined || unpackNarrow === undefined) continue;
      found.set(variable, (view) => {
        variable.entrustNarrow(() => {
          const codes = new (narrow.dtype === 'int8' ? Int8Array : Uint16Array)(size);
          unpackNarrow(view(output) as Float32Array, codes);
          return codes;
        });
      });
    } else if (isPermanent(plan, buffer)) {
      found.set(variable, (view) => {
        variable.entrust(() => new Tensor(shape, dtype, copyOf(buffer, view(buffer)) as DataOf<typeof dtype>));
      });
    } else if (output !== undefined && unpack !== undefined) {
      found.set(variable, (view) => {
        variable.entrust(() => {
          const data = new Float32Array(size);
          unpack(view(output) as Float32Array, data);
          return new Tensor(shape, 'float32', data);
        });
      });
    }
  }
  return found;
}
