import type { SymbolicTensor } from '../../graph/node.ts';
import { conv } from '../../ops/convolution.ts';
import { add, arctan2, log, maximum, sqrt, square } from '../../ops/elementwise.ts';
import { pad } from '../../ops/padding.ts';
import { between, concatenate, reshape, transpose } from '../../ops/shape.ts';
import { type DataFormat, dataFormat } from '../data-format.ts';
import {
  anything,
  boolean,
  type Field,
  type Fields,
  nullable,
  type Options,
  oneOf,
  positiveInteger,
} from '../fields.ts';
import { createInitializer, type Initializer } from '../initializers.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';

/** A window by name or by its values; `null` for none. */
export type Window = string | readonly number[] | null;

/** A window. */
export function windowField(): Field<Window> {
  return anything<Window>(
    'the name of a window, a list of its values, or null',
    (value) =>
      value === null ||
      typeof value === 'string' ||
      (Array.isArray(value) && value.every((element) => typeof element === 'number')),
    'hann',
  );
}

export interface STFTSpectrogramConfig extends LayerConfig {
  mode: 'log' | 'magnitude' | 'psd' | 'real' | 'imag' | 'angle' | 'stft';
  frameLength: number;
  /** Distance between frames; by default half a frame. */
  frameStep: number | null;
  /** By default the next power of two from the frame's length on. */
  fftLength: number | null;
  window: Window;
  periodic: boolean;
  scaling: 'density' | 'spectrum' | null;
  padding: 'valid' | 'same';
  /** Whether the output has an axis of its own for the input's channels. */
  expandDims: boolean;
  dataFormat: DataFormat;
}

/** Magnitudes and powers are at least this before roots and logarithms. */
const EPSILON = 1e-7;

/**
 * Short-time Fourier transform of `[batch, time, channels]`, by convolutions with the weights `real_kernel` and
 * `imag_kernel`.
 *
 * Gives `[batch, frames, channels · frequencies]`, or `[batch, frames, frequencies, channels]` with `expandDims`.
 */
export class STFTSpectrogram extends Layer<STFTSpectrogramConfig> {
  static readonly className = 'STFTSpectrogram';
  static readonly fields: Fields<STFTSpectrogramConfig> = {
    ...layerFields,
    mode: oneOf(['log', 'magnitude', 'psd', 'real', 'imag', 'angle', 'stft'], 'log'),
    frameLength: positiveInteger(256),
    frameStep: nullable(positiveInteger()),
    fftLength: nullable(positiveInteger()),
    window: windowField(),
    periodic: boolean(false),
    scaling: nullable(oneOf(['density', 'spectrum']), 'density'),
    padding: oneOf(['valid', 'same'], 'valid'),
    expandDims: boolean(false),
    dataFormat: dataFormat(),
  };

  constructor(options: Options<Omit<STFTSpectrogramConfig, 'window'>> & { readonly window?: Window } = {}) {
    super(STFTSpectrogram.className, STFTSpectrogram.fields, options);
  }

  protected override build(): void {
    const { mode, frameLength, fftLength, window, scaling, periodic } = this.config;
    const length = fftLength ?? 2 ** Math.ceil(Math.log2(frameLength));
    const shape = [frameLength, 1, Math.floor(length / 2) + 1];
    const initializer = (side: 'real' | 'imag'): Initializer =>
      createInitializer('STFT', { side, window, scaling, periodic }) as Initializer;
    if (mode !== 'imag') this.addWeight('real_kernel', shape, { initializer: initializer('real') });
    if (mode !== 'real') this.addWeight('imag_kernel', shape, { initializer: initializer('imag') });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { mode, dataFormat: format } = this.config;
    const signals = format === 'channels_last' ? transpose(x, [0, 2, 1]) : x;
    const part = (side: 'real' | 'imag'): SymbolicTensor => this.#transform(signals, `${side}_kernel`);
    switch (mode) {
      case 'real':
      case 'imag':
        return this.#arrange(part(mode));
      case 'angle':
        return this.#arrange(arctan2(part('imag'), part('real')));
      case 'stft':
        return this.#arrange(concatenate([part('real'), part('imag')], 3));
      default:
        return this.#power(add(square(part('real')), square(part('imag'))), mode);
    }
  }

  #power(power: SymbolicTensor, mode: 'psd' | 'magnitude' | 'log'): SymbolicTensor {
    if (mode === 'psd') {
      // All frequencies but the first and the last stand for their mirror images too.
      const last = (power.shape[3] as number) - 1;
      const mirrored = between(power, 3, 1, last);
      return this.#arrange(
        add(
          power,
          pad(mirrored, [
            [0, 0],
            [0, 0],
            [0, 0],
            [1, 1],
          ]),
        ),
      );
    }
    const magnitude = this.#arrange(sqrt(maximum(power, EPSILON)));
    return mode === 'magnitude' ? magnitude : log(maximum(magnitude, EPSILON));
  }

  /** `[batch, channels, time]` to `[batch, channels, frames, frequencies]`. */
  #transform(signals: SymbolicTensor, kernel: string): SymbolicTensor {
    const { frameLength, frameStep, padding } = this.config;
    const [batch, channels, time] = signals.shape as readonly [number, number, number];
    const strides = frameStep ?? Math.floor(frameLength / 2);
    const frames = conv(reshape(signals, [batch * channels, time, 1]), this.weight(kernel), { strides, padding });
    return reshape(frames, [batch, channels, frames.shape[1] as number, frames.shape[2] as number]);
  }

  /** From `[batch, channels, frames, frequencies]` to the order that the layer gives. */
  #arrange(x: SymbolicTensor): SymbolicTensor {
    const { dataFormat: format, expandDims } = this.config;
    const [batch, channels, frames, frequencies] = x.shape as readonly [number, number, number, number];
    if (expandDims) return format === 'channels_last' ? transpose(x, [0, 2, 3, 1]) : x;
    const [permutation, shape] =
      format === 'channels_last'
        ? [
            [0, 2, 1, 3],
            [batch, frames, channels * frequencies],
          ]
        : [
            [0, 1, 3, 2],
            [batch, channels * frequencies, frames],
          ];
    return reshape(transpose(x, permutation), shape);
  }
}
