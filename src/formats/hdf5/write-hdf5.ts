/**
 * Writes HDF5 files of the oldest kind, which everything reads: superblock 0, symbol tables, object headers of version 1,
 * contiguous data. The counterpart of `open-hdf5.ts`.
 *
 * All metadata come first, then the data in order, so that a reader of a remote file has the former after one request.
 * The same tree gives the same bytes.
 */

import { bytesPerElement } from '../../array/dtype.ts';
import { type Shape, sizeOf } from '../../array/shape.ts';
import type { ByteSink, WritableFile } from '../../binary/byte-sink.ts';
import { FormatError } from '../../errors.ts';
import { Address, ByteWriter } from './byte-writer.ts';
import { MESSAGE } from './object-header.ts';
import { attributeMessage, type WritableAttribute } from './write-attribute.ts';
import { writeDataspace } from './write-dataspace.ts';
import { type WritableDtype, writeDatatype } from './write-datatype.ts';
import { GlobalHeapWriter } from './write-global-heap.ts';
import { type MessageSpec, writeObjectHeader } from './write-object-header.ts';
import { writeSuperblock } from './write-superblock.ts';
import { type Member, writeSymbolTable } from './write-symbol-table.ts';

export type Attributes = Readonly<Record<string, WritableAttribute>>;

export interface GroupSpec {
  readonly kind: 'group';
  readonly attributes: Attributes;
  /** What several names lead to is written once, with a hard link for each name. */
  readonly members: ReadonlyMap<string, GroupSpec | DatasetSpec>;
}

export interface DatasetSpec {
  readonly kind: 'dataset';
  readonly attributes: Attributes;
  readonly dtype: WritableDtype;
  readonly shape: Shape;
  /** Gives the little-endian bytes of the elements, when their turn comes and not before. */
  readonly read: () => Uint8Array | Promise<Uint8Array>;
}

/** Data begin at multiples of this, so that a reader may view them in place. */
const DATA_ALIGNMENT = 8;

/**
 * Lays out a file.
 *
 * @throws {FormatError} when a name or an attribute is none that HDF5 can hold.
 */
export function writeHdf5(root: GroupSpec): WritableFile {
  const layout = new FileLayout(root);
  return { byteLength: layout.byteLength, writeTo: async (sink) => await layout.writeTo(sink) };
}

interface PlacedDataset {
  readonly path: string;
  readonly spec: DatasetSpec;
  readonly address: Address;
  readonly byteLength: number;
}

class FileLayout {
  readonly byteLength: number;
  readonly #metadata: Uint8Array;
  readonly #datasets: PlacedDataset[] = [];
  readonly #headers = new Map<GroupSpec | DatasetSpec, Address>();
  readonly #heap = new GlobalHeapWriter();

  constructor(root: GroupSpec) {
    const writer = new ByteWriter();
    const rootAddresses = { header: new Address(), tree: new Address(), heap: new Address() };
    const endOfFile = new Address();
    writeSuperblock(writer, rootAddresses, endOfFile);
    this.#writeGroup(writer, root, '', rootAddresses);
    this.#heap.write(writer);
    let position = writer.length;
    for (const { address, byteLength } of this.#datasets) {
      position = Math.ceil(position / DATA_ALIGNMENT) * DATA_ALIGNMENT;
      address.value = position;
      position += byteLength;
    }
    endOfFile.value = position;
    this.byteLength = position;
    this.#metadata = writer.finish();
  }

