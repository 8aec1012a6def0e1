import type { Variable } from '../../graph/variable.ts';
import { Callback, type CallbackState } from './callback.ts';

export interface SwapEMAWeightsOptions {
  /** Whether averages stand in the model from the end of an epoch to the beginning of the next, for other callbacks. */
  readonly swapOnEpoch?: boolean;
}

/**
 * Puts the averages that the optimizer keeps in the place of the weights while the model is evaluated or predicts. The
 * optimizer must have been made with `useEma`.
 */
export class SwapEMAWeights extends Callback {
  readonly #swapsOnEpoch: boolean;
  #isSwapped = false;

  constructor({ swapOnEpoch = false }: SwapEMAWeightsOptions = {}) {
    super();
    this.#swapsOnEpoch = swapOnEpoch;
  }

  override get stateName(): string {
    return 'SwapEMAWeights';
  }

  override getState(): CallbackState {
    return { values: { isSwapped: this.#isSwapped } };
  }

  override setState({ values = {} }: CallbackState): void {
    this.#isSwapped = values.isSwapped as boolean;
  }

  override onEpochBegin(): void {
    if (this.#swapsOnEpoch) this.#bring(false);
  }

  override onEpochEnd(epoch: number): void {
    if (!this.#swapsOnEpoch) return;
    this.#bring(true);
    if (epoch !== this.params.epochs - 1 && !this.model.stopTraining) return;
    // At the end of a training the weights become their averages, which now are where the weights were.
    for (const [weight, average] of this.#pairs()) average.assign(weight.value);
  }

  override onTestBegin(): void {
    this.#bring(true);
  }

  override onTestEnd(): void {
    this.#bring(false);
  }

  override onPredictBegin(): void {
    this.#bring(true);
  }

  override onPredictEnd(): void {
    this.#bring(false);
  }

  #bring(isSwapped: boolean): void {
    if (this.#isSwapped === isSwapped) return;
    this.#isSwapped = isSwapped;
    for (const [weight, average] of this.#pairs()) {
      const { value } = weight;
      weight.assign(average.value);
      average.assign(value);
    }
  }

  /**
   * The weights that have been trained. There are none before the first step, and averages would be 0.
   *
   * @throws {TypeError} when the optimizer keeps no averages.
   */
  #pairs(): (readonly [weight: Variable, average: Variable])[] {
    const { optimizer, trainableWeights } = this.model;
    if (optimizer === undefined || Number(optimizer.iterations.value.data[0]) === 0) return [];
    const pairs = trainableWeights.flatMap((weight) => {
      const average = optimizer.hasStateOf(weight) ? optimizer.averageOf(weight) : undefined;
      return average === undefined ? [] : [[weight, average] as const];
    });
    if (pairs.length > 0) return pairs;
    throw new TypeError('Cannot swap weights with their averages: found none, expected an optimizer with useEma: true');
  }
}
