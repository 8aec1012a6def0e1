/** Cases of optimizers: steps with given gradients, and the state that Keras has after each. */
import { expect } from 'vitest';
import { tensor } from '../../src/array/tensor.ts';
import { evaluate } from '../../src/backends/reference/evaluate.ts';
import { input } from '../../src/graph/apply.ts';
import type { SymbolicTensor } from '../../src/graph/node.ts';
import { Variable, type VariableDtype } from '../../src/graph/variable.ts';
import { createConstraint } from '../../src/layers/constraints.ts';
import { OptimizerMap } from '../../src/training/optimizers/multi-optimizer.ts';
import type { ApplyOptions, Optimizer } from '../../src/training/optimizers/optimizer.ts';
import { createOptimizer } from '../../src/training/optimizers/resolve-optimizer.ts';
import type { StepOptimizer } from '../../src/training/optimizers/step-optimizer.ts';
import { createSchedule } from '../../src/training/schedules/resolve-schedule.ts';
import { decodeTensor, type EncodedTensor } from './operation-cases.ts';
import { expectClose } from './training-case.ts';

export interface SharedData {
  readonly weights: readonly { readonly path: string; readonly value: EncodedTensor }[];
  readonly gradients: Readonly<Record<string, readonly (readonly EncodedTensor[])[]>>;
}

export interface OptimizerCase {
  readonly optimizer: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Indices of the weights. */
  readonly use: readonly number[];
  readonly gradients: string;
  readonly constraints?: Readonly<Record<string, readonly [string, Readonly<Record<string, unknown>>]>>;
  readonly exclude?: { readonly variables?: readonly number[]; readonly names?: readonly string[] };
  /** Names of Keras' variables, in its order. */
  readonly state: readonly string[];
  readonly steps: readonly { readonly weights: readonly EncodedTensor[]; readonly state: readonly EncodedTensor[] }[];
}

type Encoded = Readonly<Record<string, unknown>>;

function decodeOption(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const object = value as Encoded;
  if (typeof object.schedule === 'string') return createSchedule(object.schedule, object.config as Encoded);
  if (typeof object.optimizer === 'string') return makeOptimizer(object.optimizer, object.config as Encoded);
  const optimizers = decodeOptions(object.optimizers as Encoded) as Readonly<Record<string, Optimizer>>;
  return new OptimizerMap(decodeOption(object.default) as Optimizer, optimizers);
}

function decodeOptions(options: Encoded): Encoded {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, decodeOption(value)]));
}

export function makeOptimizer(name: string, config: Encoded): Optimizer {
  const optimizer = createOptimizer(name, decodeOptions(config));
  if (optimizer === undefined) throw new Error(`There is no optimizer ${name}`);
  return optimizer;
}

/** A weight that holds a value. */
export function weightOf(path: string, value: EncodedTensor): Variable {
  const initial = decodeTensor(value);
  const variable = new Variable({
    name: path.slice(path.lastIndexOf('/') + 1),
    shape: initial.shape,
    dtype: initial.dtype as VariableDtype,
    initialize: () => initial,
  });
  variable.path = path;
  return variable;
}

/** Runs steps of an optimizer in the interpreter: the graph is built once, its new values are assigned each time. */
export function stepper(
  optimizer: Optimizer,
  weights: readonly Variable[],
  options?: ApplyOptions,
): (gradients: readonly EncodedTensor[]) => void {
  const symbols = weights.map(({ shape, dtype }, index) => input(`gradient ${index}`, { shape, dtype }));
  const gradients = new Map(weights.map((weight, index) => [weight, symbols[index] as SymbolicTensor]));
  const assignments = optimizer.apply(gradients, options);
  const graph = { inputs: symbols, outputs: assignments.map(([, value]) => value) };
  return (given) => {
    const values = evaluate(graph, given.map(decodeTensor));
    for (const [index, [variable]] of assignments.entries()) variable.assign(values[index] ?? tensor(0));
  };
}

export function checkOptimizerCase(data: SharedData, one: OptimizerCase): void {
  const optimizer = makeOptimizer(one.optimizer, one.config);
  const weights = new Map(
    one.use.map((index) => {
      const { path, value } = data.weights[index] as SharedData['weights'][number];
      return [index, weightOf(path, value)] as const;
    }),
  );
  const variables = [...weights.values()];
  const constraints = new Map(
    Object.entries(one.constraints ?? {}).map(([index, given]) => [
      weights.get(Number(index)),
      createConstraint(...given),
    ]),
  );
  if (one.exclude) {
    const excluded = one.exclude.variables?.map((index) => weights.get(index) as Variable) ?? [];
    (optimizer as StepOptimizer).excludeFromWeightDecay({ variables: excluded, names: one.exclude.names ?? [] });
  }
  const step = stepper(optimizer, variables, { constraintOf: (variable) => constraints.get(variable) });
  const state = optimizer.variablesInKerasOrder(variables);
  expect(state.map(({ name }) => name)).toHaveLength(one.state.length);
  for (const [number, expected] of one.steps.entries()) {
    const row = data.gradients[one.gradients]?.[number] ?? [];
    step(one.use.map((index) => row[index] as EncodedTensor));
    for (const [index, variable] of variables.entries()) {
      expectClose(variable.value, expected.weights[index] as EncodedTensor, `step ${number}, ${variable.path}`);
    }
    for (const [index, variable] of state.entries()) {
      expectClose(variable.value, expected.state[index] as EncodedTensor, `step ${number}, ${one.state[index]}`);
    }
  }
}
