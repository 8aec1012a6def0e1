import { bytesFile, checkRange, type RangedFile, readRangeInto, subFile } from '../../binary/ranged-file.ts';
import { sha256 } from '../../binary/sha256.ts';
import { FormatError } from '../../errors.ts';
import { joinedFile } from './joined-file.ts';
import type { SlicedChecksum } from './weight-specs.ts';

/**
 * A file whose SHA-256 is known: the first read fetches all of it and compares, and no byte is handed out before.
 *
 * The bytes are kept until `byteLength` bytes have been read, which is when the weights of a shard have all been taken;
 * whoever reads more lets them be fetched and compared again.
 *
 * @param expected Hexadecimal digits, or `sha256-` and base64 as in a page's `integrity` attribute.
 */
export function verifiedFile(file: RangedFile, expected: string): RangedFile {
  let verified: Promise<RangedFile> | undefined;
  let served = 0;
  const serve = async <T>(byteCount: number, read: (bytes: RangedFile) => Promise<T>): Promise<T> => {
    verified ??= verify(file, expected);
    const result = await read(await verified);
    served += byteCount;
    if (served >= file.byteLength) {
      served = 0;
      verified = undefined;
    }
    return result;
  };
  return {
    name: file.name,
    byteLength: file.byteLength,
    slice: async (start, end) => {
      checkRange(file.name, file.byteLength, start, end);
      return await serve(end - start, (bytes) => bytes.slice(start, end));
    },
    readInto: async (start, target) => {
      checkRange(file.name, file.byteLength, start, start + target.byteLength);
      if (verified === undefined && target.byteLength === file.byteLength) {
        // All of it goes to one place, and can be compared there: a failed read leaves a target that nobody uses.
        await readRangeInto(file, start, target);
        return await check(target, file, expected);
      }
      await serve(target.byteLength, async (bytes) => await bytes.readInto?.(start, target));
    },
  };
}

/**
 * A file of which the SHA-256 of each slice is known: a read fetches and compares the slices that it touches, and no others.
 *
 * @throws {FormatError} when there are more or fewer than the file has.
 */
export function verifiedSlices(file: RangedFile, { sliceBytes, digests }: SlicedChecksum): RangedFile {
  const { name, byteLength } = file;
  if (digests.length !== Math.ceil(byteLength / sliceBytes)) {
    throw new FormatError(
      `Cannot read "${name}": it has ${byteLength} bytes, expected ${digests.length} slices of ${sliceBytes} bytes`,
      { file: name },
    );
  }
  const slices = digests.map((digest, index) => {
    const start = index * sliceBytes;
    const end = Math.min(start + sliceBytes, byteLength);
    return verifiedFile(subFile(file, start, end, `${name}, bytes ${start} to ${end}`), digest);
  });
  return joinedFile(slices, name);
}

async function verify(file: RangedFile, expected: string): Promise<RangedFile> {
  const bytes = await file.slice(0, file.byteLength);
  await check(bytes, file, expected);
  return bytesFile(bytes, file.name);
}

async function check(bytes: Uint8Array, file: RangedFile, expected: string): Promise<void> {
  const digest = await sha256(bytes);
  if (digest === hexOf(expected, file.name)) return;
  throw new FormatError(
    `Cannot read "${file.name}": its SHA-256 is ${digest}, expected ${expected}; the file is damaged or another one`,
    { file: file.name },
  );
}

function hexOf(checksum: string, file: string): string {
  if (/^[0-9a-f]{64}$/i.test(checksum)) return checksum.toLowerCase();
  const base64 = /^sha256-([A-Za-z0-9+/]{43}=)$/.exec(checksum)?.[1];
  if (base64 === undefined) {
    throw new FormatError(`Cannot verify "${file}": ${JSON.stringify(checksum)} is no SHA-256`, { file });
  }
  return Array.from(atob(base64), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
