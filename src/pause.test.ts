import { afterEach, describe, expect, test, vi } from 'vitest';
import { atOnce, breathe, breathing } from './pause.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Five steps of five milliseconds. */
function* work(): Generator<void, string> {
  for (let step = 0; step < 5; step++) {
    yield;
    const end = performance.now() + 5;
    while (performance.now() < end);
  }
  return 'done';
}

/** What comes by message while `act` is under way. */
async function messagesDuring(act: () => unknown): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  let count = 0;
  const under = { way: true };
  port1.onmessage = () => {
    if (!under.way) return;
    count++;
    port2.postMessage(undefined);
  };
  port2.postMessage(undefined);
  await act();
  under.way = false;
  port1.close();
  return count;
}

/** Each turn takes a channel. */
function countTurns(): { readonly count: number } {
  const turns = { count: 0 };
  vi.stubGlobal(
    'MessageChannel',
    class extends MessageChannel {
      constructor() {
        super();
        turns.count++;
      }
    },
  );
  return turns;
}

describe('in a page', () => {
  test('work in steps gives others their turn', async () => {
    vi.stubGlobal('document', {});
    let result: string | undefined;
    const messages = await messagesDuring(async () => {
      result = await breathing(work());
    });
    expect(result).toBe('done');
    expect(messages).toBeGreaterThanOrEqual(2);
  });

  test('nobody waits who has just waited', async () => {
    vi.stubGlobal('document', {});
    await breathe();
    expect(breathe()).toBeUndefined();
  });

  test('those who want a turn at the same time share it', async () => {
    vi.stubGlobal('document', {});
    atOnce(work());
    const turns = countTurns();
    await Promise.all([breathe(), breathe(), breathe()]);
    expect(turns.count).toBe(1);
  });

  test('those who have waited together wait again for those who go on first', async () => {
    vi.stubGlobal('document', {});
    atOnce(work());
    const turns = countTurns();
    const waiters = [1, 2, 3].map(async () => {
      await breathe();
      atOnce(work());
    });
    await Promise.all(waiters);
    expect(turns.count).toBe(3);
  });
});

test('elsewhere nobody waits', async () => {
  atOnce(work());
  expect(breathe()).toBeUndefined();
  expect(await messagesDuring(() => breathing(work()))).toBe(0);
});

test('what a step throws is thrown', async () => {
  const failing = function* (): Generator<void, void> {
    yield;
    throw new RangeError('no');
  };
  await expect(breathing(failing())).rejects.toThrow(RangeError);
  expect(() => atOnce(failing())).toThrow(RangeError);
});
