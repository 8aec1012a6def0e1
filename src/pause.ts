/** Lets others have the thread now and then, so that a page that loads, compiles or trains still answers. */

/** Milliseconds of work after which a page has its thread: with whatever work is in between, far less than one notices. */
const SLICE_MS = 5;

let lastTurn = 0;

/** Of the one who came last. */
let last: Promise<void> | undefined;

/**
 * What is awaited between pieces of work that may be long together: in a page that had no turn for some milliseconds it is
 * fulfilled after one. Elsewhere there is nothing to wait for.
 */
export function breathe(): Promise<void> | undefined {
  if (typeof document !== 'object' || !isLate()) return undefined;
  last = waitAfter(last);
  return last;
}

/** What those do who waited before may take all of the time that a turn gives. */
async function waitAfter(previous: Promise<void> | undefined): Promise<void> {
  await previous;
  while (isLate()) {
    await nextTurn();
    lastTurn = performance.now();
  }
}

function isLate(): boolean {
  return performance.now() - lastTurn >= SLICE_MS;
}

/** The result of work in steps, between which a page breathes. */
export async function breathing<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    const pause = breathe();
    if (pause !== undefined) await pause;
  }
}

/** The result of work in steps, all at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * @param milliseconds after how long without a pause the next call makes one, in a page and elsewhere
 */
export function pauseFor(milliseconds: number): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < milliseconds) return;
    await nextTurn();
    last = performance.now();
  };
}

/** Fulfilled when all that waits for the thread has had it. */
export async function nextTurn(): Promise<void> {
  await new Promise<unknown>((resolve) => {
    if (typeof document !== 'object') return setTimeout(resolve);
    // A timer would come 4 ms late, and in a page that nobody looks at a second.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event) => {
      port1.close();
      resolve(event);
    };
    port2.postMessage(undefined);
    return undefined;
  });
}
