import type { ByteWriter } from './byte-writer.ts';
import { MESSAGE } from './object-header.ts';
import { writeDataspace } from './write-dataspace.ts';
import { writeDatatype, writeFixedStringType, writeVariableStringType } from './write-datatype.ts';
import type { GlobalHeapWriter } from './write-global-heap.ts';
import type { MessageSpec } from './write-object-header.ts';

/**
 * What an attribute may be: a text (of variable length, in UTF-8), a number (int64 where it is an integer, else float64),
 * or a list of texts (of fixed length, filled up with NUL; an empty one is a list of no float64, as h5py has it).
 */
export type WritableAttribute = string | number | readonly string[];

const encoder = new TextEncoder();

/** The message of an attribute, version 1; see `attribute.ts` for its layout. */
export function attributeMessage(name: string, value: WritableAttribute, heap: GlobalHeapWriter): MessageSpec {
  const { writeType, shape, writeData } = encodeAttribute(value, heap);
  const write = (writer: ByteWriter): void => {
    const nameBytes = encoder.encode(`${name}\0`);
    writer.bytes([1, 0]);
    const sizes = writer.length;
    writer.zeros(6);
    const writePart = (index: number, part: () => void): void => {
      const start = writer.length;
      part();
      writer.setU16(sizes + 2 * index, writer.length - start);
      writer.pad(start);
    };
    writePart(0, () => writer.bytes(nameBytes));
    writePart(1, () => writeType(writer));
    writePart(2, () => writeDataspace(writer, shape));
    writeData(writer);
  };
  return { type: MESSAGE.attribute, what: `the attribute "${name}"`, write };
}

interface EncodedAttribute {
  readonly writeType: (writer: ByteWriter) => void;
  readonly shape: readonly number[];
  readonly writeData: (writer: ByteWriter) => void;
}

function encodeAttribute(value: WritableAttribute, heap: GlobalHeapWriter): EncodedAttribute {
  if (typeof value === 'string') return encodeText(value, heap);
  if (typeof value === 'number') {
    const isInteger = Number.isSafeInteger(value);
    return {
      writeType: (writer) => writeDatatype(writer, isInteger ? 'int64' : 'float64'),
      shape: [],
      writeData: (writer) => (isInteger ? writer.i64(value) : writer.f64(value)),
    };
  }
  if (value.length === 0) {
    return { writeType: (writer) => writeDatatype(writer, 'float64'), shape: [0], writeData: () => {} };
  }
  const texts = value.map((text) => encoder.encode(text));
  const byteLength = Math.max(1, ...texts.map((text) => text.byteLength));
  return {
    writeType: (writer) => writeFixedStringType(writer, byteLength),
    shape: [texts.length],
    writeData: (writer) => {
      for (const text of texts) {
        writer.bytes(text);
        writer.zeros(byteLength - text.byteLength);
      }
    },
  };
}

/** A text in the global heap: its length, the address of the collection, its index there. */
function encodeText(text: string, heap: GlobalHeapWriter): EncodedAttribute {
  const bytes = encoder.encode(text);
  return {
    writeType: writeVariableStringType,
    shape: [],
    writeData: (writer) => {
      writer.u32(bytes.byteLength);
      if (bytes.byteLength === 0) {
        writer.zeros(12);
        return;
      }
      const { collection, index } = heap.add(bytes);
      writer.address(collection);
      writer.u32(index);
    },
  };
}
