/** Keras' initializers: how a new weight is filled. Random ones draw from Philox, one stream for each weight. */
import { zeroData } from '../array/dtype.ts';
import { freshSeed, PhiloxStream } from '../array/philox.ts';
import { formatShape, type Shape, sizeOf } from '../array/shape.ts';
import { Tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';
import type { VariableDtype } from '../graph/variable.ts';
import { classNameOf, fillConfig, type KerasObject } from './keras-object.ts';
import { orthonormalize } from './orthogonal.ts';
import { windowFunction } from './window-functions.ts';

/** Fills a new weight. */
export interface Initializer extends KerasObject {
  readonly role: 'initializer';
  readonly initialize: (shape: Shape, dtype: VariableDtype) => Tensor;
}

/**
 * An initializer by class name and configuration, or `undefined` when there is none of that name.
 *
 * With a `seed` it gives the same numbers each time; without one, other numbers each time.
 *
 * @throws {TypeError} when the configuration has an unknown key or a value that the class cannot have.
 */
export function createInitializer(
  className: string,
  config: Readonly<Record<string, unknown>> = {},
): Initializer | undefined {
  const name = Object.hasOwn(ALIASES, className) ? (ALIASES[className] as string) : className;
  const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  if (rule === undefined) return undefined;
  const filled = fillConfig(name, rule.defaults, config);
  for (const [key, value] of Object.entries(filled)) checkOption(name, key, value);
  const initialize = (shape: Shape, dtype: VariableDtype): Tensor => {
    const data = zeroData(dtype, sizeOf(shape));
    rule.fill(data, shape, filled);
    return new Tensor(shape, dtype, data);
  };
  return { role: 'initializer', className: name, config: filled, initialize };
}

/** An initializer from a name such as `glorot_uniform`, or one that exists already. */
export function resolveInitializer(value: unknown): Initializer | undefined {
  if (typeof value === 'string') return createInitializer(classNameOf(value));
  return (value as Partial<Initializer> | undefined)?.role === 'initializer' ? (value as Initializer) : undefined;
}

type Config = Readonly<Record<string, unknown>>;
type Elements = Float32Array | Int32Array | Uint8Array;

interface Rule {
  readonly defaults: Config;
  readonly fill: (data: Elements, shape: Shape, config: Config) => void;
}

/** Other spellings of classes: Keras' short names, names of older versions, and TensorFlow.js' own. */
const ALIASES: Readonly<Record<string, string>> = {
  Zero: 'Zeros',
  One: 'Ones',
  Uniform: 'RandomUniform',
  Normal: 'RandomNormal',
  OrthogonalInitializer: 'Orthogonal',
  IdentityInitializer: 'Identity',
  STFTInitializer: 'STFT',
  Stft: 'STFT',
  LeCunNormal: 'LecunNormal',
  LeCunUniform: 'LecunUniform',
};

type Mode = 'fan_in' | 'fan_out' | 'fan_avg';
type Distribution = 'truncated_normal' | 'untruncated_normal' | 'uniform';

const FANS: Config = { seed: null, inputAxes: null, outputAxes: null };

const RULES: Readonly<Record<string, Rule>> = {
  Zeros: { defaults: {}, fill: () => {} },
  Ones: { defaults: {}, fill: (data) => data.fill(1) },
  Constant: { defaults: { value: 0 }, fill: (data, _, { value }) => fillConstant(data, value) },
  RandomUniform: {
    defaults: { seed: null, minval: -0.05, maxval: 0.05 },
    fill: (data, _, config) => fillUniform(data, config, config.minval as number, config.maxval as number),
  },
  RandomNormal: {
    defaults: { seed: null, mean: 0, stddev: 0.05 },
    fill: (data, _, config) => fillNormal(data, config, config.mean as number, config.stddev as number),
  },
  TruncatedNormal: {
    defaults: { seed: null, mean: 0, stddev: 0.05 },
    fill: (data, _, config) => fillTruncated(data, config, config.mean as number, config.stddev as number),
  },
  VarianceScaling: {
    defaults: { ...FANS, scale: 1, mode: 'fan_in', distribution: 'truncated_normal' },
    fill: (data, shape, config) => {
      const { scale, mode, distribution } = config as { scale: number; mode: Mode; distribution: string };
      fillScaled(data, shape, config, scale, mode, normalized(distribution));
    },
  },
  GlorotUniform: scaled(1, 'fan_avg', 'uniform'),
  GlorotNormal: scaled(1, 'fan_avg', 'truncated_normal'),
  HeUniform: scaled(2, 'fan_in', 'uniform'),
  HeNormal: scaled(2, 'fan_in', 'truncated_normal'),
  LecunUniform: scaled(1, 'fan_in', 'uniform'),
  LecunNormal: scaled(1, 'fan_in', 'truncated_normal'),
  Orthogonal: { defaults: { seed: null, gain: 1 }, fill: fillOrthogonal },
  Identity: { defaults: { gain: 1 }, fill: fillIdentity },
  STFT: { defaults: { side: 'real', window: 'hann', scaling: 'density', periodic: false }, fill: fillFourier },
};

function scaled(scale: number, mode: Mode, distribution: Distribution): Rule {
  return { defaults: FANS, fill: (data, shape, config) => fillScaled(data, shape, config, scale, mode, distribution) };
}

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isAxes = (value: unknown): boolean =>
  value === null || (Array.isArray(value) && value.every((axis) => Number.isInteger(axis)));

/** What the options may be. A key means the same in every class that has it. */
const CHECKS: Readonly<Record<string, { readonly expected: string; readonly fits: (value: unknown) => boolean }>> = {
  seed: { expected: 'an integer or null', fits: (value) => value === null || seedOf(value) !== undefined },
  value: { expected: 'a number or nested numbers', fits: (value) => flatNumbers(value) !== undefined },
  minval: { expected: 'a number', fits: isNumber },
  maxval: { expected: 'a number', fits: isNumber },
  mean: { expected: 'a number', fits: isNumber },
  stddev: { expected: 'a number', fits: isNumber },
  gain: { expected: 'a number', fits: isNumber },
  scale: { expected: 'a number above 0', fits: (value) => typeof value === 'number' && value > 0 },
  mode: {
    expected: '"fan_in", "fan_out" or "fan_avg"',
    fits: (value) => value === 'fan_in' || value === 'fan_out' || value === 'fan_avg',
  },
  distribution: {
    expected: '"truncated_normal", "untruncated_normal" or "uniform"',
    fits: (value) =>
      typeof value === 'string' &&
      ['uniform', 'truncated_normal', 'untruncated_normal'].includes(normalized(value) as string),
  },
  inputAxes: { expected: 'a list of axes or null', fits: isAxes },
  outputAxes: { expected: 'a list of axes or null', fits: isAxes },
  side: { expected: '"real" or "imag"', fits: (value) => value === 'real' || value === 'imag' },
  window: {
    expected: 'the name of a window, its values, or null',
    fits: (value) => value === null || typeof value === 'string' || flatNumbers(value) !== undefined,
  },
  scaling: {
    expected: '"density", "spectrum" or null',
    fits: (value) => value === null || value === 'density' || value === 'spectrum',
  },
  periodic: { expected: 'true or false', fits: (value) => typeof value === 'boolean' },
};

function checkOption(className: string, key: string, value: unknown): void {
  const check = CHECKS[key];
  if (check === undefined || check.fits(value)) return;
  throw new TypeError(
    `Cannot create ${className}: option "${key}" is ${JSON.stringify(value)}, expected ${check.expected}`,
  );
}

/** `normal` is how older versions called `truncated_normal`. */
function normalized(distribution: string): Distribution {
  const lower = distribution.toLowerCase();
  return (lower === 'normal' ? 'truncated_normal' : lower) as Distribution;
}

/** The seed itself, or that of a serialized `SeedGenerator`. */
function seedOf(value: unknown): number | undefined {
  if (Number.isSafeInteger(value)) return value as number;
  const seed = (value as { config?: { seed?: unknown } } | null)?.config?.seed;
  return Number.isSafeInteger(seed) ? (seed as number) : undefined;
}

function streamOf({ seed }: Config): PhiloxStream {
  return new PhiloxStream(seedOf(seed) ?? freshSeed());
}

function flatNumbers(value: unknown): number[] | undefined {
  const flat: unknown[] = [value].flat(Number.POSITIVE_INFINITY);
  return flat.every((element) => typeof element === 'number') ? (flat as number[]) : undefined;
}

/** A list of values must have as many elements as the weight; one value fills all. */
function fillConstant(data: Elements, value: unknown): void {
  const values = flatNumbers(value) ?? [];
  if (values.length === 1) data.fill(values[0] as number);
  else if (values.length === data.length) data.set(values);
  else {
    throw new ShapeError(`Cannot initialize a weight: found ${values.length} values, expected 1 or ${data.length}`);
  }
}

function fillUniform(data: Elements, config: Config, low: number, high: number): void {
  const stream = streamOf(config);
  for (let index = 0; index < data.length; index++) data[index] = low + (high - low) * stream.nextUniform();
}

function fillNormal(data: Elements, config: Config, mean: number, deviation: number): void {
  const stream = streamOf(config);
  for (let index = 0; index < data.length; index++) data[index] = mean + deviation * stream.nextNormal();
}

function fillTruncated(data: Elements, config: Config, mean: number, deviation: number): void {
  const stream = streamOf(config);
  for (let index = 0; index < data.length; index++) data[index] = mean + deviation * stream.nextTruncatedNormal();
}

/** Deviation of a standard normal distribution that is cut at two deviations. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

function fillScaled(
  data: Elements,
  shape: Shape,
  config: Config,
  scale: number,
  mode: Mode,
  distribution: Distribution,
): void {
  const { inputAxes, outputAxes } = config as { inputAxes: number[] | null; outputAxes: number[] | null };
  const [fanIn, fanOut] = computeFans(shape, inputAxes, outputAxes);
  const fan = mode === 'fan_in' ? fanIn : mode === 'fan_out' ? fanOut : (fanIn + fanOut) / 2;
  const variance = scale / Math.max(1, fan);
  if (distribution === 'uniform') {
    const limit = Math.sqrt(3 * variance);
    fillUniform(data, config, -limit, limit);
  } else if (distribution === 'untruncated_normal') {
    fillNormal(data, config, 0, Math.sqrt(variance));
  } else {
    fillTruncated(data, config, 0, Math.sqrt(variance) / TRUNCATED_DEVIATION);
  }
}

/**
 * Numbers of inputs and outputs that a weight of this shape connects: the products over the axes where they are given,
 * else those of a matrix, or of a convolution kernel `[…spatial, in, out]`.
 */
export function computeFans(
  shape: Shape,
  inputAxes: readonly number[] | null = null,
  outputAxes: readonly number[] | null = null,
): readonly [fanIn: number, fanOut: number] {
  if (inputAxes !== null && outputAxes !== null) {
    return [
      sizeOf(inputAxes.map((axis) => shape.at(axis) ?? 1)),
      sizeOf(outputAxes.map((axis) => shape.at(axis) ?? 1)),
    ];
  }
  const out = shape.at(-1) ?? 1;
  if (shape.length < 2) return [out, out];
  const receptive = sizeOf(shape.slice(0, -2));
  return [(shape.at(-2) as number) * receptive, out * receptive];
}

/** Orthonormal columns of the weight seen as a matrix `[…, columns]`, or rows when it has fewer of them. */
function fillOrthogonal(data: Elements, shape: Shape, config: Config): void {
  if (shape.length < 2) {
    throw new ShapeError(
      `Cannot initialize a weight as orthogonal: found shape ${formatShape(shape)}, expected 2 axes`,
    );
  }
  const columns = shape.at(-1) as number;
  const rows = sizeOf(shape.slice(0, -1));
  const [tall, narrow] = [Math.max(rows, columns), Math.min(rows, columns)];
  const stream = streamOf(config);
  const basis = orthonormalize(
    Array.from({ length: narrow }, () => Float64Array.from({ length: tall }, () => stream.nextNormal())),
  );
  const gain = config.gain as number;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [vector, element] = rows < columns ? [row, column] : [column, row];
      data[row * columns + column] = gain * ((basis[vector] as Float64Array)[element] as number);
    }
  }
}

