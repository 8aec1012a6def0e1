import type { ByteReader } from './byte-reader.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { type Message, readObjectHeader } from './object-header.ts';

/**
 * The body of a message that is stored in the header of another object, as a committed datatype is.
 *
 *   version 1                      versions 2 and 3
 *   0   1  version                 0  1  version
 *   1   7  type, reserved          1  1  type
 *   8   L  unused                  2  O  address of the other header
 *   …   O  address
 */
export async function readSharedMessage(file: Hdf5File, pointer: ByteReader, type: number): Promise<ByteReader> {
  const version = pointer.u8();
  if (version < 1 || version > 3) throw pointer.fail(`shared message version ${version} is unknown`);
  const kind = pointer.u8();
  if (version === 1) pointer.skip(6 + file.lengthBytes);
  if (version === 3 && kind === 1) throw file.unsupported('a table of shared messages', '/', 're-save it with h5py');
  const address = pointer.definedAddress('shared message');
  const messages = await readObjectHeader(file, address);
  const message = messages.find((candidate) => candidate.type === type);
  if (message === undefined) throw pointer.fail('the object header pointed to lacks the shared message');
  if (message.isShared) throw message.body.fail('a shared message is shared again');
  return message.body;
}

/** The body of a message, wherever it is; at once where it is in place, as nearly all are. */
export function resolveMessage(file: Hdf5File, message: Message): ByteReader | Promise<ByteReader> {
  message.body.position = 0;
  return message.isShared ? readSharedMessage(file, message.body, message.type) : message.body;
}
