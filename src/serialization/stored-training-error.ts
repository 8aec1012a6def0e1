import { FormatError } from '../errors.ts';

/** Thrown when a model cannot be trained as its file says; it can be, once `compile` is called. */
export class StoredTrainingError extends FormatError {
  override readonly name: string = 'StoredTrainingError';

  constructor(file: string, problem: string, cause?: unknown) {
    const advice = 'call model.compile(), or load the model with compile: false';
    super(`Cannot train as "${file}" says: ${problem}; ${advice}`, { file, cause });
  }
}
