import { zeroData } from '../../array/dtype.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import { Tensor, tensor } from '../../array/tensor.ts';
import { parameter } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable, type VariableDtype } from '../../graph/variable.ts';
import {
  anything,
  boolean,
  type Field,
  type Fields,
  integer,
  nullable,
  number,
  positiveInteger,
  string,
} from '../../layers/fields.ts';
import { equal, notEqual, where } from '../../ops/compare.ts';
import { zerosLike } from '../../ops/creation.ts';
import { add, divide, floorDivide, mod, multiply, subtract } from '../../ops/elementwise.ts';
import { toFloat } from '../../ops/operand.ts';
import { LearningRateSchedule } from '../schedules/schedule.ts';
import { clipGradients } from './clip-gradients.ts';
import { type ApplyOptions, type Assignment, type Gradients, Optimizer, type Slots } from './optimizer.ts';

/** The options that every optimizer has. */
export interface OptimizerConfig {
  name: string;
  learningRate: number | LearningRateSchedule;
  /** The share of each weight, times the learning rate, that is taken off before each step. */
  weightDecay: number | null;
  /** The greatest norm of each gradient. */
  clipnorm: number | null;
  /** The greatest norm of all gradients together. */
  globalClipnorm: number | null;
  /** The greatest magnitude of an element of a gradient. */
  clipvalue: number | null;
  /** Whether moving averages of the weights are kept. */
  useEma: boolean;
  emaMomentum: number;
  /** After how many steps, each time, the weights become their averages. */
  emaOverwriteFrequency: number | null;
  /** What the loss is multiplied with, and gradients are divided by. */
  lossScaleFactor: number | null;
  /** How many batches make a step, by the mean of their gradients. */
  gradientAccumulationSteps: number | null;
}

/** A learning rate or a schedule of it. */
function learningRateField(fallback: number): Field<number | LearningRateSchedule> {
  const isRate = (value: unknown): boolean => typeof value === 'number' || value instanceof LearningRateSchedule;
  return anything<number | LearningRateSchedule>('a number or a learning rate schedule', isRate, fallback);
}

/** Fields of `OptimizerConfig`, to be spread into those of each optimizer. */
export function optimizerFields(learningRate: number): Fields<OptimizerConfig> {
  return {
    name: string(''),
    learningRate: learningRateField(learningRate),
    weightDecay: nullable(number()),
    clipnorm: nullable(number()),
    globalClipnorm: nullable(number()),
    clipvalue: nullable(number()),
    useEma: boolean(false),
    emaMomentum: anything(
      'a number from 0 to 1',
      (value) => typeof value === 'number' && value >= 0 && value <= 1,
      0.99,
    ),
    emaOverwriteFrequency: nullable(positiveInteger()),
    lossScaleFactor: nullable(number()),
    gradientAccumulationSteps: nullable({ ...integer(), expected: 'an integer of at least 2', parse: atLeastTwo }),
  };
}

function atLeastTwo(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 2 ? (value as number) : undefined;
}

/** What is known of a step before its weights. */
export interface Clock {
  /** The learning rate of this step, a float32 scalar. */
  readonly learningRate: SymbolicTensor;
  /** The number of this step, from 1, a float32 scalar. */
  readonly step: SymbolicTensor;
}

/** One weight in a step: its value after decay, its gradient after clipping, and its slots. */
export interface WeightStep {
  readonly variable: Variable;
  readonly weight: SymbolicTensor;
  readonly gradient: SymbolicTensor;
  readonly slots: Readonly<Record<string, SymbolicTensor>>;
}

/** New values of a weight and of those slots that change. */
export interface StepResult {
  readonly weight: SymbolicTensor;
  readonly slots: Readonly<Record<string, SymbolicTensor>>;
}

/** How to make a slot. */
export interface SlotSpec {
  readonly shape: Shape;
  readonly dtype: VariableDtype;
  readonly initialize: () => Tensor;
}

/** Which weights are spared by weight decay: these, and those whose name has one of the patterns in it. */
export interface DecayExclusions {
  readonly variables?: readonly Variable[];
  readonly names?: readonly string[];
}

const AVERAGE = 'average';
const ACCUMULATOR = 'gradient_accumulator';

