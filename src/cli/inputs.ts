/** Input files as samples for a model. */
import { decodeNpy, type KerasModel, type PredictInputs, Tensor, tensor } from '../index.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { decodeImage, isImage, type Picture } from './image.ts';
import { expectedRange, imageTensor, type Range } from './image-input.ts';
import { nameOf, readLocation } from './locations.ts';

/** What the model is run on at once, and what it came from. */
export interface Sample {
  readonly name: string;
  readonly inputs: PredictInputs;
  /** Where the input is an image. */
  readonly picture: Picture | undefined;
}

/** One value for one input of the model. */
interface Value {
  readonly tensor: Tensor;
  readonly picture: Picture | undefined;
}

/**
 * Reads the inputs that were named. A model with one input is run on each file in turn; a model with several takes one
 * file for each, in order or as `NAME=FILE`, or a single JSON file with a record by name.
 */
export async function readSamples(
  model: KerasModel,
  locations: readonly string[],
  range: Range | undefined,
): Promise<Sample[]> {
  const chosen = range ?? expectedRange(model);
  if (model.inputs.length === 1) {
    const samples: Sample[] = [];
    for (const location of locations) {
      const { tensor: value, picture } = await readValue(location, model, 0, chosen);
      samples.push({ name: nameOf(location), inputs: value, picture });
    }
    return samples;
  }
  const [only] = locations;
  if (locations.length === 1 && only !== undefined && !only.includes('=')) return [await readRecord(model, only)];
  return [await readTogether(model, locations, chosen)];
}

async function readTogether(model: KerasModel, locations: readonly string[], range: Range): Promise<Sample> {
  const names = model.inputs.map(({ name }) => name);
  const values = new Map<string, Tensor>();
  let picture: Picture | undefined;
  for (const [index, word] of locations.entries()) {
    const [, key, file] = /^([^=/\\]+)=(.+)$/.exec(word) ?? [];
    const position = key !== undefined && names.includes(key) ? names.indexOf(key) : index;
    if (position >= names.length) break;
    const value = await readValue(
      position === index && !names.includes(key ?? '') ? word : (file ?? word),
      model,
      position,
      range,
    );
    values.set(names[position] ?? '', value.tensor);
    picture ??= value.picture;
  }
  if (values.size !== names.length || locations.length !== names.length) {
    throw new CommandError(
      `Cannot run the model: found ${locations.length} inputs, expected ${names.length}: ${names.join(', ')}`,
      EXIT.badInput,
    );
  }
  return { name: locations.map(nameOf).join(', '), inputs: names.map((name) => values.get(name) as Tensor), picture };
}

async function readRecord(model: KerasModel, location: string): Promise<Sample> {
  const json = decodeJsonValue(await readLocation(location), location);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    const names = model.inputs.map(({ name }) => name).join(', ');
    throw new CommandError(`Cannot read "${location}": expected a record with the keys ${names}`, EXIT.badInput);
  }
  return { name: nameOf(location), inputs: json as PredictInputs, picture: undefined };
}

async function readValue(location: string, model: KerasModel, index: number, range: Range): Promise<Value> {
  const bytes = await readLocation(location);
  const expected = model.inputs[index]?.shape ?? [];
  if (isImage(bytes)) {
    const picture = await decodeImage(bytes, location);
    return { tensor: imageTensor(picture, expected, range), picture };
  }
  if (isArray(bytes)) return { tensor: withBatch(decodeArray(bytes, location), expected), picture: undefined };
  const isJson = /^\s*[[{"]/.test(new TextDecoder().decode(bytes.subarray(0, 64)));
  const value = isJson ? decodeJsonTensor(bytes, location) : decodeCsv(bytes, location);
  return { tensor: withBatch(value, expected), picture: undefined };
}

/** A single sample gets a batch of its own; rows of numbers get the shape of the input. */
function withBatch(value: Tensor, expected: readonly (number | null)[]): Tensor {
  const sample = expected.slice(1);
  const reshape = (shape: readonly number[]): Tensor => new Tensor(shape, value.dtype, value.data);
  if (value.shape.length === sample.length) return reshape([1, ...value.shape]);
  const isKnown = sample.every((extent) => extent !== null);
  const size = sample.reduce<number>((product, extent) => product * (extent ?? 1), 1);
  const [rows = 0, columns = 0] = value.shape;
  if (value.shape.length === 2 && sample.length > 1 && isKnown && columns === size) {
    return reshape([rows, ...(sample as number[])]);
  }
  return value;
}

/** Whether bytes are those of an `.npy` file. */
function isArray(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(0, 6)) === '\x93NUMPY';
}

/** An array of NumPy; what is wrong with it is wrong with the input, not with the model. */
function decodeArray(bytes: Uint8Array, location: string): Tensor {
  try {
    return decodeNpy(bytes, location);
  } catch (cause) {
    throw new CommandError((cause as Error).message, EXIT.badInput, cause);
  }
}

function decodeJsonTensor(bytes: Uint8Array, location: string): Tensor {
  const json = decodeJsonValue(bytes, location);
  try {
    return tensor(json as Parameters<typeof tensor>[0]);
  } catch (cause) {
    throw new CommandError(`Cannot read "${location}": ${(cause as Error).message}`, EXIT.badInput, cause);
  }
}

function decodeJsonValue(bytes: Uint8Array, location: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CommandError(
      `Cannot read "${location}": found neither PNG, JPEG, .npy, CSV nor JSON (${(cause as Error).message})`,
      EXIT.badInput,
      cause,
    );
  }
}

/** Rows of numbers, separated by commas, semicolons or tabs; a first row that is not numbers is a header. */
export function decodeCsv(bytes: Uint8Array, location: string): Tensor {
  const lines = new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  const separator = [';', '\t'].find((candidate) => lines[0]?.includes(candidate)) ?? ',';
  const cells = lines.map((line) => line.split(separator).map((cell) => cell.trim()));
  const isNumber = (cell: string): boolean => cell !== '' && !Number.isNaN(Number(cell));
  const rows = cells[0]?.every(isNumber) ? cells : cells.slice(1);
  const width = rows[0]?.length ?? 0;
  for (const [index, row] of rows.entries()) {
    const line = index + 1 + cells.length - rows.length;
    const bad = row.find((cell) => !isNumber(cell));
    if (bad !== undefined || row.length !== width) {
      const found = bad === undefined ? `${row.length} cells` : JSON.stringify(bad.slice(0, 40));
      const expected = bad === undefined ? String(width) : 'a number';
      throw new CommandError(
        `Cannot read "${location}": line ${line} has ${found}, expected ${expected}`,
        EXIT.badInput,
      );
    }
  }
  if (rows.length === 0) throw new CommandError(`Cannot read "${location}": it has no rows of numbers`, EXIT.badInput);
  return new Tensor([rows.length, width], 'float32', Float32Array.from(rows.flat(), Number));
}
