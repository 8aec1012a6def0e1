import { describeLoaded, loadWithProgress } from './loading.ts';

/** `hornet summary MODEL`. */
export async function summarize(source: string, options: { nested?: boolean; trainable?: boolean }): Promise<void> {
  const loaded = await loadWithProgress(source);
  process.stderr.write(`${describeLoaded(loaded)}\n`);
  const table = loaded.model.summary({
    expandNested: options.nested ?? false,
    showTrainable: options.trainable ?? false,
  });
  process.stdout.write(`${table}\n`);
}
