import { type ByteReader, decodeUtf8 } from './byte-reader.ts';

/** A name in a group, and what it stands for. Only hard links are followed. */
export type Link =
  | {
      readonly name: string;
      readonly kind: 'hard';
      readonly address: number;
      /** Whether the object is a group, where the link says so. */
      readonly isGroup?: boolean;
    }
  | { readonly name: string; readonly kind: 'soft' | 'external' | 'user-defined' };

const TYPE_HARD = 0;
const TYPE_SOFT = 1;
const TYPE_EXTERNAL = 64;

/**
 * Decodes a link message.
 *
 *   0  1  version
 *   1  1  flags        1 and 2: width of the name's length; 4: creation order, 8: type, 16: character set are there
 *   …  1  type         0 hard (the default), 1 soft, 64 external, others user-defined
 *   …  8  creation order
 *   …  1  character set
 *   …  …  length of the name, name
 *   …  O  address of the object header, for a hard link
 */
export function decodeLink(reader: ByteReader): Link {
  reader.expectVersion(1);
  const flags = reader.u8();
  const type = (flags & 8) === 0 ? TYPE_HARD : reader.u8();
  if ((flags & 4) !== 0) reader.skip(8);
  if ((flags & 16) !== 0) reader.skip(1);
  const name = decodeUtf8(reader.take(reader.uint(1 << (flags & 3))));
  switch (type) {
    case TYPE_HARD:
      return { name, kind: 'hard', address: reader.definedAddress(`object "${name}"`) };
    case TYPE_SOFT:
      return { name, kind: 'soft' };
    case TYPE_EXTERNAL:
      return { name, kind: 'external' };
    default:
      return { name, kind: 'user-defined' };
  }
}
