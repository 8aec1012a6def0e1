/** Writes safetensors; see `layout.ts` for the layout and `read-safetensors.ts` for the other direction. */
import { bytesPerElement, type Dtype } from '../../array/dtype.ts';
import { sizeOf } from '../../array/shape.ts';
import type { WritableFile } from '../../binary/byte-sink.ts';
import { FormatError, UnsupportedError } from '../../errors.ts';
import type { WeightEntry } from '../artifacts.ts';
import { elementBytes } from '../element-bytes.ts';
import { LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY } from './layout.ts';

/** An array to be written: read when its turn comes, so that no more than one is held. */
export type SafetensorsEntry = Pick<WeightEntry, 'name' | 'dtype' | 'shape' | 'read'>;

const CODES: { readonly [D in Dtype]?: string } = { float32: 'F32', int32: 'I32', bool: 'BOOL' };

/** Where the data begin: at a multiple of this, so that a reader can view them where they lie. */
const ALIGNMENT = 8;

/**
 * A safetensors file of arrays. Wide elements come first, so that all are aligned; else the order is kept. The same
 * arrays give the same bytes.
 *
 * @throws {UnsupportedError} for arrays that are not float32, int32 or bool.
 * @throws {FormatError} when two arrays have one name, or there are too many of them.
 */
export function writeSafetensors(
  entries: readonly SafetensorsEntry[],
  metadata: Readonly<Record<string, string>> = {},
): WritableFile {
  const sorted = [...entries].sort((a, b) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype));
  const descriptions = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) descriptions.set(METADATA_KEY, metadata);
  let dataBytes = 0;
  for (const { name, dtype, shape } of sorted) {
    const code = CODES[dtype as Dtype];
    if (code === undefined) {
      throw new UnsupportedError(`Cannot write tensor "${name}" as ${dtype}: expected float32, int32 or bool`, dtype);
    }
    if (name === METADATA_KEY || descriptions.has(name)) {
      throw new FormatError(`Cannot write safetensors: found two tensors named "${name}", expected names of their own`);
    }
    const begin = dataBytes;
    dataBytes += sizeOf(shape) * bytesPerElement(dtype);
    descriptions.set(name, { dtype: code, shape, data_offsets: [begin, dataBytes] });
  }
  const head = encodeHead(descriptions);
  return {
    byteLength: head.byteLength + dataBytes,
    writeTo: async (sink) => {
      await sink.write(head);
      for (const entry of sorted) {
        const bytes = elementBytes(await entry.read());
        if (bytes.byteLength > 0) await sink.write(bytes);
      }
    },
  };
}

function encodeHead(descriptions: ReadonlyMap<string, unknown>): Uint8Array {
  // Not by an object, which would put names that look like numbers first.
  const members = [...descriptions].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const text = new TextEncoder().encode(`{${members.join(',')}}`);
  const padded = Math.ceil((LENGTH_BYTES + text.byteLength) / ALIGNMENT) * ALIGNMENT;
  if (padded > MAX_HEADER_BYTES) {
    throw new FormatError(
      `Cannot write safetensors: the header has ${padded} bytes, expected no more than ${MAX_HEADER_BYTES}`,
    );
  }
  const head = new Uint8Array(padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded - LENGTH_BYTES), true);
  head.set(text, LENGTH_BYTES);
  return head;
}
