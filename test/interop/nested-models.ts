/** Models whose weights and calls are easily confused: nested ones that are frozen in part, called twice, or alike. */
import {
  Add,
  BatchNormalization,
  Concatenate,
  Dense,
  input,
  type KerasModel,
  type Layer,
  LayerNormalization,
  Model,
  Sequential,
  tensor,
} from '../../src/index.ts';

export function nestedModels(): ReadonlyMap<string, KerasModel> {
  const models = new Map([
    ['called twice, frozen in part', calledTwice()],
    ['frozen, nested deeply, with layers of one name', frozen()],
    ['of several inputs and outputs', several()],
    ['Sequential in Sequential', sequences()],
  ]);
  for (const model of models.values()) {
    // Variances among them, so none is negative.
    const values = model.getWeights().map(({ data, shape }, index) => {
      return tensor(
        Float32Array.from(data as Float32Array, (_, place) => 0.6 + 0.5 * Math.sin((index + 1) * (place + 1))),
        shape,
      );
    });
    model.setWeights(values);
  }
  return models;
}

const three = (name: string) => input({ shape: [3], name });

function chain(name: string, layers: readonly Layer[]): Model {
  const x = three(`${name}_x`);
  return new Model({ inputs: x, outputs: layers.reduce((value, layer) => layer.apply(value), x), name });
}

const dense = (name: string, units = 3): Layer => new Dense({ units, name });

function calledTwice(): KerasModel {
  const normalization = new BatchNormalization({ name: 'bn' });
  const inner = chain('inner', [normalization, dense('d'), new BatchNormalization({ name: 'bn2' })]);
  normalization.trainable = false;
  const row = new Sequential({
    layers: [three('row_x').call.layer, dense('s'), new LayerNormalization({ name: 'ln' })],
    name: 'row',
  });
  const x = three('x');
  const first = inner.apply(x);
  const second = row.apply(inner.apply(first));
  const third = row.apply(second);
  const sum = dense('head', 2).apply(new Add({ name: 'add' }).apply([second, third]));
  return new Model({ inputs: x, outputs: [sum, inner.apply(third), row.apply(first)], name: 'twice' });
}

function frozen(): KerasModel {
  const leaf = chain('leaf', [new BatchNormalization({ name: 'bn' }), dense('q')]);
  const deep = chain('deep', [chain('middle', [dense('q'), leaf]), dense('q')]);
  deep.trainable = false;
  const x = three('x');
  return new Model({ inputs: x, outputs: dense('top', 1).apply(deep.apply(x)), name: 'frozen' });
}

function several(): KerasModel {
  const [p, q] = [three('p'), three('q')];
  const sum = new Add({ name: 'sum' }).apply([p, q]);
  const two = new Model({
    inputs: [p, q],
    outputs: [sum, new Concatenate({ name: 'both' }).apply([dense('z', 2).apply(p), q])],
    name: 'two',
  });
  const [x, y] = [three('x'), three('y')];
  const [first, second] = two.applyAll([x, y]);
  if (first === undefined || second === undefined) throw new RangeError('expected two outputs');
  return new Model({ inputs: [x, y], outputs: [first, dense('h', 1).apply(second)], name: 'several' });
}

function sequences(): KerasModel {
  const inner = new Sequential({ layers: [dense('k', 2)], name: 'inside' });
  return new Sequential({ layers: [chain('base', [dense('b')]), inner], name: 'sequences' });
}
