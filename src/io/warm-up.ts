import { defaultBackend } from '../model/default-backend.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { WeightPacker } from '../model/weight-packer.ts';
import type { Arrival } from './compress-weights.ts';
import type { LoadModelOptions } from './load.ts';

/** A model of so many parameters takes milliseconds to predict, so that helping threads are worth their start. */
const LARGE_PARAMETERS = 1 << 20;

interface WarmUp {
  /** Takes weights to their place in the program as they arrive. */
  readonly arrival: Pick<Arrival, 'onAssigned'>;
  /** Does the rest when the model has its weights. */
  finish(loaded: KerasModel): Promise<void>;
}

/**
 * Starts to compile what a model that is being loaded will predict with.
 *
 * @param isWhole whether the model will be what it is now: with these layers, and weights of this form
 */
export function startWarmUp(model: KerasModel, { warmUp }: LoadModelOptions, isWhole: boolean): WarmUp {
  const rows = warmUp === true ? 1 : Number(warmUp);
  if (model.countParams() >= LARGE_PARAMETERS) {
    // Who compiles hears of what fails.
    defaultBackend().then(
      (backend) => backend.prepare?.(),
      () => {},
    );
  }
  const compiling = isWhole ? model.compileForPredict(rows) : undefined;
  // A load that fails meanwhile says why itself; one that does not waits for this, and says what was wrong with it.
  compiling?.catch(() => {});
  const packer = compiling && new WeightPacker(compiling.then(({ program }) => program));
  return {
    arrival: packer === undefined ? {} : { onAssigned: (variable) => packer.take(variable) },
    finish: async (loaded) => {
      packer?.stop();
      await compiling;
      await loaded.warmUp(rows);
    },
  };
}
