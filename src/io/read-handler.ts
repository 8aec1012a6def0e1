/** Reads what an object with TensorFlow.js' `load()` gives. */
import { bytesFile, type RangedFile } from '../binary/ranged-file.ts';
import { FormatError, UnsupportedError } from '../errors.ts';
import type { JsonObject, JsonValue, ModelArtifacts } from '../formats/artifacts.ts';
import { graphModelRefusal } from '../formats/detect.ts';
import { isJsonObject } from '../formats/json.ts';
import { readLoadedModel } from '../formats/layers-model/read-layers-model.ts';
import type { LoadHandler } from './source.ts';

const HANDLER_NAME = 'the load handler';

/** Reads what a handler of TensorFlow.js gives. Its fields are those of the JSON, with the weights in memory. */
export async function readHandler(handler: LoadHandler): Promise<ModelArtifacts> {
  const loaded = await handler.load();
  const fail = (problem: string): FormatError =>
    new FormatError(`Cannot load from ${HANDLER_NAME}: ${problem}`, { file: HANDLER_NAME });
  if (!isJsonObject(loaded)) throw fail('it gave no object');
  const { weightData, getWeightStream, weightSpecs, modelTopology, ...rest } = loaded as Record<string, unknown>;
  if (modelTopology instanceof ArrayBuffer) throw graphModelRefusal(HANDLER_NAME);
  if (modelTopology === undefined && weightSpecs === undefined) throw fail('it gave neither topology nor weights');
  const json = { ...rest, ...(modelTopology === undefined ? {} : { modelTopology }) } as JsonObject;
  if (json.format === 'graph-model') throw graphModelRefusal(HANDLER_NAME);
  const pieces = await weightPieces(weightData, getWeightStream);
  if (Array.isArray(weightSpecs) && weightSpecs.length > 0 && pieces === undefined)
    throw fail('it gave no weight data');
  return await readLoadedModel(
    { json, weightSpecs: weightSpecs as JsonValue | undefined, weightData: pieces ?? [] },
    HANDLER_NAME,
  );
}

async function weightPieces(data: unknown, getStream: unknown): Promise<RangedFile[] | undefined> {
  const pieces: unknown[] = [];
  if (Array.isArray(data)) pieces.push(...data);
  else if (data !== undefined && data !== null) pieces.push(data);
  else if (typeof getStream === 'function') {
    const reader = ((await getStream()) as ReadableStream<unknown>).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) pieces.push(part.value);
  } else return undefined;
  return pieces.map((piece, index) => {
    const name = `${HANDLER_NAME}, weight data ${index}`;
    if (piece instanceof ArrayBuffer) return bytesFile(piece, name);
    // A view is what it shows, not the buffer that it lies in.
    if (ArrayBuffer.isView(piece)) {
      return bytesFile(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength), name);
    }
    const feature = 'weight data that are no ArrayBuffer';
    throw new UnsupportedError(`Cannot load from ${HANDLER_NAME}: it gave ${feature}`, feature);
  });
}
