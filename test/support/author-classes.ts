/** Classes and functions that only the authors of some files of ../shared have, written again with ops. */
import {
  BatchNormalization,
  type CustomFunction,
  type CustomObjects,
  Dense,
  fields,
  Layer,
  type LayerConfig,
  layerFields,
  ops,
  type PartialShape,
  Sequential,
  type SymbolicTensor,
} from '../../src/index.ts';

interface ScaleConfig extends LayerConfig {
  factor: number;
}

/** `Scale` of `custom.py`: inputs · w · factor + b. */
class Scale extends Layer<ScaleConfig> {
  static readonly className = 'Scale';
  static readonly fields = { ...layerFields, factor: fields.number(1) };

  constructor(options: { readonly factor?: number }) {
    super(Scale.className, Scale.fields, options);
  }

  protected override build([shape]: readonly PartialShape[]): void {
    const features = shape?.at(-1) ?? Number.NaN;
    this.addWeight('w', [features], { initializer: 'ones' });
    this.addWeight('b', [features], { initializer: 'zeros', trainable: false });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return ops.add(ops.multiply(ops.multiply(x, this.weight('w')), this.config.factor), this.weight('b'));
  }
}

interface CustomConfig extends LayerConfig {
  units: number;
}

/** `Custom` of `custom.py`: a subclassed model, with layers in attributes, a list and a dictionary. */
class Custom extends Layer<CustomConfig> {
  static readonly className = 'Custom';
  static readonly fields = { ...layerFields, units: fields.positiveInteger(4) };
  protected readonly headOrder: readonly ('a' | 'b')[] = ['b', 'a'];
  readonly #units = this.config.units;
  readonly #zout = new Dense({ units: 2 });
  readonly #adense = new Dense({ units: this.#units, activation: 'relu' });
  readonly #blocks = [
    new Dense({ units: this.#units }),
    new Scale({ factor: 0.5 }),
    new Dense({ units: this.#units, activation: 'tanh' }),
  ];
  readonly #heads = { b: new Dense({ units: 3 }), a: new Dense({ units: this.#units }) };
  readonly #norm = new BatchNormalization({});
  readonly #sub = new Sequential({ layers: [new Dense({ units: this.#units }), new Scale({ factor: 2 })] });

  constructor(options: { readonly units?: number }) {
    super(Custom.className, Custom.fields, options);
  }

  /** In the order of the assignments in Python. */
  override get sublayers(): Record<string, Layer | readonly Layer[]> {
    return {
      zout: this.#zout,
      adense: this.#adense,
      blocks: this.#blocks,
      heads: this.headOrder.map((key) => this.#heads[key]),
      norm: this.#norm,
      sub: this.#sub,
    } as unknown as Record<string, Layer | readonly Layer[]>;
  }

  override call([x]: readonly [SymbolicTensor], options: Parameters<Layer['call']>[1]): readonly SymbolicTensor[] {
    const run = (layer: { trace: Layer['trace'] }, input: SymbolicTensor): SymbolicTensor =>
      layer.trace([{ tensor: input }], options)[0]?.tensor as SymbolicTensor;
    let hidden = run(this.#adense, x);
    for (const block of this.#blocks) hidden = run(block, hidden);
    hidden = run(this.#norm, hidden);
    hidden = ops.add(hidden, run(this.#sub, run(this.#heads.a, hidden)));
    return [run(this.#zout, hidden), run(this.#heads.b, hidden)];
  }
}

/** tf.keras lists what a dictionary holds by its keys, Keras 3 in the order in which it was put in. */
class TfCustom extends Custom {
  protected override readonly headOrder = ['a', 'b'] as const;
}

const spaceToDepth: CustomFunction = ([x]) => ops.spaceToDepth(x as SymbolicTensor, 2);

/**
 * What a file needs, by its path: `npm run zoo -- --custom test/support/author-classes.ts` loads with it the models of
 * ../shared that only their author's classes and functions complete.
 */
export function customObjects(path: string): CustomObjects {
  return {
    Custom: path.includes('tf-keras') ? TfCustom : Custom,
    Scale,
    space_to_depth_x2: spaceToDepth,
    lambda_3: ([x]) => ops.square(x as SymbolicTensor),
    lambda_4: ([x]) => ops.multiply(x as SymbolicTensor, 3),
  };
}
