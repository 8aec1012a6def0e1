/** The graph of one step on a batch: what the model computes, its losses, and in training the step of the optimizer. */

import type { Dtype } from '../array/dtype.ts';
import { formatShape, type Shape } from '../array/shape.ts';
import { gradients } from '../autodiff/gradients.ts';
import type { Update } from '../compiler/backend.ts';
import { ShapeError, UnsupportedError } from '../errors.ts';
import { input, parameter } from '../graph/apply.ts';
import type { Graph, SymbolicTensor } from '../graph/node.ts';
import type { Variable } from '../graph/variable.ts';
import { penaltyOf } from '../layers/penalty.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { add, multiply } from '../ops/elementwise.ts';
import { afterUpdates } from './after-updates.ts';
import type { CompiledModel, OutputPart } from './compiled-model.ts';
import type { Samples } from './samples.ts';

export type StepMode = 'train' | 'test';

/** The graph of a step. Its inputs are the tensors of `Samples` in the order of `tensorsOf`, its outputs the logs. */
export interface Step {
  readonly graph: Graph;
  readonly updates: readonly Update[];
  /** What the outputs are called, in order. */
  readonly logs: readonly string[];
}

/** All tensors of some samples, in one fixed order. */
export function tensorsOf<T>({ x, y, weights }: TensorsBySide<T>): T[] {
  return [...x, ...y, ...weights].filter((value): value is T & {} => value !== undefined);
}

interface TensorsBySide<T> {
  readonly x: readonly T[];
  readonly y: readonly (T | undefined)[];
  readonly weights: readonly (T | undefined)[];
}

export function buildStep(model: KerasModel, compiled: CompiledModel, samples: Samples, mode: StepMode): Step {
  const symbols = symbolsFor(samples);
  const updates = new Map<Variable, SymbolicTensor>();
  const penalties: SymbolicTensor[] = [];
  const random = compiled.random.step();
  const outputs = model.trace(
    symbols.x.map((tensor) => ({ tensor })),
    {
      training: mode === 'train',
      frozen: compiled.frozen,
      update: (variable, value) => updates.set(variable, value),
      random: random.draw,
      addLoss: (value) => penalties.push(value),
    },
  );
  for (const [variable, value] of random.updates()) updates.set(variable, value);
  const parts = outputs.map(({ tensor, mask }, index): OutputPart => {
    const [yTrue, sampleWeight] = [symbols.y[index], symbols.weights[index]];
    return { yPred: tensor, mask, yTrue, sampleWeight };
  });
  const losses = compiled.lossesOf(parts);
  penalties.push(...weightPenalties(compiled));
  const terms = [...losses.map(({ value, weight }) => (weight === undefined ? value : multiply(value, weight)))];
  const [first, ...others] = [...terms, ...penalties];
  if (first === undefined) {
    throw new RangeError(
      `Cannot ${mode} model "${model.name}": found no loss with targets; give \`loss\` to compile and targets as \`y\``,
    );
  }
  const total = others.reduce((sum, term) => add(sum, term), first);
  if (total.shape.length > 0) {
    throw new ShapeError(
      `Cannot ${mode} model "${model.name}": the loss has shape ${formatShape(total.shape)}, expected one number; ` +
        'use a reduction other than "none"',
    );
  }
  if (mode === 'train') for (const [variable, value] of optimize(compiled, total)) updates.set(variable, value);
  checkWide(model, [...updates.keys()]);
  const tracked = compiled.track(total, losses, parts, samples.rows);
  for (const [variable, value] of tracked.assignments) updates.set(variable, value);
  return {
    graph: { inputs: tensorsOf(symbols), outputs: afterUpdates(tracked.results, updates) },
    updates: [...updates],
    logs: tracked.names,
  };
}

/** Steps are too small to count in weights that are kept in few bits. */
function checkWide(model: KerasModel, updated: readonly Variable[]): void {
  const narrow = updated.filter((variable) => variable.narrow !== undefined);
  if (narrow.length === 0) return;
  model.nameWeights();
  const [first] = narrow as [Variable];
  const others = narrow.length > 1 ? ` and ${narrow.length - 1} more` : '';
  const feature = `training of weights kept as ${first.narrow?.dtype}`;
  throw new UnsupportedError(
    `Cannot train model "${model.name}": weight "${first.path}"${others} is kept as ${first.narrow?.dtype}; load the model ` +
      'without weightDtype, or set trainable = false on the layers of compressed weights and compile again',
    feature,
  );
}

function optimize(compiled: CompiledModel, loss: SymbolicTensor): readonly Update[] {
  const { optimizer, trainable, options, learningRateMultipliers } = compiled;
  const symbols = trainable.map(parameter);
  const found = gradients(optimizer.scaleLoss(loss), symbols);
  const byVariable = new Map(trainable.map((variable, index) => [variable, found[index] as SymbolicTensor]));
  return optimizer.apply(byVariable, {
    constraintOf: (variable) => options.get(variable)?.constraint,
    learningRateMultiplierOf: (variable) => learningRateMultipliers.get(variable),
  });
}

/** What regularizers take for the weights that are trained. */
function weightPenalties({ trainable, options }: CompiledModel): SymbolicTensor[] {
  return trainable.flatMap((variable) => {
    const regularizer = options.get(variable)?.regularizer;
    return regularizer === undefined ? [] : [penaltyOf(regularizer, parameter(variable))];
  });
}

function symbolsFor(samples: Samples): TensorsBySide<SymbolicTensor> {
  const symbol = (name: string, value: { readonly shape: Shape; readonly dtype: Dtype }): SymbolicTensor =>
    input(name, { shape: value.shape, dtype: value.dtype });
  return {
    x: samples.x.map((value, index) => symbol(`x${index}`, value)),
    y: samples.y.map((value, index) => (value === undefined ? undefined : symbol(`y${index}`, value))),
    weights: samples.weights.map((value, index) => (value === undefined ? undefined : symbol(`weight${index}`, value))),
  };
}
