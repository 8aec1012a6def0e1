/**
 * Who is writing right now, in this page and in others of its origin, in this process and in others of its machine: so
 * that what a killed writer left behind can be told from what a living one is about to put in place.
 */

const LOCK_PREFIX = 'hornet-writer:';

/** Where nobody can be asked, parts that were begun so long ago belong to nobody: no save takes a day. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** Writers of this thread, for hosts without locks. */
const here = new Set<string>();

/** An id that no other writer has, `<time>-<random>`, and under Node `-<process>-<machine>`: no dots, no capitals. */
export function newWriterId(): string {
  const host = hostProcess();
  const suffix = host === undefined ? '' : `-${host.pid.toString(36)}-${machineName(host)}`;
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 12)}${suffix}`;
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

const SWAP_PREFIX = 'hornet-swap:';

/** The last of those who wait for their turn, by place; for hosts without locks. */
const turns = new Map<string, Promise<void>>();

/**
 * Waits until nobody else of this thread, or in a page of its origin, is about to replace what is at a place.
 *
 * @returns what lets the next one go on
 */
export async function takeTurn(place: string): Promise<() => void> {
  let resolve = (): void => {};
  const end = new Promise<void>((done) => {
    resolve = done;
  });
  const locks = lockManager();
  if (locks !== undefined) {
    await new Promise<void>((begin, reject) => {
      locks
        .request(SWAP_PREFIX + place, async () => {
          begin();
          await end;
        })
        .catch(reject);
    });
    return resolve;
  }
  const before = turns.get(place);
  turns.set(place, end);
  await before;
  return () => {
    if (turns.get(place) === end) turns.delete(place);
    resolve();
  };
}

/**
 * Which of some writers will never end what they began.
 *
 * @param isPrivate Whether a page may believe its locks, since only pages of its origin can be writers.
 */
export async function abandonedWriters(ids: Iterable<string>, isPrivate = false): Promise<string[]> {
  const locks = lockManager();
  const held = (await locks?.query())?.held?.map(({ name }) => name);
  const host = hostProcess();
  return [...ids].filter((id) => {
    if (here.has(id)) return false;
    if (held?.includes(LOCK_PREFIX + id)) return false;
    if (held !== undefined && isPrivate) return true;
    const [begun = '', , pid, machine] = id.split('-');
    const begunMs = Number.parseInt(begun, 36);
    if (host !== undefined && pid !== undefined && machine === machineName(host)) {
      return !isRunning(host, Number.parseInt(pid, 36), begunMs);
    }
    return Number.isFinite(begunMs) && Date.now() - begunMs > ABANDONED_MS;
  });
}

type HostProcess = typeof process;

/** The process that this runs in; none in a page. */
function hostProcess(): HostProcess | undefined {
  const isNode = typeof process === 'object' && typeof process.getBuiltinModule === 'function';
  return isNode ? process : undefined;
}

let machine: string | undefined;

/** Processes of one number are the same one if their machines, and on these the spaces of numbers, are the same. */
function machineName(host: HostProcess): string {
  if (machine !== undefined) return machine;
  const { hostname } = host.getBuiltinModule('node:os');
  const { readFileSync, readlinkSync } = host.getBuiltinModule('node:fs');
  const told = (read: () => string): string => {
    try {
      return read();
    } catch {
      return '';
    }
  };
  const boot = told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'));
  const space = told(() => readlinkSync('/proc/self/ns/pid'));
  let hash = 0x811c9dc5;
  for (const character of `${hostname()} ${boot} ${space}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193) >>> 0;
  }
  machine = hash.toString(36);
  return machine;
}

function isRunning(host: HostProcess, pid: number, begunMs: number): boolean {
  // Other threads of this process have writers too; what was begun before it was another's of the same number.
  if (pid === host.pid) return begunMs > Date.now() - 1000 * host.uptime();
  try {
    // Sends nothing, and fails if there is nobody to send it to.
    return host.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function lockManager(): LockManager | undefined {
  // Node has locks too, of one process: nobody else knows of them.
  return hostProcess() === undefined ? globalThis.navigator?.locks : undefined;
}
