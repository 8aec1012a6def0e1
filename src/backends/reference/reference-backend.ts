import type { Tensor } from '../../array/tensor.ts';
import type { Backend } from '../../compiler/backend.ts';
import { checkUpdates } from '../../compiler/check-updates.ts';
import { evaluatorOf } from './evaluate.ts';

/** The interpreter as a backend: nothing is compiled, every value is a host tensor. */
export function referenceBackend(): Backend {
  return {
    name: 'reference',
    compile: async ({ inputs, outputs }, { updates = [] } = {}) => {
      checkUpdates(updates);
      const run = evaluatorOf({ inputs, outputs: [...outputs, ...updates.map(([, value]) => value)] });
      return {
        run: async (values) => {
          const results = run(values);
          for (const [index, [variable]] of updates.entries()) {
            variable.assign(results[outputs.length + index] as Tensor);
          }
          return results.slice(0, outputs.length);
        },
      };
    },
  };
}
