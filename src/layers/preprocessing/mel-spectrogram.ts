import { Tensor, tensor } from '../../array/tensor.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { conv } from '../../ops/convolution.ts';
import { add, log10, maximum, multiply, power, sqrt, square, subtract } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { toFloat } from '../../ops/operand.ts';
import { pad } from '../../ops/padding.ts';
import { max } from '../../ops/reduce.ts';
import { between, expandDims, squeeze, swapaxes } from '../../ops/shape.ts';
import { tableLength } from '../../ops/table-length.ts';
import { boolean, type Fields, nullable, number, type Options, positiveInteger } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { windowFunction } from '../window-functions.ts';
import { type Window, windowField } from './stft-spectrogram.ts';

export interface MelSpectrogramConfig extends LayerConfig {
  fftLength: number;
  sequenceStride: number;
  /** Length of a frame; by default that of the transform. */
  sequenceLength: number | null;
  window: Window;
  samplingRate: number;
  numMelBins: number;
  minFreq: number;
  /** By default half of the sampling rate. */
  maxFreq: number | null;
  powerToDb: boolean;
  /** Decibels below the loudest of all, at which everything else is cut. */
  topDb: number;
  magExp: number;
  minPower: number;
  refPower: number;
}

/** The waves and filters of a configuration, which every trace uses. */
interface Filters {
  readonly cosines: Tensor;
  readonly sines: Tensor;
  readonly mel: Tensor;
}

/** The loudness of frequency bands over time: `[batch, time]` to `[batch, bands, frames]`, in decibels by default. */
export class MelSpectrogram extends Layer<MelSpectrogramConfig> {
  static readonly className = 'MelSpectrogram';
  static readonly fields: Fields<MelSpectrogramConfig> = {
    ...layerFields,
    fftLength: positiveInteger(2048),
    sequenceStride: positiveInteger(512),
    sequenceLength: nullable(positiveInteger()),
    window: windowField(),
    samplingRate: number(16000),
    numMelBins: positiveInteger(128),
    minFreq: number(20),
    maxFreq: nullable(number()),
    powerToDb: boolean(true),
    topDb: number(80),
    magExp: number(2),
    minPower: number(1e-10),
    refPower: number(1),
  };
  #filters: Filters | undefined;

  constructor(options: Options<Omit<MelSpectrogramConfig, 'window'>> & { readonly window?: Window } = {}) {
    super(MelSpectrogram.className, MelSpectrogram.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { fftLength, sequenceStride, magExp, powerToDb } = this.config;
    this.#filters ??= makeFilters(this.config);
    const { cosines, sines, mel } = this.#filters;
    const signals = toFloat(x.shape.length === 1 ? expandDims(x, 0) : x);
    const half = Math.floor(fftLength / 2);
    const padded = pad(
      signals,
      [
        [0, 0],
        [half, half],
      ],
      'reflect',
    );
    // A short frame lies in the middle of its transform.
    const offset = Math.floor((fftLength - (cosines.shape[0] as number)) / 2);
    const end = (padded.shape[1] as number) - (fftLength - (cosines.shape[0] as number) - offset);
    const framed = expandDims(between(padded, 1, offset, end), -1);
    const wave = (kernel: Tensor): SymbolicTensor => square(conv(framed, kernel, { strides: sequenceStride }));
    const magnitude = power(sqrt(add(wave(cosines), wave(sines))), magExp);
    const bands = matmul(magnitude, mel);
    const output = swapaxes(powerToDb ? this.#decibels(bands) : bands, -1, -2);
    return x.shape.length === 1 ? squeeze(output, 0) : output;
  }

  #decibels(bands: SymbolicTensor): SymbolicTensor {
    const { minPower, refPower, topDb } = this.config;
    const reference = 10 * Math.log10(Math.max(Math.abs(refPower), minPower));
    const loudness = subtract(multiply(log10(maximum(bands, minPower)), 10), reference);
    return maximum(loudness, subtract(max(loudness), topDb));
  }
}

/** Frames of 16,384 samples, where 2,048 are usual. */
const MAX_FILTER_ELEMENTS = 2 ** 28;

function makeFilters(config: MelSpectrogramConfig): Filters {
  const { fftLength, window } = config;
  const length = window === null ? fftLength : (config.sequenceLength ?? fftLength);
  tableLength('the filters of a spectrogram', length * fftLength, MAX_FILTER_ELEMENTS);
  const values = typeof window === 'string' ? windowFunction(window, length, true) : window;
  if (length > fftLength || (values !== null && values.length !== length)) {
    throw new ShapeError(
      `Cannot make a spectrogram: found frames of ${length} and a window of ${values?.length ?? length} samples, ` +
        `expected as many of both, and at most ${fftLength}`,
    );
  }
  const frequencies = Math.floor(fftLength / 2) + 1;
  const kernel = (wave: (angle: number) => number): Tensor => {
    const data = new Float32Array(length * frequencies);
    for (let index = 0; index < data.length; index++) {
      const time = Math.floor(index / frequencies);
      // The phase is reduced while it is a whole number, so that long frames lose no precision.
      const phase = (time * (index % frequencies)) % fftLength;
      data[index] = wave((2 * Math.PI * phase) / fftLength) * (values?.[time] ?? 1);
    }
    return tensor(data, [length, 1, frequencies]);
  };
  return { cosines: kernel(Math.cos), sines: kernel(Math.sin), mel: melMatrix(config, frequencies) };
}

const hertzToMel = (frequency: number): number => 1127 * Math.log(1 + frequency / 700);

/** Triangles, even on the mel scale, that overlap by half; the constant part of the signal is in none of them. */
function melMatrix(config: MelSpectrogramConfig, frequencies: number): Tensor {
  const { numMelBins, samplingRate, minFreq, maxFreq } = config;
  const [low, high] = [hertzToMel(minFreq), hertzToMel(maxFreq ?? Math.trunc(samplingRate / 2))];
  const edge = (index: number): number => low + ((high - low) * index) / (numMelBins + 1);
  const data = new Float32Array(tableLength('the mel filters of a spectrogram', frequencies * numMelBins));
  for (let bin = 1; bin < frequencies; bin++) {
    const mel = hertzToMel((samplingRate / 2) * (bin / (frequencies - 1)));
    for (let band = 0; band < numMelBins; band++) {
      const [left, centre, right] = [edge(band), edge(band + 1), edge(band + 2)];
      const height = Math.min((mel - left) / (centre - left), (right - mel) / (right - centre));
      data[bin * numMelBins + band] = Math.max(0, height);
    }
  }
  return new Tensor([frequencies, numMelBins], 'float32', data);
}
