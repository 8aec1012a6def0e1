/** One damaged file: read it, and judge how that ended. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import {
  CustomObjectError,
  FormatError,
  LoadError,
  NotFoundError,
  ShapeError,
  UnsupportedError,
} from '../../src/index.ts';
import { Random } from './random.ts';
import type { Files, Sound, Subject } from './subjects.ts';

const TYPED = [CustomObjectError, FormatError, LoadError, NotFoundError, ShapeError, UnsupportedError];

/** What reading may take besides the size of the files. */
const EXTRA_BYTES = 64 << 20;

/** Of the processor, so that a busy machine does not count. */
const MAX_MS = 1000;

const STATUS = '/proc/self/status';

export interface Outcome {
  readonly ended: 'loaded' | 'refused' | 'failed';
  /** What is wrong, of a case that failed; else the class of the error. */
  readonly reason: string;
  readonly milliseconds: number;
  readonly peakBytes: number;
}

/** The damaged files of a case. */
export async function filesOf(
  format: string,
  subject: Subject,
  seed: number,
  index: number,
): Promise<{ sound: Sound; files: Files }> {
  const random = new Random(seed, format, index);
  const sound = random.pick(subject.sounds);
  return { sound, files: await subject.mutate(sound, random) };
}

/** Reads the files of a case; whatever happens is told by the outcome. */
export async function runCase(format: string, subject: Subject, seed: number, index: number): Promise<Outcome> {
  const { sound, files } = await filesOf(format, subject, seed, index);
  const fileBytes = [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const before = resetPeak();
  const started = process.cpuUsage();
  const error = await subject.read(files, sound.main).then(
    () => undefined,
    (thrown: unknown) => thrown ?? new Error('nothing was thrown'),
  );
  const { user, system } = process.cpuUsage(started);
  const milliseconds = (user + system) / 1000;
  const peakBytes = peak() - before;
  const found = { milliseconds, peakBytes };
  const fail = (reason: string): Outcome => ({ ended: 'failed', reason, ...found });
  if (Object.hasOwn(Object.prototype, 'polluted') || 'polluted' in {}) return fail('a prototype was polluted');
  if (peakBytes > fileBytes + EXTRA_BYTES)
    return fail(`took ${(peakBytes / 1e6).toFixed(0)} MB for ${fileBytes} bytes`);
  if (milliseconds > MAX_MS) return fail(`took ${milliseconds.toFixed(0)} ms`);
  if (error === undefined) return { ended: 'loaded', reason: '', ...found };
  if (TYPED.some((type) => error instanceof type)) {
    const { message, name } = error as Error;
    if (message.length > 4000) return fail(`a message of ${message.length} characters: ${message.slice(0, 200)}`);
    return { ended: 'refused', reason: name, ...found };
  }
  return fail(error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error));
}

/** Lets the kernel forget the largest resident set where it can (Linux), and gives the present one. */
function resetPeak(): number {
  if (!existsSync(STATUS)) return 0;
  writeFileSync('/proc/self/clear_refs', '5');
  return process.memoryUsage().rss;
}

function peak(): number {
  if (!existsSync(STATUS)) return 0;
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(STATUS, 'utf8'))?.[1]) * 1024;
}
