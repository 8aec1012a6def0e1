/** Weights in fewer bytes while a model is in memory, and what that does to them and to predictions. */
import { NarrowArray, type WeightDtype } from '../array/narrow-array.ts';
import { sizeOf } from '../array/shape.ts';
import type { Layer } from '../layers/layer.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { type Keep, keeperOf, narrowableWeights } from '../model/narrow-weights.ts';
import type { LoadModelOptions } from './load.ts';
import { largestDifference, predictSeeded, tensorsOf } from './seeded-inputs.ts';

/** A weight that is kept in fewer bytes. */
export interface CompressedWeight {
  /** Its path, such as `block1/conv/kernel`. */
  readonly weight: string;
  readonly dtype: WeightDtype;
  /** What it takes now. */
  readonly bytes: number;
  /** The largest distance of one of its elements from what it was as float32. */
  readonly largestError: number;
}

/** How the weights of a model are kept in memory. */
export interface WeightCompression {
  readonly dtype: WeightDtype;
  /** What all weights take, and what they would take as float32. After a prediction its program holds them, and nothing else. */
  readonly bytes: number;
  readonly float32Bytes: number;
  /** Those that are kept in fewer bytes, in the order of the model's weights. */
  readonly weights: readonly CompressedWeight[];
  /**
   * The largest distance of a predicted number from the one that float32 weights give, on inputs that are the same each
   * time; where `verify` asked for it.
   */
  readonly outputDifference?: number;
  /** The largest of the numbers that float32 weights give, without its sign: what the difference is to be compared with. */
  readonly largestOutput?: number;
}

export interface CompressOptions {
  /** Whether to predict before and after, and report by how much the outputs differ. */
  readonly verify?: boolean;
}

/** @throws {RangeError} for a dtype that there is not, or when weights are kept as another one already. */
export async function compressWeights(
  model: KerasModel,
  dtype: WeightDtype,
  { verify = false }: CompressOptions,
): Promise<WeightCompression> {
  checkWeightDtype(dtype);
  model.nameWeights();
  const other = model.weights.find(({ narrow }) => narrow !== undefined && narrow.dtype !== dtype);
  if (other !== undefined) {
    throw new RangeError(
      `Cannot compress the weights of "${model.name}" to ${dtype}: "${other.path}" is kept as ${other.narrow?.dtype}, ` +
        'from which the float32 weights do not come back; load the model again',
    );
  }
  const before = verify ? await predictSeeded(model) : undefined;
  for (const [variable, channels] of narrowableWeights(model)) {
    if (variable.narrow !== undefined) continue;
    const form = NarrowArray.of(variable.value.data as Float32Array, dtype, channels);
    if (form !== undefined) variable.assignNarrow(form);
  }
  model.forgetPredictions();
  const compression = compressionOf(model, dtype);
  if (before === undefined) return compression;
  const after = tensorsOf(await model.predict(before.inputs));
  return {
    ...compression,
    outputDifference: largestDifference(before.outputs, after),
    largestOutput: Math.max(...before.outputs.map(({ data }) => largestOf(data as ArrayLike<number>))),
  };
}

/** @throws {RangeError} for a dtype that weights cannot be kept as. */
function checkWeightDtype(dtype: string): void {
  if (dtype === 'int8' || dtype === 'float16') return;
  throw new RangeError(`Cannot keep weights as ${JSON.stringify(dtype)}: expected "int8" or "float16"`);
}

/** How a load takes the weights that arrive. */
export interface Arrival {
  readonly keepAs?: Keep;
  /** Hears of each weight that has its value, which all get at once unless it is given. */
  readonly onAssigned?: (variable: KerasModel['weights'][number]) => void;
  readonly bytesUnderWay?: number;
}

/**
 * What a load with `weightDtype` does besides: compresses the weights of a model while they arrive, unless outputs are to
 * be compared with those of float32 weights; and makes the report.
 *
 * @throws {RangeError} for a dtype that weights cannot be kept as.
 */
export function compressingLoad({ weightDtype = 'int8', verifyWeights = false }: LoadModelOptions): {
  arrival(root: Layer): Arrival;
  finish(model: KerasModel): Promise<unknown>;
} {
  checkWeightDtype(weightDtype);
  return {
    arrival: (root) => (verifyWeights ? {} : { keepAs: keeperOf(root, weightDtype), bytesUnderWay: BYTES_UNDER_WAY }),
    finish: (model) => model.compressWeights(weightDtype, { verify: verifyWeights }),
  };
}

/** Arrays under way at once take this much memory at the most, which is what the load takes beside the narrow weights. */
const BYTES_UNDER_WAY = 8 << 20;

/** What the weights of a model take as they are. */
function compressionOf(model: KerasModel, dtype: WeightDtype): WeightCompression {
  const all = model.weights;
  return {
    dtype,
    bytes: all.reduce((sum, variable) => sum + variable.byteLength, 0),
    float32Bytes: all.reduce((sum, { shape, dtype: own }) => sum + sizeOf(shape) * (own === 'bool' ? 1 : 4), 0),
    weights: all.flatMap(({ path, narrow }): CompressedWeight[] => {
      if (narrow === undefined) return [];
      const { byteLength, largestError } = narrow;
      return [{ weight: path, dtype: narrow.dtype, bytes: byteLength, largestError }];
    }),
  };
}

function largestOf(data: ArrayLike<number>): number {
  let largest = 0;
  for (let index = 0; index < data.length; index++) largest = Math.max(largest, Math.abs(Number(data[index])));
  return largest;
}
