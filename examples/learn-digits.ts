/**
 * Transfer learning: a model that reads 0 to 7 learns 8 and 9 from 56 images, in two stages. Runs in Node and in pages,
 * and gives the same bits in both.
 */
import { type callbacks, Dense, Dropout, type KerasModel, Model, optimizers, type Tensor, tensor } from 'hornet';
import type { DigitImages } from './digit-images.ts';

export interface LearnOptions {
  readonly callbacks?: readonly callbacks.Callback[];
  /** 1 shows bars on a terminal. */
  readonly verbose?: 0 | 1;
  /** Told before each stage. */
  readonly onStage?: (text: string) => void;
}

/** Epochs of each stage. */
export const EPOCHS = 8;

export async function learnDigits(base: KerasModel, { x, y }: DigitImages, options: LearnOptions = {}): Promise<Model> {
  const { onStage, ...fitOptions } = options;
  // All that the base has learnt stays as it is; its head, for eight digits, is cut off.
  base.trainable = false;
  const features = base.getLayer('features').output;
  const dropped = new Dropout({ rate: 0.2 }).apply(features);
  const head = new Dense({ units: 10, activation: 'softmax', kernelInitializer: 'zeros', name: 'ten_digits' });
  const model = new Model({ inputs: base.inputs, outputs: head.apply(dropped) });
  // What the old head knows of its eight digits, the new one need not learn again.
  head.setWeights(
    base
      .getLayer('digit')
      .getWeights()
      .map((weights) => widen(weights, 10)),
  );

  const optimizer = new optimizers.Adam({ learningRate: 3e-3 });
  const common = { optimizer, loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'], seed: 1 };
  const fit = { ...fitOptions, batchSize: 4, seed: 1 };

  onStage?.('First the new head alone, on frozen features.');
  model.compile(common);
  await model.fit(x, y, { ...fit, epochs: EPOCHS });

  onStage?.('Then the last convolution as well, ten times slower. The head goes on with the moments that it has.');
  model.getLayer('top').trainable = true;
  model.compile({ ...common, learningRateMultipliers: { top: 0.1 } });
  await model.fit(x, y, { ...fit, epochs: 2 * EPOCHS, initialEpoch: EPOCHS });
  return model;
}

/** Weights with zeros for further units, which are along the last axis. */
function widen({ shape, data }: Tensor, units: number): Tensor {
  const old = shape.at(-1) as number;
  const rows = data.length / old;
  const wide = Float32Array.from({ length: rows * units }, (_, index) => {
    const unit = index % units;
    return unit < old ? Number(data[Math.floor(index / units) * old + unit]) : 0;
  });
  return tensor(wide, [...shape.slice(0, -1), units]);
}
