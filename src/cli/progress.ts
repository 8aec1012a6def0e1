import { formatBytes } from './format.ts';

/** Shows how far a load or a save has come. */
export interface ProgressDisplay {
  /** Bytes are shown where they are what takes the time. */
  update(fraction: number, bytes?: number): void;
  /** Ends the display; call it also after an error. */
  stop(): void;
}

/** On a stream that is no terminal, a line is printed each time so much more has come. */
const LINE_STEP = 0.25;

/** A bar on a terminal, plain lines elsewhere; on standard error, so that results can be piped. */
export async function showProgress(label: string): Promise<ProgressDisplay> {
  return process.stderr.isTTY ? await showBar(label) : showLines(label);
}

async function showBar(label: string): Promise<ProgressDisplay> {
  const { SingleBar } = (await import('cli-progress')).default;
  const bar = new SingleBar({
    format: `${label} {bar} {percentage} % {bytes}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    // The last state is drawn however short the load was.
    forceRedraw: true,
  });
  bar.start(1, 0, { bytes: '' });
  return {
    update: (fraction, bytes) => bar.update(fraction, { bytes: bytesText(bytes) }),
    stop: () => bar.stop(),
  };
}

function showLines(label: string): ProgressDisplay {
  let next = LINE_STEP;
  return {
    update: (fraction, bytes) => {
      if (fraction < next) return;
      process.stderr.write(`${`${label} ${Math.floor(fraction * 100)} % ${bytesText(bytes)}`.trimEnd()}\n`);
      next = (Math.floor(fraction / LINE_STEP) + 1) * LINE_STEP;
    },
    stop: () => {},
  };
}

function bytesText(bytes: number | undefined): string {
  return bytes === undefined ? '' : formatBytes(bytes);
}
