import { computeDtype, type Dtype, isStorageDtype } from '../array/dtype.ts';
import type { PartialShape } from '../array/shape.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { anything, boolean, type Fields, type Options, string } from './fields.ts';
import { KerasTensor } from './keras-tensor.ts';
import { Layer, type LayerConfig, layerFields } from './layer.ts';

export interface InputLayerConfig extends LayerConfig {
  batchShape: PartialShape;
  sparse: boolean;
  ragged: boolean;
  optional: boolean;
}

const isPartialShape = (value: unknown): boolean =>
  Array.isArray(value) && value.every((extent) => extent === null || (Number.isSafeInteger(extent) && extent >= 0));

/** The entry of a model: it states shape and dtype and computes nothing. */
export class InputLayer extends Layer<InputLayerConfig> {
  static readonly className = 'InputLayer';
  static readonly fields: Fields<InputLayerConfig> = {
    ...layerFields,
    dtype: string('float32'),
    batchShape: anything<PartialShape>('a list of extents, null where unknown', isPartialShape),
    sparse: boolean(false),
    ragged: boolean(false),
    optional: boolean(false),
  };
  override readonly supportsMasking = true;

  constructor(options: Options<InputLayerConfig, 'batchShape'>) {
    super(InputLayer.className, InputLayer.fields, options);
    this.ensureBuilt([]);
    const outputs: KerasTensor[] = [];
    const call = { layer: this as unknown as Layer, inputs: [], kwargs: {}, outputs };
    const spec = { shape: this.config.batchShape, dtype: this.inputDtype, name: this.name };
    outputs.push(new KerasTensor(spec, call, 0));
    this.calls.push(call);
  }

  /** The dtype in which the program takes the input: half floats as float32, all integers as int32. */
  get inputDtype(): Dtype {
    return isStorageDtype(this.config.dtype) ? computeDtype(this.config.dtype) : 'float32';
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return x;
  }
}

export interface InputOptions {
  /** Shape of one sample, without the batch; `null` where unknown. */
  readonly shape?: PartialShape;
  /** Shape with the batch, in place of `shape`. */
  readonly batchShape?: PartialShape;
  readonly dtype?: string;
  readonly name?: string;
}

/**
 * Begins a functional model.
 *
 * ```ts
 * import { Dense, input, Model } from 'hornet';
 *
 * const x = input({ shape: [4], name: 'features' });
 * const model = new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(x) });
 *
 * expect(model.outputShape).toEqual([null, 2]);
 * ```
 *
 * @throws {TypeError} when neither shape is given.
 */
export function input({ shape, batchShape, dtype, name }: InputOptions): KerasTensor {
  const full = batchShape ?? (shape === undefined ? undefined : [null, ...shape]);
  if (full === undefined) throw new TypeError('Cannot create an input: found no shape, expected shape or batchShape');
  return new InputLayer({ batchShape: full, dtype, name }).output;
}
