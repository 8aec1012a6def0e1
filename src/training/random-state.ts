import { freshSeed, philoxKey } from '../array/philox.ts';
import type { Shape } from '../array/shape.ts';
import { Tensor, tensor } from '../array/tensor.ts';
import { apply, constant, parameter } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { Variable } from '../graph/variable.ts';
import { add } from '../ops/elementwise.ts';
import type { Assignment } from './optimizers/optimizer.ts';

/** Draws random bits in one step. */
export interface StepRandom {
  readonly draw: (shape: Shape, seed: number | null) => SymbolicTensor;
  /** What the state becomes; nothing when nothing was drawn. */
  updates(): readonly Assignment[];
}

/**
 * Where random numbers of a training come from: a key, and a counter of steps. Both are state, so that a training that
 * is resumed draws what it would have drawn.
 */
export class RandomState {
  readonly key: Variable;
  readonly counter: Variable;

  constructor(seed: number = freshSeed()) {
    const pair = (name: string, values: readonly [number, number]): Variable => {
      const initialize = (): Tensor => new Tensor([2], 'int32', Int32Array.from(values));
      const variable = new Variable({ name, shape: [2], dtype: 'int32', trainable: false, initialize });
      variable.path = `random/${name}`;
      return variable;
    };
    this.key = pair('key', philoxKey(seed));
    this.counter = pair('counter', [0, 0]);
  }

  /** A new step. Each of its draws has a key of its own: the second half counts them. */
  step(): StepRandom {
    let draws = 0;
    const counter = parameter(this.counter);
    return {
      draw: (shape, seed) => {
        const base = seed === null ? parameter(this.key) : constant(tensor(Int32Array.from(philoxKey(seed)), [2]));
        const key = add(base, constant(tensor(Int32Array.of(0, draws++), [2])));
        return apply('randomBits', [key, counter], { shape });
      },
      updates: () => (draws === 0 ? [] : [[this.counter, add(counter, constant(tensor(Int32Array.of(1, 0), [2])))]]),
    };
  }
}
