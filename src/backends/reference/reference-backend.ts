import type { Backend } from '../../compiler/backend.ts';
import { evaluatorOf } from './evaluate.ts';

/** The interpreter as a backend: nothing is compiled, every value is a host tensor. */
export function referenceBackend(): Backend {
  return {
    name: 'reference',
    compile: async (graph) => {
      const run = evaluatorOf(graph);
      return { run: async (inputs) => run(inputs) };
    },
  };
}
