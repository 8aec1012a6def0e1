import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const venvPython = (name: string): string | undefined => {
  const path = fileURLToPath(new URL(`../interop/${name}/bin/python`, import.meta.url));
  return existsSync(path) ? path : undefined;
};

/** The Python that has Keras on JAX: what the variable PYTHON names, else the one of `interop/.venv`. */
export function findPython(): string | undefined {
  return process.env.PYTHON || venvPython('.venv');
}

/** The Python that has tf_keras, and Keras on TensorFlow: TF_KERAS_PYTHON, else the one of `interop/.venv-tf-keras`. */
export function findTfKerasPython(): string | undefined {
  return process.env.TF_KERAS_PYTHON || venvPython('.venv-tf-keras');
}

/** The folder in which the oldest Keras 3 lies, for the PYTHONPATH of either Python. */
export function findOldestKeras(): string | undefined {
  const path = fileURLToPath(new URL('../interop/.venv-oldest-keras', import.meta.url));
  return existsSync(`${path}/keras`) ? path : undefined;
}
