/**
 * Fourier transforms as products with matrices of sines and cosines, computed while tracing: for the lengths of audio
 * frames a matrix product is fast, and it is differentiable for free. Complex numbers are pairs of tensors.
 */
import { tensor } from '../array/tensor.ts';
import { constant } from '../graph/apply.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { add, multiply, subtract } from './elementwise.ts';
import { matmul } from './matrix.ts';
import { type Operand, toFloat } from './operand.ts';
import { pad } from './padding.ts';
import { extractSequences } from './patches.ts';
import { between } from './shape.ts';

/** Real and imaginary parts. */
export type ComplexPair = [real: SymbolicTensor, imaginary: SymbolicTensor];

/** Windows by name are periodic; `null` is a window of ones. */
export type StftWindow = 'hann' | 'hamming' | Operand | null;

/** `[rows, columns]` of a function of the angle 2π · row · column / period. */
function angles(rows: number, columns: number, period: number, wave: (angle: number) => number): SymbolicTensor {
  const values = Array.from({ length: rows * columns }, (_, index) => {
    // Whole turns are taken off as integers, which loses nothing.
    const turns = (Math.floor(index / columns) * (index % columns)) % period;
    return wave((2 * Math.PI * turns) / period);
  });
  return constant(tensor(values, [rows, columns], 'float32'));
}

/** The last axis cut or filled with zeros to a length. */
function fitLast(x: SymbolicTensor, length: number): SymbolicTensor {
  const extent = x.shape.at(-1) as number;
  if (extent >= length) return between(x, -1, 0, length);
  return pad(
    x,
    x.shape.map((_, axis) => [0, axis === x.shape.length - 1 ? length - extent : 0]),
  );
}

/** Discrete Fourier transform of a real last axis: its frequencies 0 … length / 2. */
export function rfft(x: Operand, fftLength: number | null = null): ComplexPair {
  const value = toFloat(x);
  const length = fftLength ?? (value.shape.at(-1) as number);
  const signal = fitLast(value, length);
  const bins = Math.floor(length / 2) + 1;
  const negativeSine = (angle: number): number => -Math.sin(angle);
  return [
    matmul(signal, angles(length, bins, length, Math.cos)),
    matmul(signal, angles(length, bins, length, negativeSine)),
  ];
}

/** The inverse of `rfft`: a real signal of `fftLength`, by default 2 · (bins − 1). */
export function irfft([real, imaginary]: readonly [Operand, Operand], fftLength: number | null = null): SymbolicTensor {
  const length = fftLength ?? 2 * ((toFloat(real).shape.at(-1) as number) - 1);
  const bins = Math.floor(length / 2) + 1;
  // Every frequency but the first, and the last of an even length, stands for itself and its conjugate.
  const counts = Array.from({ length: bins }, (_, bin) => (bin === 0 || 2 * bin === length ? 1 : 2) / length);
  const weights = constant(tensor(counts, [bins], 'float32'));
  const [re, im] = [real, imaginary].map((part) => multiply(fitLast(toFloat(part), bins), weights)) as ComplexPair;
  return subtract(
    matmul(re, angles(bins, length, length, Math.cos)),
    matmul(im, angles(bins, length, length, Math.sin)),
  );
}

/** Discrete Fourier transform of a complex last axis. */
export function fft([real, imaginary]: readonly [Operand, Operand]): ComplexPair {
  const [re, im] = [toFloat(real), toFloat(imaginary)];
  const length = re.shape.at(-1) as number;
  const [cosines, sines] = [angles(length, length, length, Math.cos), angles(length, length, length, Math.sin)];
  return [add(matmul(re, cosines), matmul(im, sines)), subtract(matmul(im, cosines), matmul(re, sines))];
}

/** A window of `length` in the middle of `fftLength`, with zeros around. */
function windowFor(window: StftWindow, length: number, fftLength: number): SymbolicTensor | null {
  const low = Math.floor((fftLength - length) / 2);
  // Without a window, Keras lets the whole frame count.
  if (window === null) return null;
  if (window !== 'hann' && window !== 'hamming') return pad(toFloat(window), [[low, fftLength - length - low]]);
  const base = window === 'hann' ? 0.5 : 0.54;
  const values = Array.from({ length }, (_, k) => base - (1 - base) * Math.cos((2 * Math.PI * k) / length));
  return pad(constant(tensor(values)), [[low, fftLength - length - low]]);
}

/**
 * Short-time Fourier transform of the last axis: frames `sequenceStride` apart, times the window, transformed. Gives
 * `[…, frames, fftLength / 2 + 1]`. With `center`, frames are centred at their time and the signal is mirrored at its ends.
 */
export function stft(
  x: Operand,
  sequenceLength: number,
  sequenceStride: number,
  fftLength: number,
  window: StftWindow = 'hann',
  center = true,
): ComplexPair {
  const value = toFloat(x);
  const half = Math.floor(fftLength / 2);
  const widths = value.shape.map((_, axis) => (axis === value.shape.length - 1 ? [half, half] : [0, 0]));
  const signal = center ? pad(value, widths, 'reflect') : value;
  const frames = extractSequences(signal, fftLength, sequenceStride);
  const weights = windowFor(window, sequenceLength, fftLength);
  return rfft(weights === null ? frames : multiply(frames, weights));
}
