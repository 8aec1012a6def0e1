/**
 * Events as TensorBoard reads them: `tensorflow.Event`, with summaries in the form of TensorFlow 2, in which every value
 * is a tensor and names the plugin that shows it.
 *
 * https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto (event, summary, tensor, types)
 */
import { bytesField, doubleField, floatField, message, varintField } from './protobuf.ts';
import { encodeRecord } from './record-file.ts';

/** What is shown under a name. */
export type Summary =
  | { readonly kind: 'scalar'; readonly tag: string; readonly value: number }
  | { readonly kind: 'histogram'; readonly tag: string; readonly values: ArrayLike<number> }
  /** A Keras model as JSON, which the graph dashboard draws. */
  | { readonly kind: 'model'; readonly tag: string; readonly json: string };

/** Values of `DataType`. */
const FLOAT = 1;
const DOUBLE = 2;
const STRING = 7;

/** Values of `DataClass`. */
const SCALAR_CLASS = 1;
const TENSOR_CLASS = 2;

/** As many as TensorFlow makes by default. */
const BUCKETS = 30;

/** The record that a file begins with. */
export function encodeFileVersion(wallTimeSeconds: number): Uint8Array {
  return encodeRecord(message(doubleField(1, wallTimeSeconds), bytesField(3, 'brain.Event:2')));
}

/** The record of one value at one step. */
export function encodeSummary(wallTimeSeconds: number, step: number, summary: Summary): Uint8Array {
  const value = message(bytesField(1, summary.tag), ...encodeValue(summary));
  const event = [doubleField(1, wallTimeSeconds), varintField(2, step), bytesField(5, bytesField(1, value))];
  return encodeRecord(message(...event));
}

function encodeValue(summary: Summary): readonly [tensor: Uint8Array, metadata: Uint8Array] {
  switch (summary.kind) {
    case 'scalar':
      return [
        bytesField(8, message(varintField(1, FLOAT), bytesField(2, ''), floatField(5, summary.value))),
        metadata('scalars', SCALAR_CLASS),
      ];
    case 'histogram': {
      const buckets = bucketsOf(summary.values);
      const content = new Uint8Array(buckets.buffer, buckets.byteOffset, buckets.byteLength);
      const shape = [buckets.length / 3, 3].map((extent) => bytesField(2, varintField(1, extent)));
      return [
        bytesField(8, message(varintField(1, DOUBLE), bytesField(2, message(...shape)), bytesField(4, content))),
        metadata('histograms', TENSOR_CLASS),
      ];
    }
    case 'model':
      return [
        bytesField(8, message(varintField(1, STRING), bytesField(2, ''), bytesField(8, summary.json))),
        // The content is the version of what the plugin reads.
        bytesField(9, bytesField(1, message(bytesField(1, 'graph_keras_model'), bytesField(2, '1')))),
      ];
  }
}

function metadata(plugin: string, dataClass: number): Uint8Array {
  return bytesField(9, message(bytesField(1, bytesField(1, plugin)), varintField(4, dataClass)));
}

/** Rows of left edge, right edge and count. What is not finite is left out. */
function bucketsOf(values: ArrayLike<number>): Float64Array {
  let [least, greatest, finite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (!Number.isFinite(value)) continue;
    finite++;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (finite === 0) return new Float64Array(0);
  if (least === greatest) return Float64Array.of(least - 0.5, least + 0.5, finite);
  const width = (greatest - least) / BUCKETS;
  const buckets = new Float64Array(3 * BUCKETS);
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    buckets[3 * bucket] = least + bucket * width;
    buckets[3 * bucket + 1] = bucket === BUCKETS - 1 ? greatest : least + (bucket + 1) * width;
  }
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (!Number.isFinite(value)) continue;
    const count = 3 * Math.min(BUCKETS - 1, Math.floor((value - least) / width)) + 2;
    buckets[count] = (buckets[count] as number) + 1;
  }
  return buckets;
}
