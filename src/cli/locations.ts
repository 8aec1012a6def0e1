/** Files that are named on the command line: paths and URLs. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandError, EXIT } from './exit-codes.ts';

export function isUrl(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

/** The last part of a path or URL. */
export function nameOf(location: string): string {
  return isUrl(location) ? basename(new URL(location).pathname) || location : basename(location);
}

/** All bytes of a file. */
export async function readLocation(location: string): Promise<Uint8Array> {
  try {
    if (!isUrl(location)) return await readFile(location);
    const response = await fetch(location);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    const code = (cause as { code?: string }).code;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : (cause as Error).message;
    throw new CommandError(`Cannot read "${location}": ${reason}`, EXIT.notFound, cause);
  }
}

/** The first of the names that exists beside a file or in a folder; nothing beside a URL is looked for. */
export function findBeside(location: string, names: readonly string[]): string | undefined {
  if (isUrl(location)) return undefined;
  const folders = [dirname(location), location];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((file) => existsSync(file));
}
