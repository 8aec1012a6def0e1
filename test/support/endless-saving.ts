/**
 * Saves one model after the other in the same place, until it is killed: `node endless-saving.ts PLACE`. Begins when it is
 * told with which number. All numbers of a model are the same; it prints each number when its model is saved.
 *
 * A place that ends in `.checkpoints` is a folder of these.
 */
import { rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Checkpoints, Dense, InputLayer, type KerasModel, Sequential, Tensor } from '../../src/index.ts';

const UNITS = 200;

export function numberedModel(): KerasModel {
  const layers = [
    new InputLayer({ batchShape: [null, UNITS] }),
    new Dense({ units: UNITS }),
    new Dense({ units: UNITS }),
  ];
  const model = new Sequential({ layers, name: 'numbered' });
  model.compile({ optimizer: 'sgd', loss: 'mse' });
  return model;
}

export async function saveNumbered(model: KerasModel, number: number, place: string): Promise<void> {
  model.setWeights(
    model.weights.map(({ shape }) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      return new Tensor(shape, 'float32', new Float32Array(size).fill(number));
    }),
  );
  if (place.endsWith('.json')) await model.save(place, { shardSize: 120_000 });
  else if (!place.endsWith('.checkpoints')) await model.save(place);
  else
    await new Checkpoints(place, { keep: 2, monitor: 'loss' }).save(model, { step: number, metrics: { loss: number } });
}

if (/endless-saving\.[a-z]+$/.test(process.argv[1] ?? '')) {
  const [place = ''] = process.argv.slice(2);
  const model = numberedModel();
  // Code is loaded before the clock of the killer runs.
  await saveNumbered(model, 0, join(tmpdir(), `hornet-warm-${process.pid}`, basename(place)));
  rmSync(join(tmpdir(), `hornet-warm-${process.pid}`), { recursive: true });
  writeSync(1, 'ready\n');
  process.stdin.once('data', async (first) => {
    for (let number = Number(first); ; number++) {
      await saveNumbered(model, number, place);
      writeSync(1, `${number}\n`);
    }
  });
}
