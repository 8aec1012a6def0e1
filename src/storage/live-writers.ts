/**
 * Who is writing right now, in this page and in others of its origin: so that what a killed writer left behind can be
 * told from what a living one is about to put in place.
 */

const LOCK_PREFIX = 'hornet-writer:';

/** Where pages cannot be asked, parts that were begun so long ago belong to nobody: no save takes a day. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** Writers of this thread, for hosts without locks. */
const here = new Set<string>();

/** An id that tells when it was made and that no other writer has. */
export function newWriterId(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 12)}`;
}

/** Runs a writer, who is alive until it ends, however it ends. */
export async function asWriter<T>(id: string, write: () => Promise<T>): Promise<T> {
  here.add(id);
  try {
    const locks = lockManager();
    return await (locks === undefined ? write() : (locks.request(LOCK_PREFIX + id, write) as Promise<T>));
  } finally {
    here.delete(id);
  }
}

/** Which of some writers will never end what they began. */
export async function abandonedWriters(ids: Iterable<string>): Promise<string[]> {
  const locks = lockManager();
  const held = (await locks?.query())?.held?.map(({ name }) => name);
  return [...ids].filter((id) => {
    if (here.has(id)) return false;
    if (held !== undefined) return !held.includes(LOCK_PREFIX + id);
    const begunMs = Number.parseInt(id, 36);
    return Number.isFinite(begunMs) && Date.now() - begunMs > ABANDONED_MS;
  });
}

function lockManager(): LockManager | undefined {
  // Node has locks too, of one process: nobody else knows of them.
  if (typeof process === 'object' && process.versions?.node !== undefined) return undefined;
  return globalThis.navigator?.locks;
}
