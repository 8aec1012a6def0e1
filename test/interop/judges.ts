/** Those who judge what Hornet saves: releases of Keras, in the Pythons that this machine has. */
import { execFile } from 'node:child_process';
import { findOldestKeras, findPython, findTfKerasPython } from '../../scripts/find-python.ts';

export interface Judge {
  readonly title: string;
  /** What it is called in the words of `interop/check-saved-formats.py`. */
  readonly name: 'keras' | 'tf_keras' | 'arrays';
  readonly python: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Keras as most people run it off TensorFlow: the newest release on JAX. */
export function findKerasOnJax(): Judge | undefined {
  const python = findPython();
  const environment = { KERAS_BACKEND: 'jax' };
  return python === undefined ? undefined : { title: 'the newest Keras 3 on JAX', name: 'keras', python, environment };
}

/** The same release of Keras, on JAX. */
export function onJaxOf({ title, environment, ...judge }: Judge): Judge | undefined {
  const python = findPython();
  if (python === undefined) return undefined;
  return { ...judge, title: `${title} on JAX`, python, environment: { ...environment, KERAS_BACKEND: 'jax' } };
}

/**
 * The judges that are here. Keras computes on TensorFlow, which starts each model at once, where that is installed, and on
 * JAX otherwise.
 */
export function findJudges(): readonly Judge[] {
  const [onJax, onTensorflow, oldest] = [findPython(), findTfKerasPython(), findOldestKeras()];
  const python = onTensorflow ?? onJax;
  if (python === undefined) return [];
  const backend = { KERAS_BACKEND: onTensorflow === undefined ? 'jax' : 'tensorflow' };
  const judges: Judge[] = [{ title: 'the newest Keras 3', name: 'keras', python, environment: backend }];
  if (oldest !== undefined) {
    const environment = { ...backend, PYTHONPATH: oldest };
    judges.push({ title: 'the oldest Keras 3', name: 'keras', python, environment });
  }
  if (onTensorflow !== undefined) {
    judges.push({ title: 'tf_keras', name: 'tf_keras', python: onTensorflow, environment: {} });
  }
  if (onJax !== undefined) {
    judges.push({ title: 'NumPy and safetensors', name: 'arrays', python: onJax, environment: {} });
  }
  return judges;
}

/** What a judge printed. */
export interface Answer<T> {
  /** The judge's name, with release and backend. */
  readonly title: string;
  readonly rows: readonly T[];
}

/**
 * Runs a script of `interop` on a folder, or on those of its cases that are named, and gives the lines of JSON that it
 * prints; the first says who judges.
 */
export async function ask<T>(
  { python, environment, name }: Judge,
  script: string,
  folder: string,
  cases: readonly string[] = [],
): Promise<Answer<T>> {
  const printed = await new Promise<string>((resolve, reject) => {
    execFile(
      python,
      [`interop/${script}`, folder, name, ...cases],
      { env: { ...process.env, ...environment }, encoding: 'utf8', maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${script} ended with ${error.code ?? error.signal}: ${stderr.slice(-2000)}`));
      },
    );
  });
  const [heading = '{}', ...rows] = printed.split('\n').filter((line) => line.startsWith('{'));
  const { judge, backend } = JSON.parse(heading) as { judge?: string; backend?: string | null };
  return { title: [judge, backend ?? []].flat().join(' on '), rows: rows.map((line) => JSON.parse(line) as T) };
}
