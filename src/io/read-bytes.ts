import { FormatError } from '../errors.ts';
import { accessOf, type ReadOptions } from './read-artifacts.ts';
import { type ModelSource, resolveSource } from './source.ts';

/** How a small file is fetched. */
export type ReadBytesOptions = Pick<ReadOptions, 'signal' | 'fetch' | 'requestInit' | 'retry'>;

/**
 * Reads a small file as a whole, from any source of models that is one file.
 *
 * @param maxBytes a larger file is refused before it is fetched
 * @throws {NotFoundError} when there is nothing at the source.
 * @throws {FormatError} when it is larger.
 * @throws {TypeError} when the source is a folder or a load handler.
 */
export async function readBytes(
  source: ModelSource,
  maxBytes: number,
  options: ReadBytesOptions = {},
): Promise<{ readonly bytes: Uint8Array; readonly name: string }> {
  options.signal?.throwIfAborted();
  const resolved = await resolveSource(source, accessOf({ ...options, wholeBelow: maxBytes }));
  if (resolved.kind !== 'file') {
    throw new TypeError(`Cannot read bytes: found a ${resolved.kind}, expected a source that is one file`);
  }
  const { file } = resolved;
  if (file.byteLength > maxBytes) {
    throw new FormatError(
      `Cannot read "${file.name}": found ${file.byteLength} bytes, expected no more than ${maxBytes}`,
      { file: file.name },
    );
  }
  return { bytes: await file.slice(0, file.byteLength), name: file.name };
}