/**
 * What all optimizers do around their own rule: scaling, accumulation, clipping, decay, averages, constraints.
 *
 * A subclass names its slots in `slotGroups` and gives the rule of one step in `rule`.
 */
export abstract class StepOptimizer<C extends OptimizerConfig = OptimizerConfig> extends Optimizer<C> {
  readonly iterations: Variable;
  readonly #rate: Variable;
  #schedule: LearningRateSchedule | null;
  readonly #slots = new Map<Variable, Map<string, Variable>>();
  /** How many steps were done when the state of a weight began. */
  readonly #starts = new Map<Variable, number>();
  #excluded: DecayExclusions = {};

  /** @throws {TypeError} when an option is unknown or not what it may be, or more than one way to clip is asked for. */
  constructor(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>) {
    super(className, fields, options);
    const { learningRate, clipnorm, clipvalue, globalClipnorm } = this.config;
    if ([clipnorm, clipvalue, globalClipnorm].filter((limit) => limit !== null).length > 1) {
      throw new TypeError(
        `Cannot create ${className}: found more than one of clipnorm, clipvalue and globalClipnorm, expected one`,
      );
    }
    this.#schedule = typeof learningRate === 'number' ? null : learningRate;
    const initial = typeof learningRate === 'number' ? learningRate : 0;
    this.iterations = this.#scalar('iteration', 'int32', 0);
    this.#rate = this.#scalar('learning_rate', 'float32', initial);
  }

