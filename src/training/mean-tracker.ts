import { tensor } from '../array/tensor.ts';
import { parameter } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { Variable } from '../graph/variable.ts';
import { add, divideNoNan, multiply } from '../ops/elementwise.ts';
import type { Assignment } from './optimizers/optimizer.ts';

/** The mean of a loss over the batches so far, each weighted by its number of samples. */
export class MeanTracker {
  readonly name: string;
  readonly total: Variable;
  readonly count: Variable;

  constructor(name: string) {
    this.name = name;
    const scalar = (part: string): Variable => {
      const variable = new Variable({ name: part, shape: [], initialize: () => tensor(0, [], 'float32') });
      variable.path = `${name}/${part}`;
      return variable;
    };
    this.total = scalar('total');
    this.count = scalar('count');
  }

  /** New sums, with a batch of `rows` samples. */
  update(value: SymbolicTensor, rows: number): readonly Assignment[] {
    return [
      [this.total, add(parameter(this.total), multiply(value, rows))],
      [this.count, add(parameter(this.count), rows)],
    ];
  }

  result(): SymbolicTensor {
    return divideNoNan(parameter(this.total), parameter(this.count));
  }

  reset(): void {
    for (const variable of [this.total, this.count]) variable.assign(tensor(0, [], 'float32'));
  }
}
