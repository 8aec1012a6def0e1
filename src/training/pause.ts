/** Lets others have the thread now and then, so that a page that trains still answers. */

/**
 * @param milliseconds after how long without a pause the next call makes one
 */
export function pauseFor(milliseconds: number): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < milliseconds) return;
    await new Promise<void>((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}
