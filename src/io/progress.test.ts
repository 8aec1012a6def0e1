import { describe, expect, test } from 'vitest';
import { ProgressCounter, type ProgressDetails } from './progress.ts';

/** A counter, and all that it says. */
function listen(): { counter: ProgressCounter; fractions: number[]; details: ProgressDetails[] } {
  const fractions: number[] = [];
  const details: ProgressDetails[] = [];
  const counter = new ProgressCounter((fraction, detail) => {
    fractions.push(fraction);
    details.push(detail);
  });
  return { counter, fractions, details };
}

describe('ProgressCounter', () => {
  test('counts the bytes of weights, not those that tell what the model is', () => {
    const { counter, fractions, details } = listen();
    counter.announceMain('m.h5', true);
    counter.deliver('m.h5', 1000);
    counter.startWeights(400);
    counter.deliver('m.h5', 100);
    counter.completeWeight('kernel', 'm.h5');
    counter.deliver('m.h5', 350);
    counter.finish();
    counter.finish();
    expect(fractions).toEqual([0, 0, 0, 0.25, 0.25, 1, 1]);
    expect(details[4]).toEqual({ phase: 'weights', file: 'm.h5', weight: 'kernel', loadedBytes: 100, totalBytes: 400 });
    expect(details.at(-1)).toMatchObject({ phase: 'done', loadedBytes: 400, totalBytes: 400 });
  });

  test('counts a single file that is sent as a whole from its first byte on', () => {
    const { counter, fractions, details } = listen();
    counter.announceWhole('m.keras', 200);
    counter.deliver('m.keras', 50);
    counter.announceMain('m.keras', true);
    counter.deliver('m.keras', 100);
    counter.startWeights(150);
    counter.deliver('m.keras', 50);
    counter.finish();
    expect(fractions).toEqual([0, 0.25, 0.75, 0.75, 1, 1]);
    expect(details[1]).toMatchObject({ phase: 'open', loadedBytes: 50, totalBytes: 200 });
  });

  test('counts shards that are sent as a whole as soon as their sizes are known', () => {
    const { counter, fractions } = listen();
    counter.announceWhole('model.json', 10);
    counter.deliver('model.json', 10);
    counter.announceMain('model.json', false);
    counter.announceBytes(100);
    counter.announceWhole('a.bin', 60);
    counter.deliver('a.bin', 30);
    counter.startWeights(100);
    counter.deliver('a.bin', 30);
    counter.finish();
    expect(fractions).toEqual([0, 0, 0.3, 0.3, 0.6, 1]);
  });

  test('never goes back', () => {
    const { counter, fractions } = listen();
    counter.announceBytes(10);
    counter.announceWhole('a.bin', 10);
    counter.deliver('a.bin', 9);
    counter.startWeights(90);
    counter.finish();
    expect(fractions).toEqual([0.9, 0.9, 1]);
  });
});
