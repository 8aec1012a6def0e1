import { type ByteReader, decodeUtf8 } from './byte-reader.ts';
import { type Dataspace, decodeDataspace } from './dataspace.ts';
import { type Datatype, decodeDatatype } from './datatype.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { MESSAGE } from './object-header.ts';
import { readSharedMessage } from './shared-message.ts';

/** An attribute before its value is decoded. */
export interface Attribute {
  readonly name: string;
  readonly datatype: Datatype;
  readonly dataspace: Dataspace;
  /** The elements as stored. */
  readonly data: ByteReader;
}

const FLAG_SHARED_DATATYPE = 1;
const FLAG_SHARED_DATASPACE = 2;

/**
 * Reads an attribute message.
 *
 *   0  1  version
 *   1  1  flags (versions 2 and 3)     1: datatype is shared, 2: dataspace is shared
 *   2  2  bytes of the name, with its NUL
 *   4  2  bytes of the datatype
 *   6  2  bytes of the dataspace
 *   8  1  character set of the name (version 3)
 *   …  …  name, datatype, dataspace; each padded to a multiple of 8 in version 1
 *   …  …  data
 */
export async function readAttribute(file: Hdf5File, reader: ByteReader): Promise<Attribute> {
  const version = reader.u8();
  if (version < 1 || version > 3) throw reader.fail(`attribute version ${version} is unknown`);
  const flagsOrReserved = reader.u8();
  const flags = version === 1 ? 0 : flagsOrReserved;
  const nameBytes = reader.u16();
  const datatypeBytes = reader.u16();
  const dataspaceBytes = reader.u16();
  if (version === 3) reader.skip(1);

  const rawName = reader.take(nameBytes);
  const name = decodeUtf8(rawName.at(-1) === 0 ? rawName.subarray(0, -1) : rawName);
  if (version === 1) reader.skipPadding(nameBytes);
  const datatypePart = reader.part(datatypeBytes, `datatype of the attribute "${name}"`);
  if (version === 1) reader.skipPadding(datatypeBytes);
  const dataspacePart = reader.part(dataspaceBytes, `dataspace of the attribute "${name}"`);
  if (version === 1) reader.skipPadding(dataspaceBytes);
  const data = reader.part(reader.remaining, `attribute "${name}"`);

  const isSharedDatatype = (flags & FLAG_SHARED_DATATYPE) !== 0;
  const isSharedDataspace = (flags & FLAG_SHARED_DATASPACE) !== 0;
  const datatype = isSharedDatatype ? await readSharedMessage(file, datatypePart, MESSAGE.datatype) : datatypePart;
  const dataspace = isSharedDataspace ? await readSharedMessage(file, dataspacePart, MESSAGE.dataspace) : dataspacePart;
  return { name, datatype: decodeDatatype(datatype), dataspace: decodeDataspace(dataspace), data };
}
