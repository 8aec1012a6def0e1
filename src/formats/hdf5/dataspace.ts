import type { ByteReader } from './byte-reader.ts';
import { MAX_RANK } from './limits.ts';

export interface Dataspace {
  /** `null` holds no element at all, not even one. */
  readonly kind: 'scalar' | 'simple' | 'null';
  readonly shape: readonly number[];
  /** The shape to which the dataset may grow; `undefined` where an extent is unlimited. */
  readonly maxShape: readonly (number | undefined)[];
  readonly elementCount: number;
}

/**
 * Decodes a dataspace message.
 *
 *   0  1  version                  1 or 2
 *   1  1  rank
 *   2  1  flags                    1: maximum extents follow
 *   3  1  type (version 2)         0 scalar, 1 simple, 2 null
 *   3  5  reserved (version 1)
 *   …  L  extents, then maximum extents
 */
export function decodeDataspace(reader: ByteReader): Dataspace {
  const version = reader.u8();
  if (version !== 1 && version !== 2) throw reader.fail(`dataspace version ${version} is unknown`);
  const rank = reader.u8();
  if (rank > MAX_RANK) throw reader.fail(`rank ${rank} exceeds ${MAX_RANK}`);
  const flags = reader.u8();
  const type = version === 2 ? reader.u8() : rank === 0 ? 0 : 1;
  if (version === 1) reader.skip(5);
  if (type > 2) throw reader.fail(`dataspace type ${type} is unknown`);
  if (type === 2) return { kind: 'null', shape: [], maxShape: [], elementCount: 0 };
  if (type === 0 && rank !== 0) throw reader.fail(`a scalar has rank ${rank}`);

  const shape = Array.from({ length: rank }, () => reader.length());
  const maxShape = (flags & 1) === 0 ? shape : shape.map(() => readLimit(reader));
  const elementCount = shape.reduce((product, extent) => product * extent, 1);
  // Any extent may be 0, which would hide the size of the others.
  const bound = shape.reduce((product, extent) => product * Math.max(extent, 1), 1);
  if (!Number.isSafeInteger(bound)) throw reader.fail(`the shape [${shape.join(', ')}] is beyond all sense`);
  return { kind: type === 0 ? 'scalar' : 'simple', shape, maxShape, elementCount };
}

/** An extent with all bits set is unlimited. */
function readLimit(reader: ByteReader): number | undefined {
  const { lengthBytes } = reader.origin;
  const start = reader.position;
  const bytes = reader.take(lengthBytes);
  if (bytes.every((byte) => byte === 0xff)) return undefined;
  reader.position = start;
  return reader.length();
}
