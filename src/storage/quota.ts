/** How much room browsers give, and what they say when there is no more. */
import { QuotaError } from '../errors.ts';

/** Whether a browser failed for want of room, by the present and the old name of that failure. */
export function isQuotaFailure(cause: unknown): boolean {
  const name = typeof cause === 'object' && cause !== null && 'name' in cause ? cause.name : '';
  return name === 'QuotaExceededError' || name === 'NS_ERROR_DOM_QUOTA_REACHED';
}

/** How many bytes this origin may still store, `undefined` where the browser does not tell. */
async function freeBytes(): Promise<number | undefined> {
  const estimate = await globalThis.navigator?.storage?.estimate?.().catch(() => undefined);
  if (estimate?.quota === undefined || estimate.usage === undefined) return undefined;
  return Math.max(0, estimate.quota - estimate.usage);
}

/** @throws {QuotaError} when the browser says that there is no room for so many bytes more. */
export async function checkQuota(store: string, neededBytes: number): Promise<void> {
  const free = await freeBytes();
  if (free !== undefined && free < neededBytes) throw new QuotaError(store, neededBytes, free);
}

/** The failure as a `QuotaError` if it is one for want of room, else as it is. */
export async function asQuotaError(store: string, neededBytes: number, cause: unknown): Promise<unknown> {
  if (!isQuotaFailure(cause)) return cause;
  const free = await freeBytes();
  // Browsers that keep a user's disk to themselves tell every page the same, which is not what they give.
  return new QuotaError(store, neededBytes, free === undefined || free >= neededBytes ? undefined : free, cause);
}
