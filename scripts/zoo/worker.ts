/** A process that checks one model after another, as it is told: a crash ends a turn, not the run. */
import { checkModel } from './check-model.ts';
import type { FoundModel } from './find-models.ts';

process.on('message', (model: FoundModel) => {
  void checkModel(model).then((row) => process.send?.(row));
});
