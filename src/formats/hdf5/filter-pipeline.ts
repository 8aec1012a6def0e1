import type { ByteReader } from './byte-reader.ts';
import { MAX_FILTERS } from './limits.ts';

export interface Filter {
  readonly id: number;
  /** As the file gives it, often empty. */
  readonly name: string;
  readonly parameters: readonly number[];
}

/**
 * Decodes a filter pipeline message: the filters in the order in which they were applied.
 *
 *   0  1  version
 *   1  1  number of filters
 *   2  6  reserved (version 1)
 *
 *   each filter: 2 id, 2 bytes of its name (in version 2 only from id 256 on), 2 flags, 2 number of parameters,
 *   the name (padded to a multiple of 8 in version 1), parameters of 4 bytes, and 4 more if odd in version 1
 */
export function decodeFilterPipeline(reader: ByteReader): Filter[] {
  const version = reader.u8();
  if (version !== 1 && version !== 2) throw reader.fail(`filter pipeline version ${version} is unknown`);
  const count = reader.u8();
  if (count > MAX_FILTERS) throw reader.fail(`${count} filters exceed ${MAX_FILTERS}`);
  if (version === 1) reader.skip(6);
  return Array.from({ length: count }, () => {
    const id = reader.u16();
    const nameBytes = version === 1 || id >= 256 ? reader.u16() : 0;
    reader.skip(2);
    const parameterCount = reader.u16();
    const name = reader.text(nameBytes);
    if (version === 1) reader.skipPadding(nameBytes);
    const parameters = Array.from({ length: parameterCount }, () => reader.u32());
    if (version === 1 && parameterCount % 2 === 1) reader.skip(4);
    return { id, name, parameters };
  });
}
