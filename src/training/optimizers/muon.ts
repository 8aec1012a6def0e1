import type { SymbolicTensor } from '../../graph/node.ts';
import type { Variable } from '../../graph/variable.ts';
import {
  anything,
  boolean,
  type Fields,
  nullable,
  number,
  type Options,
  positiveInteger,
} from '../../layers/fields.ts';
import { add, divide, multiply, subtract } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { norm } from '../../ops/reduce.ts';
import { transpose } from '../../ops/shape.ts';
import { adamRule } from './adam.ts';
import {
  type Clock,
  constantSlot,
  type OptimizerConfig,
  optimizerFields,
  type SlotSpec,
  StepOptimizer,
  type StepResult,
  type WeightStep,
} from './step-optimizer.ts';

export interface MuonConfig extends OptimizerConfig {
  adamBeta1: number;
  adamBeta2: number;
  /** The weight decay of what Adam handles. */
  adamWeightDecay: number | null;
  epsilon: number;
  /** Patterns of the paths of weights that Adam handles. */
  excludeLayers: readonly string[];
  /** Whether Adam handles embeddings. */
  excludeEmbeddings: boolean;
  muonA: number;
  muonB: number;
  muonC: number;
  /** A factor on the learning rate of what Adam handles. */
  adamLrRatio: number;
  momentum: number;
  /** How many iterations make momentum orthogonal. */
  nsSteps: number;
  nesterov: boolean;
  /** The root mean square of a step, in learning rates; `null` leaves steps as they are. */
  rmsRate: number | null;
}

const isStrings = (value: unknown): boolean =>
  Array.isArray(value) && value.every((element) => typeof element === 'string');

/** Steps of orthogonalised momentum for matrices, and Adam for everything else. */
export class Muon extends StepOptimizer<MuonConfig> {
  static readonly className = 'Muon';
  static readonly fields: Fields<MuonConfig> = {
    ...optimizerFields(0.001),
    weightDecay: nullable(number(), 0.004),
    adamBeta1: number(0.9),
    adamBeta2: number(0.999),
    adamWeightDecay: nullable(number(), 0.004),
    epsilon: number(1e-7),
    excludeLayers: anything<readonly string[]>('a list of patterns', isStrings, []),
    excludeEmbeddings: boolean(true),
    muonA: number(3.4445),
    muonB: number(-4.775),
    muonC: number(2.0315),
    adamLrRatio: number(1),
    momentum: number(0.95),
    nsSteps: positiveInteger(5),
    nesterov: boolean(true),
    rmsRate: nullable(number(), 0.2),
  };

  readonly #forAdam = new WeakMap<Variable, boolean>();

  constructor(options: Options<MuonConfig> = {}) {
    super(Muon.className, Muon.fields, options);
  }

  protected override slotGroups(): readonly (readonly string[])[] {
    return [['momentum', 'velocity']];
  }

  protected override slotSpec(name: string, variable: Variable): SlotSpec | null {
    return name === 'momentum' || this.#isForAdam(variable) ? constantSlot(variable.shape, 0) : null;
  }

  protected override decayOf(variable: Variable): number | null {
    return this.#isForAdam(variable) ? this.config.adamWeightDecay : this.config.weightDecay;
  }

  override claim(variables: readonly Variable[]): void {
    for (const variable of variables) this.#isForAdam(variable);
  }

  /** Whether Adam handles a weight, which stays so whatever its path becomes in other models. */
  #isForAdam(variable: Variable): boolean {
    const known = this.#forAdam.get(variable);
    if (known !== undefined) return known;
    const { excludeEmbeddings, excludeLayers } = this.config;
    const { shape, path } = variable;
    const isExcluded =
      (excludeEmbeddings && path.toLowerCase().includes('embedding')) ||
      excludeLayers.some((pattern) => new RegExp(pattern).test(path));
    this.#forAdam.set(variable, shape.length !== 2 || isExcluded);
    return shape.length !== 2 || isExcluded;
  }

  protected override rule(clock: Clock): (step: WeightStep) => StepResult {
    const { adamBeta1, adamBeta2, epsilon, adamLrRatio, momentum: factor, nesterov } = this.config;
    const { learningRate } = clock;
    const adamClock = { ...clock, learningRate: multiply(learningRate, adamLrRatio) };
    let adam: ((step: WeightStep) => StepResult) | undefined;
    return (current) => {
      if (this.#isForAdam(current.variable)) {
        adam ??= adamRule(adamClock, { beta1: adamBeta1, beta2: adamBeta2, epsilon });
        return adam(current);
      }
      const { weight, gradient, slots } = current;
      const before = slots.momentum as SymbolicTensor;
      const momentum = add(before, add(gradient, multiply(before, factor - 1)));
      const direction = this.#orthogonal(nesterov ? add(gradient, multiply(momentum, factor)) : momentum);
      const descent = multiply(multiply(direction, learningRate), this.#sizeOf(weight));
      return { weight: subtract(weight, descent), slots: { momentum } };
    };
  }

  #sizeOf({ shape }: SymbolicTensor): number {
    const { rmsRate } = this.config;
    return rmsRate === null ? 1 : Math.sqrt(Math.max(...shape)) * rmsRate;
  }

  /** Nearly the orthogonal matrix next to a matrix, by the iteration of Newton and Schulz. */
  #orthogonal(matrix: SymbolicTensor): SymbolicTensor {
    const { muonA, muonB, muonC, nsSteps } = this.config;
    const isTall = (matrix.shape[0] as number) > (matrix.shape[1] as number);
    let x = isTall ? transpose(matrix) : matrix;
    x = divide(x, add(norm(x, null, [-2, -1], true), 1e-7));
    for (let step = 0; step < nsSteps; step++) {
      const square = matmul(x, transpose(x));
      const polynomial = add(multiply(square, muonB), matmul(multiply(square, muonC), square));
      x = add(multiply(x, muonA), matmul(polynomial, x));
    }
    return isTall ? transpose(x) : x;
  }
}
