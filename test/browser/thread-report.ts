/** Whether a page's thread was blocked. */

/** How a page's thread did since it was last asked. */
export interface ThreadReport {
  readonly beats: number;
  /** Between two beats, in milliseconds. */
  readonly longestGap: number;
  /** Durations of tasks of more than 50 milliseconds, as the browser has them. */
  readonly longTasks: readonly number[];
}

declare global {
  interface Window {
    reportThread: () => ThreadReport;
  }
}

/** Runs in the page, before anything of the page's own: a heartbeat on its thread, and what the browser says of it. */
export function measureThread(): void {
  const longTasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    longTasks.push(...list.getEntries().map(({ duration }) => duration));
  });
  observer.observe({ type: 'longtask' });
  const { port1, port2 } = new MessageChannel();
  let [last, beats, longestGap] = [performance.now(), 0, 0];
  port1.onmessage = () => {
    const now = performance.now();
    longestGap = Math.max(longestGap, now - last);
    beats++;
    last = now;
    // Every few milliseconds: a heart that beats without pause would itself be a load.
    setTimeout(() => port2.postMessage(null), 1);
  };
  port2.postMessage(null);
  window.reportThread = () => {
    const report = { beats, longestGap, longTasks: longTasks.splice(0) };
    [last, beats, longestGap] = [performance.now(), 0, 0];
    return report;
  };
}
