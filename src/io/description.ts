/** What a file says of itself beside the model. */
import type { JsonObject } from '../formats/artifacts.ts';
import type { SaveRequest } from './save-formats.ts';
import { GENERATED_BY } from './version.ts';

/** Who wrote it, what was measured, what the user adds, and when it was if that is asked for; see `described-texts.ts`. */
export function descriptionOf({ metadata, date, metrics }: SaveRequest): JsonObject {
  return {
    generated_by: GENERATED_BY,
    ...(date === undefined ? {} : { date_saved: date.toISOString() }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(metadata === undefined ? {} : { user_defined_metadata: metadata }),
  };
}