function fillIdentity(data: Elements, shape: Shape, { gain }: Config): void {
  if (shape.length !== 2) {
    throw new ShapeError(`Cannot initialize a weight as identity: found shape ${formatShape(shape)}, expected 2 axes`);
  }
  const [rows, columns] = shape as [number, number];
  for (let index = 0; index < Math.min(rows, columns); index++) data[index * (columns + 1)] = gain as number;
}

/** A kernel `[frame, 1, frequencies]` of which a convolution gives one side of the Fourier transform of each frame. */
function fillFourier(data: Elements, shape: Shape, { side, window, scaling, periodic }: Config): void {
  if (shape.length !== 3) {
    throw new ShapeError(`Cannot initialize a weight for STFT: found shape ${formatShape(shape)}, expected 3 axes`);
  }
  const [frame, channels, frequencies] = shape as [number, number, number];
  const values = typeof window === 'string' ? windowFunction(window, frame, periodic as boolean) : flatNumbers(window);
  if (window !== null && values?.length !== frame) {
    throw new ShapeError(
      `Cannot initialize a weight for STFT: found ${values?.length} window values, expected ${frame}`,
    );
  }
  const weights = window === null ? new Float64Array(frame).fill(1) : Float64Array.from(values ?? []);
  const norm =
    window === null || scaling === null
      ? 1
      : scaling === 'density'
        ? Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0))
        : weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
  const wave = side === 'real' ? Math.cos : Math.sin;
  const period = (frequencies - 1) * 2;
  for (let index = 0; index < data.length; index++) {
    const time = Math.floor(index / (channels * frequencies));
    // The phase is reduced while it is a whole number, so that long frames lose no precision.
    const phase = (time * (index % frequencies)) % period;
    data[index] = (wave((-2 * Math.PI * phase) / period) * (weights[time] as number)) / norm;
  }
}