  async writeTo(sink: ByteSink): Promise<void> {
    await sink.write(this.#metadata);
    let position = this.#metadata.byteLength;
    for (const { path, spec, address, byteLength } of this.#datasets) {
      const start = address.value as number;
      if (start > position) await sink.write(new Uint8Array(start - position));
      const bytes = await spec.read();
      if (bytes.byteLength !== byteLength) {
        throw new FormatError(`Cannot write "${path}": found ${bytes.byteLength} bytes, expected ${byteLength}`);
      }
      await sink.write(bytes);
      position = start + byteLength;
    }
  }

  #writeGroup(
    writer: ByteWriter,
    group: GroupSpec,
    path: string,
    own: { readonly header: Address; readonly tree: Address; readonly heap: Address },
  ): void {
    if (own.header.value !== undefined) return;
    writer.place(own.header);
    const writeTable = (): void => {
      writer.address(own.tree);
      writer.address(own.heap);
    };
    const table = { type: MESSAGE.symbolTable, what: 'the symbol table', write: writeTable };
    writeObjectHeader(writer, [table, ...this.#attributes(group.attributes)]);
    const members = sortedMembers(group, path, this.#headers);
    writeSymbolTable(
      writer,
      members.map(({ member }) => member),
      own.tree,
      own.heap,
    );
    for (const { member, name, spec } of members) {
      const below = `${path}/${name}`;
      const addresses = { header: member.header, tree: new Address(), heap: new Address() };
      if (spec.kind === 'group') this.#writeGroup(writer, spec, below, addresses);
      else this.#writeDataset(writer, spec, below, member.header);
    }
  }

  #writeDataset(writer: ByteWriter, spec: DatasetSpec, path: string, header: Address): void {
    const { dtype, shape, attributes } = spec;
    if (header.value !== undefined) return;
    const byteLength = sizeOf(shape) * bytesPerElement(dtype);
    if (!Number.isSafeInteger(byteLength))
      throw new FormatError(`Cannot write "${path}": it takes ${byteLength} bytes`);
    const address = new Address();
    if (byteLength > 0) this.#datasets.push({ path, spec, address, byteLength });
    writer.place(header);
    const marked = dtype === 'bfloat16' ? { ...attributes, dtype: 'bfloat16' } : attributes;
    writeObjectHeader(writer, [
      { type: MESSAGE.dataspace, what: 'the shape', write: () => writeDataspace(writer, shape) },
      { type: MESSAGE.datatype, what: 'the datatype', isConstant: true, write: () => writeDatatype(writer, dtype) },
      // Version 2: space is taken late, a value is written if the user sets one, and the default is zero.
      { type: MESSAGE.fillValue, what: 'the fill value', isConstant: true, write: () => writer.bytes(FILL_VALUE) },
      {
        type: MESSAGE.layout,
        what: 'the layout',
        write: () => {
          writer.bytes([3, 1]);
          if (byteLength > 0) writer.address(address);
          else writer.undefinedAddress();
          writer.u64(byteLength);
        },
      },
      ...this.#attributes(marked),
    ]);
  }

  #attributes(attributes: Attributes): MessageSpec[] {
    return Object.entries(attributes).map(([name, value]) => attributeMessage(name, value, this.#heap));
  }
}

const FILL_VALUE = [2, 2, 2, 1, 0, 0, 0, 0] as const;

interface NamedMember {
  readonly name: string;
  readonly spec: GroupSpec | DatasetSpec;
  readonly member: Member;
}

/** Members by the bytes of their names, as the B-tree wants them; an object has one header under all its names. */
function sortedMembers(group: GroupSpec, path: string, headers: Map<GroupSpec | DatasetSpec, Address>): NamedMember[] {
  const encoder = new TextEncoder();
  const members = [...group.members].map(([name, spec]): NamedMember => {
    if (name === '' || name === '.' || /[/\0]/.test(name)) {
      throw new FormatError(
        `Cannot write HDF5: found the name ${JSON.stringify(name)} in "${path}/", expected one without "/" and NUL`,
      );
    }
    const header = headers.get(spec) ?? new Address();
    headers.set(spec, header);
    return { name, spec, member: { name: encoder.encode(name), header } };
  });
  return members.sort((a, b) => compareBytes(a.member.name, b.member.name));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.byteLength, b.byteLength);
  for (let index = 0; index < length; index++) {
    const difference = (a[index] as number) - (b[index] as number);
    if (difference !== 0) return difference;
  }
  return a.byteLength - b.byteLength;
}
