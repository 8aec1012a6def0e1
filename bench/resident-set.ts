/** How much memory this process holds, and held at most. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const STATUS = '/proc/self/status';

/** Lets the kernel forget the largest resident set where it can (Linux), and gives the bytes of the present one. */
export function resetPeak(): number {
  if (existsSync(STATUS)) writeFileSync('/proc/self/clear_refs', '5');
  return process.memoryUsage().rss;
}

/** `maxRSS` would do, but for the parent's, which a child inherits under Linux. */
export function peakBytes(): number {
  if (!existsSync(STATUS)) return process.resourceUsage().maxRSS * 1024;
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(STATUS, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
