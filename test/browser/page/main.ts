/** A page as an app would have it: what it can do hangs on `window`, for the test to call. */
import { loadModel, type ModelSource, NotFoundError } from 'hornet';
import { bitsOf, MODELS, type ModelKind } from '../models.ts';

/** What the test calls. */
export interface Page {
  fromUrl(kind: ModelKind, url: string): Promise<number[]>;
  fromBlob(kind: ModelKind, url: string): Promise<number[]>;
  /** Loads what was picked. */
  fromInput(kind: ModelKind): Promise<number[]>;
  /** What a load fails with: the error's class, its message. */
  failure(url: string): Promise<{ readonly isNotFound: boolean; readonly message: string }>;
  /** Loads a model and saves it. */
  save(url: string, destination: string, format?: 'layers-model'): Promise<void>;
}

declare global {
  interface Window {
    hornetPage: Page;
  }
}

async function predict(kind: ModelKind, source: ModelSource): Promise<number[]> {
  const model = await loadModel(source);
  const output = await model.predict(MODELS[kind].inputs());
  return bitsOf(output.data as Float32Array);
}

window.hornetPage = {
  fromUrl: predict,
  fromBlob: async (kind, url) => await predict(kind, await (await fetch(url)).blob()),
  fromInput: async (kind) => await predict(kind, (document.querySelector('#files') as HTMLInputElement).files ?? []),
  failure: async (url) => {
    const error = await loadModel(url).catch((cause: unknown) => cause);
    return { isNotFound: error instanceof NotFoundError, message: (error as Error).message };
  },
  save: async (url, destination, format) => {
    await (await loadModel(url)).save(destination, format === undefined ? {} : { format });
  },
};
