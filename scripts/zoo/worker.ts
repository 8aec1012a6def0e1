/** A process that checks one model after another, as it is told: a crash ends a turn, not the run. */
import { referenceBackend } from '../../src/backends/reference/reference-backend.ts';
import { checkModel } from './check-model.ts';
import type { FoundModel } from './find-models.ts';

const backend = process.argv[2] === 'reference' ? referenceBackend() : undefined;

process.on('message', (model: FoundModel) => {
  void checkModel(model, backend).then((row) => process.send?.(row));
});
