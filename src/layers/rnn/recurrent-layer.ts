import { zeroData } from '../../array/dtype.ts';
import { formatShape, type PartialShape, type Shape, shapesEqual, sizeOf } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { ShapeError } from '../../errors.ts';
import { parameter, placeholder } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { Variable } from '../../graph/variable.ts';
import { where } from '../../ops/compare.ts';
import { zeros, zerosLike } from '../../ops/creation.ts';
import { cast } from '../../ops/operand.ts';
import { any } from '../../ops/reduce.ts';
import { expandDims, flip, swapaxes } from '../../ops/shape.ts';
import { boolean, type Fields } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields, type Sublayers } from '../layer.ts';
import type { CellStep, RNNCell } from './cell.ts';
import { type LoopStep, loop } from './loop.ts';
import { symbolsIn } from './symbols.ts';

export interface RecurrentConfig extends LayerConfig {
  /** Whether to give the output of every step, not of the last alone. */
  returnSequences: boolean;
  /** Whether to give the last states too. */
  returnState: boolean;
  /** Whether to run from the last step to the first; the outputs come in the order in which they are computed. */
  goBackwards: boolean;
  /** Whether the states of one run are the initial states of the next. */
  stateful: boolean;
  /** Kept for Keras; it changes no number. */
  unroll: boolean;
  /** Whether the output of a masked step is 0, not that of the step before. */
  zeroOutputForMask: boolean;
}

export const recurrentFields: Fields<RecurrentConfig> = {
  ...layerFields,
  returnSequences: boolean(false),
  returnState: boolean(false),
  goBackwards: boolean(false),
  stateful: boolean(false),
  unroll: boolean(false),
  zeroOutputForMask: boolean(false),
};

/**
 * Repeats a cell along sequences `[batch, steps, …]`.
 *
 * Gives the last output `[batch, …]` or all outputs `[batch, steps, …]`, then the last states if wanted. Further
 * inputs, or the argument `initialState`, are the first states; a step that the mask `[batch, steps]` leaves out keeps
 * the states as they are.
 */
export abstract class RecurrentLayer<C extends RecurrentConfig = RecurrentConfig> extends Layer<C> {
  override readonly supportsMasking = true;
  override readonly hasMaskArgument = true;
  override readonly inputForm = 'with states';
  abstract readonly cell: RNNCell;
  #states: readonly Variable[] = [];

  override get sublayers(): Sublayers {
    return { cell: this.cell };
  }

  /** The states that a stateful layer keeps between runs; Keras neither counts them as weights nor saves them. */
  override get states(): readonly Variable[] {
    return this.#states;
  }

  /** Sets the kept states to 0. */
  resetStates(): void {
    for (const state of this.#states) state.assign(zeroTensor(state.shape));
  }

  /** How many of the inputs are constants for the cell; they come last. */
  protected get constantCount(): number {
    return 0;
  }

  protected override build([inputShape = []]: readonly PartialShape[]): void {
    const stepShape = [inputShape[0] ?? null, ...inputShape.slice(2)];
    if (inputShape.length < 3) {
      throw new ShapeError(
        `Cannot build layer "${this.name}": found an input of shape ${formatShape(inputShape)}, ` +
          'expected [batch, steps, features]',
      );
    }
    this.cell.ensureBuilt([stepShape]);
    if (!this.config.stateful) return;
    if (stepShape.includes(null)) {
      throw new ShapeError(
        `Cannot build stateful layer "${this.name}": found an input of shape ${formatShape(inputShape)}, ` +
          'expected a known batch size',
      );
    }
    this.#states = this.cell.stateShapes(stepShape as Shape).map((shape, index) => {
      const name = index === 0 ? 'rnn_state' : `rnn_state_${index}`;
      const state = new Variable({ name, shape, trainable: false, initialize: zeroTensor });
      state.path = `${this.name}/${name}`;
      return state;
    });
  }

  override call(inputs: readonly SymbolicTensor[], context: CallContext): readonly SymbolicTensor[] {
    const { returnSequences, returnState, goBackwards, zeroOutputForMask } = this.config;
    const [x, ...rest] = inputs as readonly [SymbolicTensor, ...SymbolicTensor[]];
    const stateCount = Math.max(0, rest.length - this.constantCount);
    const constants = [...rest.slice(stateCount), ...symbolsIn(context.kwargs.constants)];
    const initial = this.#initialStates(x, [...rest.slice(0, stateCount), ...symbolsIn(context.kwargs.initialState)]);
    const cellContext: CallContext = {
      ...context,
      masks: [],
      kwargs: constants.length === 0 ? {} : { constants },
    };
    const steps = this.cell.project(swapaxes(x, 0, 1), cellContext);
    const mask = stepMask(sequenceMask(context), x, this.name);
    const run = (step: SymbolicTensor, states: readonly SymbolicTensor[], keep?: SymbolicTensor): CellStep => {
      const next = this.cell.step(step, states, cellContext);
      if (keep === undefined) return next;
      const kept = next.states.map((state, index) => choose(keep, state, states[index] as SymbolicTensor));
      const { outputState } = this.cell;
      if (!zeroOutputForMask && next.output === next.states[outputState]) {
        return { output: kept[outputState] as SymbolicTensor, states: kept };
      }
      const left = zeroOutputForMask ? zerosLike(next.output) : (states[outputState] as SymbolicTensor);
      return { output: choose(keep, next.output, left), states: kept };
    };
    const sequences = mask === undefined ? [steps] : [steps, mask];
    const result = returnSequences
      ? allOutputs(initial, sequences, run, goBackwards)
      : lastOutput(initial, sequences, run, goBackwards);
    if (this.config.stateful) {
      for (const [index, state] of this.#states.entries()) {
        context.update?.(state, result.states[index] as SymbolicTensor);
      }
    }
    return returnState ? [result.output, ...result.states] : [result.output];
  }

  #initialStates(x: SymbolicTensor, given: readonly SymbolicTensor[]): readonly SymbolicTensor[] {
    const shapes = this.cell.stateShapes([x.shape[0] as number, ...x.shape.slice(2)]);
    const states =
      given.length > 0
        ? given
        : this.config.stateful
          ? this.#states.map(parameter)
          : shapes.map((shape) => zeros(shape));
    const fits = states.length === shapes.length && states.every(({ shape }, i) => shapesEqual(shape, shapes[i] ?? []));
    if (fits) return states.map((state) => cast(state, 'float32'));
    const list = (all: readonly Shape[]): string => all.map(formatShape).join(', ');
    throw new ShapeError(
      `Cannot apply layer "${this.name}": found initial states of shapes ${list(states.map(({ shape }) => shape))}, ` +
        `expected ${list(shapes)}`,
    );
  }

  override computeMask(
    _inputs: readonly SymbolicTensor[],
    outputs: readonly SymbolicTensor[],
    context: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    const mask = this.config.returnSequences ? context.masks[0] : undefined;
    return outputs.map((_, index) => (index === 0 ? mask : undefined));
  }
}

