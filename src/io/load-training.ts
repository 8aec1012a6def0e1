/** How a loaded model is trained: what its file says of `compile`, and the state of its optimizer. */
import type { ModelArtifacts } from '../formats/artifacts.ts';
import type { KerasModel } from '../model/keras-model.ts';
import type { CustomObjects } from '../serialization/custom-objects.ts';
import type { DecodedTraining } from '../serialization/decode-training.ts';
import type { Dialect } from '../serialization/dialect.ts';
import type { StoredState } from '../serialization/place-optimizer.ts';
import type { LoadReport, ShapeMismatch } from '../serialization/report.ts';
import { StoredTrainingError } from '../serialization/stored-training-error.ts';
import { unknownTrainingNames } from '../serialization/training-names.ts';
import type { PlanItem } from '../serialization/weights/plan.ts';
import type { Optimizer } from '../training/optimizers/optimizer.ts';
import type { Trainer } from '../training/trainer.ts';

/** A load, as far as it is done. */
export interface LoadedFile {
  readonly artifacts: ModelArtifacts;
  readonly dialect: Dialect;
  /** Where the weights of the file went. */
  readonly plan: readonly PlanItem[];
  readonly report: LoadReport;
  /** Reads and assigns the arrays of a plan, if all have the right shape; else gives those that have not. */
  readonly fill: (plan: readonly PlanItem[]) => Promise<readonly ShapeMismatch[]>;
}

export interface CompileContext extends LoadedFile {
  readonly customObjects: CustomObjects;
  readonly strict: boolean;
}

/** Keys of a training configuration that say how a library computes, not what. */
const DROPPED_KEYS: ReadonlySet<string> = new Set(
  'auto_scale_loss jit_compile run_eagerly sample_weight_mode steps_per_execution'.split(' '),
);

/**
 * Compiles a model as its file says, when it is first trained. Where the file names what is not known, the model stays
 * uncompiled, and the report says so.
 */
export function compileLoaded(model: KerasModel, context: CompileContext): void {
  const { artifacts, report, customObjects, dialect, strict } = context;
  const { trainingConfig: config = {}, source } = artifacts;
  const unknown = unknownTrainingNames(config, customObjects);
  if (unknown.length > 0) {
    report.ignored.push(`how the model was trained: ${unknown.join(', ')} is not known; the model is not compiled`);
    return;
  }
  for (const [key, value] of Object.entries(config)) {
    if (DROPPED_KEYS.has(key) && value !== null && value !== false && value !== 1) {
      report.ignored.push(`key "${key}": ${JSON.stringify(value)} of the training configuration`);
    }
  }
  const state = storedState(context);
  model.compileLazily(
    once(async (trainable) => {
      const { decodeTraining } = await import('../serialization/decode-training.ts');
      let decoded: DecodedTraining;
      try {
        decoded = decodeTraining(config, dialect, model.outputs.length, customObjects);
      } catch (cause) {
        if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
        throw new StoredTrainingError(source, cause.message, cause);
      }
      const { options, report: found } = decoded;
      report.ignored.push(...found.ignored);
      report.unknownKeys.push(...found.unknownKeys);
      const problems = found.unknownKeys.map(({ className, key }) => `${className} has no option "${key}"`);
      const misfit = state && (await restoreOptimizer(options.optimizer, trainable, state, context));
      if (misfit !== undefined) report.ignored.push(misfit);
      if (misfit !== undefined) problems.push(misfit);
      if (strict && problems.length > 0) throw new StoredTrainingError(source, problems.join('; '));
      return options;
    }),
  );
}

/** Gives the optimizer of a compiled model the state that a file has. What does not fit is left out, and reported. */
export async function loadOptimizer(model: KerasModel, file: LoadedFile): Promise<void> {
  const [state, trainer] = [storedState(file), await model.loadTrainer()];
  if (state === undefined || trainer === undefined) return;
  const problem = await restoreOptimizer(trainer.optimizer, trainer.trainable, state, file);
  if (problem !== undefined) file.report.ignored.push(problem);
}

function storedState({ artifacts, dialect, plan }: LoadedFile): StoredState | undefined {
  const { optimizerWeights: entries = [], format } = artifacts;
  return entries.length === 0 ? undefined : { entries, format, dialect, weights: plan };
}

/** Reads and assigns the state; gives what is wrong with it, when it does not fit. */
async function restoreOptimizer(
  optimizer: Optimizer,
  trainable: Trainer['trainable'],
  state: StoredState,
  { fill }: LoadedFile,
): Promise<string | undefined> {
  const { completeState, placeOptimizer } = await import('../serialization/place-optimizer.ts');
  const placed = placeOptimizer(optimizer, trainable, state);
  if ('problem' in placed) return placed.problem;
  const [misfit] = await fill(placed.items);
  if (misfit === undefined) {
    completeState(optimizer, trainable, placed.items);
    return undefined;
  }
  const { source, found, expected } = misfit;
  return `the state of the optimizer: "${source}" has shape [${found}], expected [${expected}]`;
}

/** A function that keeps what it gave; what failed is tried again. */
function once<A, R>(make: (argument: A) => Promise<R>): (argument: A) => Promise<R> {
  let made: R | undefined;
  return async (argument) => {
    made ??= await make(argument);
    return made;
  };
}
