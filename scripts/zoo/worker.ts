/** A process that checks one model after another, as it is told: a crash ends a turn, not the run. */
import { referenceBackend } from '../../src/backends/reference/reference-backend.ts';
import type { CustomObjects } from '../../src/index.ts';
import { checkModel } from './check-model.ts';
import type { FoundModel } from './find-models.ts';
import type { WorkerSettings } from './run-workers.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings;
const backend = settings.backend === 'reference' ? referenceBackend() : undefined;
const authors: { customObjects?: (path: string) => CustomObjects } =
  settings.custom === undefined ? {} : await import(settings.custom);

process.on('message', (model: FoundModel) => {
  const options = { backend, customObjects: authors.customObjects?.(model.path) };
  void checkModel(model, options).then((row) => process.send?.(row));
});
