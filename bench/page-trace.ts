/**
 * A browser that writes down what the threads of its pages do. Nobody debugs a page: tools that look on keep what it fetches,
 * on its own thread. The browser itself is asked, over its own port.
 */
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** Milliseconds between two looks for the port. */
const LOOK_MS = 20;

/** How long a browser may take until it has a port, in milliseconds. */
const PATIENCE_MS = 30_000;

/** Tasks of threads, and the marks of pages. */
const CATEGORIES = ['disabled-by-default-devtools.timeline', 'blink.user_timing'];

/** For the command line of a browser: any port that is free. */
export const TRACEABLE = '--remote-debugging-port=0';

/** Times are in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** Of the processor, which others may have meanwhile. */
  readonly tdur?: number;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly value?: readonly TraceEvent[] };
  readonly error?: { readonly message: string };
}

/** A connection to a browser that was started with `TRACEABLE`, and traces from the beginning. */
export class PageTrace {
  readonly #socket: WebSocket;
  readonly #events: TraceEvent[] = [];
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>();
  readonly #complete: PromiseWithResolvers<void> = Promise.withResolvers();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data as string) as Message);
  }

  /** @param profile the folder of the browser's data, where it writes its port */
  static async start(profile: string): Promise<PageTrace> {
    const socket = new WebSocket(await addressOf(profile));
    const opened = Promise.withResolvers<unknown>();
    socket.onopen = opened.resolve;
    socket.onerror = () => opened.reject(new Error('Cannot measure: the browser does not answer'));
    await opened.promise;
    const trace = new PageTrace(socket);
    const traceConfig = {
      includedCategories: CATEGORIES,
      excludedCategories: ['*'],
      recordMode: 'recordAsMuchAsPossible',
    };
    await trace.#ask('Tracing.start', { traceConfig, transferMode: 'ReportEvents' });
    return trace;
  }

  async open(url: string): Promise<void> {
    await this.#ask('Target.createTarget', { url });
  }

  /**
   * Ends the trace. Gives, for each of the marks, for how many milliseconds the longest task from there to the next one had
   * the processor, on the thread of the page that made the marks.
   */
  async end(marks: readonly string[]): Promise<number[]> {
    await this.#ask('Tracing.end', {});
    await this.#complete.promise;
    this.#socket.close();
    const found = marks.map((mark) =>
      this.#events.find(({ name, cat }) => name === mark && cat.includes('user_timing')),
    );
    return found.map((begin, index) => {
      if (begin === undefined) throw new Error(`Cannot measure: the trace has no mark "${marks[index]}"`);
      const end = found[index + 1]?.ts ?? Number.POSITIVE_INFINITY;
      const tasks = this.#events.filter(({ name, pid, tid, ts, dur = 0 }) => {
        return name === 'RunTask' && pid === begin.pid && tid === begin.tid && ts + dur > begin.ts && ts < end;
      });
      return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
    });
  }

  async #ask(method: string, params: object): Promise<void> {
    const answer = Promise.withResolvers<void>();
    const id = this.#waiting.size;
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    await answer.promise;
  }

  #receive({ id, method, params, error }: Message): void {
    if (method === 'Tracing.dataCollected') this.#events.push(...(params?.value ?? []));
    if (method === 'Tracing.tracingComplete') this.#complete.resolve();
    if (id === undefined) return;
    if (error === undefined) this.#waiting.get(id)?.resolve();
    else this.#waiting.get(id)?.reject(new Error(`Cannot measure: the browser says "${error.message}"`));
  }
}

async function addressOf(profile: string): Promise<string> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await setTimeout(LOOK_MS)) {
    const [port, path] = readIfThere(`${profile}/DevToolsActivePort`).split('\n');
    if (port && path) return `ws://127.0.0.1:${port}${path}`;
  }
  throw new Error('Cannot measure: the browser does not start');
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
