/** Lets others have the thread now and then, so that a page that compiles or trains still answers. */

/**
 * @param milliseconds after how long without a pause the next call makes one
 * @param last when the work has begun; now unless given
 */
export function pauseFor(milliseconds: number, last: number = performance.now()): () => Promise<void> {
  return async () => {
    if (performance.now() - last < milliseconds) return;
    await new Promise<void>((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}
