import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The Python that has Keras: what the variable PYTHON names, else the one of `interop/.venv`. */
export function findPython(): string | undefined {
  const venv = fileURLToPath(new URL('../interop/.venv/bin/python', import.meta.url));
  return process.env.PYTHON || (existsSync(venv) ? venv : undefined);
}

/** The Python that has tf_keras: what the variable TF_KERAS_PYTHON names, else the one of `interop/.venv-tf-keras`. */
export function findTfKerasPython(): string | undefined {
  const venv = fileURLToPath(new URL('../interop/.venv-tf-keras/bin/python', import.meta.url));
  return process.env.TF_KERAS_PYTHON || (existsSync(venv) ? venv : undefined);
}
