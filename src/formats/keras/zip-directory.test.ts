/** The archives in Base64 are those that Python's zipfile writes. */
import { describe, expect, test } from 'vitest';
import { bytesFile } from '../../binary/ranged-file.ts';
import { FormatError } from '../../errors.ts';
import { openZip } from './zip-archive.ts';
import { readZipDirectory } from './zip-directory.ts';

/** Written with a limit of five bytes for what has no ZIP64 field. */
const LARGE =
  'UEsDBC0AAAAAAAAAIQCvrBtW//////////8LABQAY29uZmlnLmpzb24BABAABwAAAAAAAAAHAAAAAAAAAHsiYSI6MX1QSwMELQAAAAgAAAAhAOBXuKH//////////wwAFABhc3NldHMvYi50eHQBABAAGAAAAAAAAAAHAAAAAAAAAEtKTU3ChgBQSwECLQMtAAAAAAAAACEAr6wbVv//////////CwAUAAAAAAAAAAAAgAEAAAAAY29uZmlnLmpzb24BABAABwAAAAAAAAAHAAAAAAAAAFBLAQItAy0AAAAIAAAAIQDgV7ih//////////8MABwAAAAAAAAAAACAAf////9hc3NldHMvYi50eHQBABgAGAAAAAAAAAAHAAAAAAAAAEQAAAAAAAAAUEsGBiwAAAAAAAAALQAtAAAAAAAAAAAAAgAAAAAAAAACAAAAAAAAAKMAAAAAAAAAiQAAAAAAAABQSwYHAAAAACwBAAAAAAAAAQAAAFBLBQYAAAAAAgACAKMAAACJAAAAAAA=';

/** Appended to a script of ten bytes, with a comment that begins as the end of an archive does. */
const APPENDED =
  'IyEvYmluL3NoClBLAwQUAAAAAAAAACEAr6wbVgcAAAAHAAAACwAAAGNvbmZpZy5qc29ueyJhIjoxfVBLAwQUAAAACAAAACEA4Fe4oQcAAAAYAAAADAAAAGFzc2V0cy9iLnR4dEtKTU3ChgBQSwECFAMUAAAAAAAAACEAr6wbVgcAAAAHAAAACwAAAAAAAAAAAAAAgAEKAAAAY29uZmlnLmpzb25QSwECFAMUAAAACAAAACEA4Fe4oQcAAAAYAAAADAAAAAAAAAAAAAAAgAE6AAAAYXNzZXRzL2IudHh0UEsFBgAAAAACAAIAcwAAAGsAAAAOAFBLBQYgYSBjb21tZW50';

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));

async function contentsOf(bytes: Uint8Array): Promise<Record<string, string>> {
  const archive = await openZip(bytesFile(bytes, 'a.zip'));
  const texts: Record<string, string> = {};
  for (const path of archive.paths) {
    const file = await archive.open(path);
    texts[path] = new TextDecoder().decode(await file?.slice(0, file.byteLength));
  }
  return texts;
}

describe('readZipDirectory', () => {
  const contents = { 'config.json': '{"a":1}', 'assets/b.txt': 'beebeebeebeebeebeebeebee' };

  test('reads ZIP64', async () => {
    expect(await contentsOf(bytesOf(LARGE))).toEqual(contents);
  });

  test('reads an archive behind other bytes and before a comment', async () => {
    expect(await contentsOf(bytesOf(APPENDED))).toEqual(contents);
    const [archive, script] = [bytesOf(LARGE), new TextEncoder().encode('#!/bin/sh\n')];
    expect(await contentsOf(Uint8Array.from([...script, ...archive]))).toEqual(contents);
  });

  test('reads names of the old code page, and of UTF-8', async () => {
    const bytes = bytesOf(APPENDED);
    const record = Buffer.from(bytes).indexOf('PK\x01\x02');
    bytes.set([0x81, 0xe1], record + 46);
    expect((await readZipDirectory(bytesFile(bytes)))[0]?.path).toBe('üßnfig.json');
    bytes[record + 9] = 8;
    bytes.set([0xc3, 0xbc], record + 46);
    expect((await readZipDirectory(bytesFile(bytes)))[0]?.path).toBe('ünfig.json');
  });

  test.each([
    ['large', LARGE],
    ['appended', APPENDED],
  ])('refuses an archive that is cut off anywhere: %s', async (_, base64) => {
    const bytes = bytesOf(base64);
    for (let length = 0; length < bytes.length; length++) {
      await expect(readZipDirectory(bytesFile(bytes.subarray(0, length)))).rejects.toThrow(FormatError);
    }
  });

  test('refuses one of several disks, more members than there are, and a directory longer than the file', async () => {
    const changed = async (place: number, values: readonly number[]): Promise<unknown> => {
      const bytes = bytesOf(APPENDED);
      bytes.set(values, bytes.length - 14 - 22 + place);
      return await readZipDirectory(bytesFile(bytes, 'a.zip')).catch(String);
    };
    expect(await changed(4, [1])).toContain('it is one of several disks');
    expect(await changed(10, [3])).toContain('2 of 3 members were found');
    expect(await changed(12, [0, 0, 1])).toContain('it would begin at byte 107');
    expect(await changed(16, [0, 1])).toContain('it would begin at byte 256');
  });
});
