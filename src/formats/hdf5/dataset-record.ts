import type { StorageDtype } from '../../array/dtype.ts';
import { AttributeTable } from './attribute-table.ts';
import type { ByteReader } from './byte-reader.ts';
import { decodeDataspace } from './dataspace.ts';
import { type Datatype, decodeDatatype } from './datatype.ts';
import { decodeFillValue, decodeOldFillValue } from './fill-value.ts';
import { decodeFilterPipeline, type Filter } from './filter-pipeline.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { decodeLayout, type Layout } from './layout.ts';
import { MESSAGE, type Message } from './object-header.ts';
import { resolveMessage } from './shared-message.ts';

/** Element types of datasets; `opaque` are bytes that HDF5 does not explain. */
export type Hdf5Dtype = Exclude<StorageDtype, 'complex64'> | 'opaque';

/** Everything a header says about a dataset. */
export interface DatasetRecord {
  readonly file: Hdf5File;
  readonly path: string;
  readonly address: number;
  readonly shape: readonly number[];
  /** The shape to which the dataset may grow, which numbers its chunks; `undefined` where unlimited. */
  readonly maxShape: readonly (number | undefined)[];
  readonly dtype: Hdf5Dtype;
  readonly datatype: Exclude<Datatype, { kind: 'array' | 'unsupported' }>;
  /** Bytes of one element of the dataspace: several of `datatype` where the elements are arrays. */
  readonly cellBytes: number;
  readonly cellCount: number;
  readonly spaceShape: readonly number[];
  readonly layout: Layout;
  readonly filters: readonly Filter[];
  readonly fillValue: Uint8Array | undefined;
  readonly attributes: AttributeTable;
}

/**
 * Decodes the header of a dataset from its messages.
 *
 * @throws {UnsupportedError} when its data lie in another file, or its datatype is none that models have.
 */
export async function readDatasetRecord(
  file: Hdf5File,
  path: string,
  address: number,
  messages: readonly Message[],
): Promise<DatasetRecord> {
  // Waited for one by one they would cost a turn each, and nearly all are in place.
  const bodies = new Map<number, ByteReader>();
  for (const message of messages) {
    if (bodies.has(message.type) || message.type === MESSAGE.attribute) continue;
    const body = resolveMessage(file, message);
    bodies.set(message.type, body instanceof Promise ? await body : body);
  }
  const what = `dataset "${path}"`;
  if (bodies.has(MESSAGE.externalFiles)) {
    throw file.unsupported('external storage', path, 're-save it with the data inside');
  }
  const dataspaceMessage = bodies.get(MESSAGE.dataspace);
  const datatypeMessage = bodies.get(MESSAGE.datatype);
  const layoutMessage = bodies.get(MESSAGE.layout);
  if (dataspaceMessage === undefined || datatypeMessage === undefined || layoutMessage === undefined) {
    throw file.fail(`the header of the ${what} is incomplete`, file.baseOffset + address);
  }
  const dataspace = decodeDataspace(dataspaceMessage);
  const stored = decodeDatatype(datatypeMessage);
  const layout = decodeLayout(layoutMessage);
  if (layout.kind === 'virtual') throw file.unsupported('a virtual layout', path, 're-save it with the data copied');
  const filterMessage = bodies.get(MESSAGE.filterPipeline);
  const filters = filterMessage === undefined ? [] : decodeFilterPipeline(filterMessage);
  const fillMessage = bodies.get(MESSAGE.fillValue);
  const oldFillMessage = bodies.get(MESSAGE.oldFillValue);
  const fillValue = fillMessage ? decodeFillValue(fillMessage) : oldFillMessage && decodeOldFillValue(oldFillMessage);

  let datatype = stored;
  const shape = [...dataspace.shape];
  // NumPy, too, turns the axes of array elements into axes of the dataset.
  for (; datatype.kind === 'array'; datatype = datatype.of) shape.push(...datatype.shape);
  if (datatype.kind === 'unsupported') throw file.unsupported(datatype.feature, path);
  if (!Number.isSafeInteger(dataspace.elementCount * stored.byteLength)) {
    throw file.fail(`the ${what} claims an impossible size`, file.baseOffset + address);
  }
  if (fillValue !== undefined && fillValue.byteLength !== stored.byteLength) {
    throw file.fail(`the fill value of the ${what} takes ${fillValue.byteLength} bytes`, file.baseOffset + address);
  }
  if (layout.kind === 'chunked') checkChunkFits(file, what, layout, dataspace.shape.length, stored.byteLength);
  const attributes = new AttributeTable(file, messages, path);
  return {
    file,
    path,
    address,
    shape,
    maxShape: dataspace.maxShape,
    dtype: await dtypeOf(datatype, attributes),
    datatype,
    cellBytes: stored.byteLength,
    cellCount: dataspace.elementCount,
    spaceShape: dataspace.shape,
    layout,
    filters,
    fillValue,
    attributes,
  };
}

function checkChunkFits(
  file: Hdf5File,
  what: string,
  layout: Layout & { kind: 'chunked' },
  rank: number,
  cellBytes: number,
): void {
  if (layout.chunkShape.length === rank && layout.elementBytes === cellBytes) return;
  const found = `chunks of rank ${layout.chunkShape.length} with elements of ${layout.elementBytes} bytes`;
  throw file.fail(`the ${what} has ${found}, expected rank ${rank} and ${cellBytes} bytes`);
}

async function dtypeOf(datatype: DatasetRecord['datatype'], attributes: AttributeTable): Promise<Hdf5Dtype> {
  switch (datatype.kind) {
    case 'numeric':
      return datatype.dtype;
    case 'opaque':
      // h5py stores the bfloat16 of ml_dtypes as two opaque bytes; Keras notes what they are.
      return datatype.byteLength === 2 && (await attributes.value('dtype')) === 'bfloat16' ? 'bfloat16' : 'opaque';
    default:
      return 'string';
  }
}
