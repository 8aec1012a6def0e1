import type { KerasModel, SaveOptions, SaveReport } from '../index.ts';
import { nameOf } from './locations.ts';
import { showProgress } from './progress.ts';

/** What was saved, and what saving it was like. */
export interface SavedModel {
  readonly report: SaveReport;
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Saves a model and shows how far it has come. */
export async function saveWithProgress(
  model: KerasModel,
  destination: string,
  options: SaveOptions = {},
): Promise<SavedModel> {
  const progress = await showProgress(`Writing ${nameOf(destination)}`);
  const started = performance.now();
  let bytes = 0;
  try {
    const report = await model.save(destination, {
      ...options,
      onProgress: (fraction, { savedBytes }) => {
        bytes = savedBytes;
        progress.update(fraction, savedBytes);
      },
    });
    return { report, bytes, milliseconds: performance.now() - started };
  } finally {
    progress.stop();
  }
}
