/** Which generation of Keras wrote a configuration, and what follows from that. */
import type { JsonObject, ModelArtifacts } from '../formats/artifacts.ts';

export interface Dialect {
  /** 1 for Keras 0.x and 1.x, 2 for Keras 2, tf.keras and TensorFlow.js, 3 for Keras 3. */
  readonly generation: 1 | 2 | 3;
  /** The version as the file has it, for messages. */
  readonly version: string | undefined;
  /** Which release of Keras 3 it is, 15 for 3.15: below 0 for all before, beyond all for one that is not known. */
  readonly release: number;
  /** The backend whose numbers are wanted, where backends differ. */
  readonly numbersOf: NumbersOf;
}

/**
 * The backend whose numbers a model shall give, where Keras' backends differ: transposed convolutions on torch cut
 * `same` at the other end, and Theano's convolutions flip their kernels. Files do not say reliably which it was, and
 * Keras itself goes by the backend that it runs on, so TensorFlow's (and JAX') numbers are what is given unless asked.
 */
export type NumbersOf = 'tensorflow' | 'jax' | 'torch' | 'theano';

/** Keys that only the configurations of Keras 0.x and 1.x have. */
const KERAS_1_KEYS = /"(?:border_mode|dim_ordering|inner_init|consume_less|W_regularizer|nb_filter|subsample)"/;
/** Keys that every object of a Keras 3 configuration has. */
const KERAS_3_KEYS = /"registered_name"|"batch_shape"/;

export function dialectOf(artifacts: ModelArtifacts, numbersOf: NumbersOf = 'tensorflow'): Dialect {
  const { kerasVersion: version, topology } = artifacts;
  const generation = generationOf(version, topology);
  const release = generation < 3 ? -1 : Number(version?.split('.')[1] ?? 999);
  return { generation, version, release, numbersOf };
}

function generationOf(version: string | undefined, topology: JsonObject | undefined): 1 | 2 | 3 {
  if (version?.startsWith('tfjs-layers')) return 2;
  const major = Number.parseInt(version ?? '', 10);
  if (major === 0 || major === 1) return 1;
  if (major >= 3) return 3;
  // A conversion from Keras 3 to TensorFlow.js may bear the converter's version, but keeps the configuration.
  const text = JSON.stringify(topology ?? {});
  if (KERAS_1_KEYS.test(text)) return 1;
  if (major === 2) return 2;
  return KERAS_3_KEYS.test(text) ? 3 : 2;
}