  #scalar(name: string, dtype: VariableDtype, value: number): Variable {
    return this.makeVariable(name, { shape: [], dtype, initialize: () => tensor(value, [], dtype) });
  }

  /** A variable of the optimizer's own. */
  protected makeVariable(name: string, { shape, dtype, initialize }: SlotSpec): Variable {
    const variable = new Variable({ name, shape, dtype, trainable: false, initialize });
    variable.path = `${this.name}/${name}`;
    return variable;
  }

  /** The schedule that the learning rate follows, if it does. */
  get schedule(): LearningRateSchedule | null {
    return this.#schedule;
  }

  override get learningRate(): number | LearningRateSchedule {
    return this.#schedule ?? Number(this.#rate.value.data[0]);
  }

  override set learningRate(value: number | LearningRateSchedule) {
    if (typeof value !== 'number') {
      this.#schedule = value;
      return;
    }
    if (this.#schedule !== null) {
      throw new TypeError(
        `Cannot set the learning rate of ${this.className}: it follows ${this.#schedule.className}; ` +
          'create the optimizer with a number',
      );
    }
    this.#rate.assign(tensor(value, [], 'float32'));
  }

  /** The variable that holds the learning rate; `undefined` with a schedule. */
  get learningRateVariable(): Variable | undefined {
    return this.#schedule === null ? this.#rate : undefined;
  }

  override toConfig(): C {
    return { ...this.config, learningRate: this.learningRate };
  }

  override scaleLoss(loss: SymbolicTensor): SymbolicTensor {
    const { lossScaleFactor } = this.config;
    return lossScaleFactor === null ? loss : multiply(loss, lossScaleFactor);
  }

  /** Spares weights from decay; what was excluded before no longer is. */
  excludeFromWeightDecay(exclusions: DecayExclusions): void {
    this.#excluded = exclusions;
  }

  /** Slots in Keras' order: groups one after the other, each with all its slots of a weight before the next weight's. */
  protected abstract slotGroups(): readonly (readonly string[])[];

  /** How to make a slot of a weight; `null` for a weight that has none of that name. By default zeros. */
  protected slotSpec(_name: string, variable: Variable): SlotSpec | null {
    return constantSlot(variable.shape, 0);
  }

  /** The rule of one step. It is asked for once for all weights of one clock, so it can share scalars. */
  protected abstract rule(clock: Clock): (step: WeightStep) => StepResult;

  /** State that belongs to no weight, in Keras' order. */
  protected globalVariables(): readonly Variable[] {
    return [];
  }

  /** New values of the state that belongs to no weight. */
  protected globalUpdates(_clock: Clock): readonly Assignment[] {
    return [];
  }

  /** The decay of one weight; `null` for none. */
  protected decayOf(_variable: Variable): number | null {
    return this.config.weightDecay;
  }

  override slotsOf(variable: Variable): Slots {
    const entries = this.slotGroups()
      .flat()
      .map((name) => [name, this.#slot(variable, name)] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, Variable] => entry[1] !== null));
  }

  override averageOf(variable: Variable): Variable | undefined {
    return this.config.useEma ? this.#ownSlot(variable, AVERAGE) : undefined;
  }

  /** The sum of gradients since the last step; `undefined` without accumulation. */
  accumulatorOf(variable: Variable): Variable | undefined {
    return this.config.gradientAccumulationSteps === null ? undefined : this.#ownSlot(variable, ACCUMULATOR);
  }

  override variablesInKerasOrder(weights: readonly Variable[]): readonly Variable[] {
    this.#beginStates(weights);
    const isVariable = (variable: Variable | null | undefined): variable is Variable => variable instanceof Variable;
    const slots = this.slotGroups().flatMap((group) =>
      weights.flatMap((weight) => group.map((name) => this.#slot(weight, name))),
    );
    return [
      this.iterations,
      this.learningRateVariable,
      ...weights.map((weight) => this.averageOf(weight)),
      ...weights.map((weight) => this.accumulatorOf(weight)),
      ...slots,
      ...this.globalVariables(),
    ].filter(isVariable);
  }

  #slot(variable: Variable, name: string): Variable | null {
    const spec = this.slotSpec(name, variable);
    return spec === null ? null : this.#stored(variable, name, spec);
  }

  #ownSlot(variable: Variable, name: string): Variable {
    return this.#stored(variable, name, constantSlot(variable.shape, 0));
  }

  #stored(variable: Variable, name: string, spec: SlotSpec): Variable {
    let slots = this.#slots.get(variable);
    if (slots === undefined) {
      slots = new Map();
      this.#slots.set(variable, slots);
    }
    let slot = slots.get(name);
    if (slot === undefined) {
      slot = this.makeVariable(`${variable.path.replaceAll('/', '_')}_${name}`, spec);
      slots.set(name, slot);
    }
    return slot;
  }

  override hasStateOf(variable: Variable): boolean {
    return this.#slots.has(variable) || this.#starts.has(variable);
  }

  override startOf(variable: Variable): number {
    return this.#starts.get(variable) ?? 0;
  }

  override setStart(variable: Variable, steps: number): void {
    this.#starts.set(variable, steps);
  }

  #beginStates(weights: Iterable<Variable>): void {
    const steps = Math.floor(Number(this.iterations.value.data[0]) / (this.config.gradientAccumulationSteps ?? 1));
    for (const weight of weights) {
      if (!this.hasStateOf(weight)) this.#starts.set(weight, steps);
    }
  }

  override apply(gradients: Gradients, options: ApplyOptions = {}): readonly Assignment[] {
    if (gradients.size === 0) return [];
    this.#beginStates(gradients.keys());
    const { gradientAccumulationSteps: batches } = this.config;
    const iterations = parameter(this.iterations);
    const steps = batches === null ? iterations : floorDivide(iterations, batches);
    const isStep = batches === null ? null : equal(mod(add(iterations, 1), batches), 0);
    const clock = { learningRate: this.#learningRate(iterations), step: toFloat(add(steps, 1)) };
    const { gradients: ready, assignments: accumulated } = this.#accumulate(this.#unscale(gradients), isStep);
    const clipped = clipGradients(ready, this.config);
    const stepped = new Map([...this.#step(clipped, clock, options), ...this.globalUpdates(clock)]);
    if (isStep !== null) {
      for (const [variable, value] of stepped) stepped.set(variable, where(isStep, value, parameter(variable)));
    }
    const averaged = this.#average([...gradients.keys()], stepped, steps);
    for (const variable of gradients.keys()) {
      const constraint = options.constraintOf?.(variable);
      if (constraint) stepped.set(variable, constraint.project(stepped.get(variable) as SymbolicTensor));
    }
    return [...stepped, ...accumulated, ...averaged, [this.iterations, add(iterations, 1)]];
  }

  #learningRate(iterations: SymbolicTensor): SymbolicTensor {
    return this.#schedule === null ? parameter(this.#rate) : this.#schedule.call(iterations);
  }

  #unscale(gradients: Gradients): Gradients {
    const { lossScaleFactor } = this.config;
    if (lossScaleFactor === null) return gradients;
    return new Map([...gradients].map(([variable, gradient]) => [variable, divide(gradient, lossScaleFactor)]));
  }

  /** The means of gradients since the last step, where a step is due, and the new sums. */
  #accumulate(
    gradients: Gradients,
    isStep: SymbolicTensor | null,
  ): { gradients: Gradients; assignments: Assignment[] } {
    const { gradientAccumulationSteps: batches } = this.config;
    if (batches === null || isStep === null) return { gradients, assignments: [] };
    const means = new Map<Variable, SymbolicTensor>();
    const assignments: Assignment[] = [];
    for (const [variable, gradient] of gradients) {
      const accumulator = this.#ownSlot(variable, ACCUMULATOR);
      const total = add(gradient, parameter(accumulator));
      means.set(variable, divide(total, batches));
      assignments.push([accumulator, where(isStep, zerosLike(total), total)]);
    }
    return { gradients: means, assignments };
  }

  #step(gradients: Gradients, clock: Clock, { learningRateMultiplierOf }: ApplyOptions): Assignment[] {
    const rules = new Map<string, { clock: Clock; rule: (step: WeightStep) => StepResult }>();
    const ruleFor = (variable: Variable): { clock: Clock; rule: (step: WeightStep) => StepResult } => {
      const multiplier = learningRateMultiplierOf?.(variable) ?? 1;
      const start = this.startOf(variable);
      const key = `${multiplier} ${start}`;
      let known = rules.get(key);
      if (known === undefined) {
        const learningRate = multiplier === 1 ? clock.learningRate : multiply(clock.learningRate, multiplier);
        const own = { learningRate, step: start === 0 ? clock.step : subtract(clock.step, start) };
        known = { clock: own, rule: this.rule(own) };
        rules.set(key, known);
      }
      return known;
    };
    return [...gradients].flatMap(([variable, gradient]) => {
      const { clock: own, rule } = ruleFor(variable);
      const variables = this.slotsOf(variable);
      const slots = Object.fromEntries(Object.entries(variables).map(([name, slot]) => [name, parameter(slot)]));
      const weight = this.#decay(variable, own.learningRate);
      const result = rule({ variable, weight, gradient, slots });
      const changed = Object.entries(result.slots).map(
        ([name, value]): Assignment => [variables[name] as Variable, value],
      );
      return [[variable, result.weight] as const, ...changed];
    });
  }

  #decay(variable: Variable, learningRate: SymbolicTensor): SymbolicTensor {
    const weight = parameter(variable);
    const decay = this.#isExcluded(variable) ? null : this.decayOf(variable);
    return decay === null ? weight : subtract(weight, multiply(multiply(weight, decay), learningRate));
  }

  #isExcluded(variable: Variable): boolean {
    const { variables = [], names = [] } = this.#excluded;
    return variables.includes(variable) || names.some((pattern) => new RegExp(pattern).test(variable.name));
  }

  /** New averages. Where weights are due to become their averages, their new values are replaced. */
  #average(weights: readonly Variable[], stepped: Map<Variable, SymbolicTensor>, steps: SymbolicTensor): Assignment[] {
    const { useEma, emaMomentum, emaOverwriteFrequency } = this.config;
    if (!useEma) return [];
    // The first average is the weight itself.
    const starts = new Set(weights.map((weight) => this.startOf(weight)));
    const momenta = new Map(
      Array.from(starts, (start) => [start, multiply(toFloat(notEqual(steps, start)), emaMomentum)] as const),
    );
    const isOverwritten = emaOverwriteFrequency === null ? null : equal(mod(add(steps, 1), emaOverwriteFrequency), 0);
    return weights.map((variable) => {
      const slot = this.#ownSlot(variable, AVERAGE);
      const weight = stepped.get(variable) as SymbolicTensor;
      const momentum = momenta.get(this.startOf(variable)) as SymbolicTensor;
      const average = add(multiply(momentum, parameter(slot)), multiply(subtract(1, momentum), weight));
      if (isOverwritten !== null) stepped.set(variable, where(isOverwritten, average, weight));
      return [slot, average];
    });
  }
}

/** A slot with one value everywhere. */
export function constantSlot(shape: Shape, value: number): SlotSpec {
  const initialize = (): Tensor => new Tensor(shape, 'float32', zeroData('float32', sizeOf(shape)).fill(value));
  return { shape, dtype: 'float32', initialize };
}