type Step = (step: SymbolicTensor, states: readonly SymbolicTensor[], keep?: SymbolicTensor) => CellStep;

/** Outputs `[batch, steps, …]` in the order in which they were computed. */
function allOutputs(
  initial: readonly SymbolicTensor[],
  sequences: readonly SymbolicTensor[],
  run: Step,
  reverse: boolean,
): CellStep {
  const body = (states: readonly SymbolicTensor[], [step, keep]: readonly SymbolicTensor[]): LoopStep => {
    const next = run(step as SymbolicTensor, states, keep);
    return { carries: next.states, outputs: [next.output] };
  };
  const { carries, outputs } = loop(initial, sequences, body, reverse);
  const stacked = outputs[0] as SymbolicTensor;
  return { output: swapaxes(reverse ? flip(stacked, 0) : stacked, 0, 1), states: carries };
}

/** The output of the last step alone: nothing is stacked. */
function lastOutput(
  initial: readonly SymbolicTensor[],
  sequences: readonly SymbolicTensor[],
  run: Step,
  reverse: boolean,
): CellStep {
  // One step outside the loop tells the shape of the output, and whether it is one of the states.
  const [step, keep] = sequences.map(({ shape, dtype }) => placeholder(shape.slice(1), dtype));
  const trial = run(step as SymbolicTensor, initial, keep);
  const known = trial.states.indexOf(trial.output);
  const body = (carries: readonly SymbolicTensor[], [current, kept]: readonly SymbolicTensor[]): LoopStep => {
    const next = run(current as SymbolicTensor, carries.slice(0, initial.length), kept);
    return { carries: known >= 0 ? next.states : [...next.states, next.output], outputs: [] };
  };
  const first = known >= 0 ? initial : [...initial, zerosLike(trial.output)];
  const { carries } = loop(first, sequences, body, reverse);
  const output = carries.at(known >= 0 ? known : -1) as SymbolicTensor;
  return { output, states: carries.slice(0, initial.length) };
}

/** The new value where a sample counts, the old one where it is masked; `keep` is `[batch]`. */
function choose(keep: SymbolicTensor, next: SymbolicTensor, before: SymbolicTensor): SymbolicTensor {
  const missing = next.shape.slice(1).map((_, index) => index + 1);
  return where(expandDims(keep, missing), next, before);
}

/**
 * The mask that a call acts on. As in Keras 3, a mask that travels with the sequences is not looked at when initial
 * states are given as an argument, though it goes on to the outputs; one that is given as an argument always counts.
 */
export function sequenceMask(context: CallContext): SymbolicTensor | undefined {
  const { mask, initialState } = context.kwargs;
  const isGiven = mask !== undefined && mask !== null;
  return isGiven || symbolsIn(initialState).length === 0 ? context.masks[0] : undefined;
}

/** A mask as `[steps, batch]`. */
function stepMask(mask: SymbolicTensor | undefined, x: SymbolicTensor, name: string): SymbolicTensor | undefined {
  if (mask === undefined) return undefined;
  const flat = mask.shape.length === 3 ? any(mask, -1) : cast(mask, 'bool');
  if (!shapesEqual(flat.shape, x.shape.slice(0, 2))) {
    throw new ShapeError(
      `Cannot apply layer "${name}": found a mask of shape ${formatShape(mask.shape)}, ` +
        `expected ${formatShape(x.shape.slice(0, 2))}`,
    );
  }
  return swapaxes(flat, 0, 1);
}

function zeroTensor(shape: Shape): Tensor {
  return new Tensor(shape, 'float32', zeroData('float32', sizeOf(shape)));
}
