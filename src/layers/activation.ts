import type { SymbolicTensor } from '../graph/node.ts';
import { activations } from '../ops/activations.ts';

/** An activation: a function of one tensor, with the name under which Keras saves it. */
export interface Activation {
  readonly role: 'activation';
  /** Keras' name, such as `relu`; `undefined` for a function of the user's own. */
  readonly name: string | undefined;
  readonly call: (x: SymbolicTensor) => SymbolicTensor;
}

/**
 * An activation from its name (`null` is `linear`), from a function, or one that exists already.
 *
 * Names are Keras' own; `camelCase` spellings, as TensorFlow.js has them, are understood.
 */
export function resolveActivation(value: unknown): Activation | undefined {
  if (value === null) return resolveActivation('linear');
  if (typeof value === 'string') {
    const name = value.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const call = Object.hasOwn(activations, name) ? activations[name] : undefined;
    return call && { role: 'activation', name, call };
  }
  if (typeof value === 'function') {
    return { role: 'activation', name: undefined, call: value as Activation['call'] };
  }
  return (value as Partial<Activation> | undefined)?.role === 'activation' ? (value as Activation) : undefined;
}
