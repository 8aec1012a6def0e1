/** Images as numbers: decoding, resizing, and fitting them to a model's input. */
import { CommandError, EXIT } from './exit-codes.ts';

/** Pixels row by row, `channels` values of 0 to 255 each: 1 is grey, 3 red, green and blue. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Float32Array;
}

/** A larger image is refused before its pixels are unpacked: 100 megapixels are 1.2 GB as numbers. */
const MAX_MEGAPIXELS = 100;

export function isImage(bytes: Uint8Array): boolean {
  return isPng(bytes) || isJpeg(bytes);
}

/** Decodes a PNG or JPEG file. Transparency is dropped, as Keras' `load_img` drops it. */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Picture> {
  try {
    return isPng(bytes) ? await decodePng(bytes) : await decodeJpeg(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`Cannot decode the image "${name}": ${reason}`, EXIT.badInput, cause);
  }
}

const isPng = (bytes: Uint8Array): boolean => bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e;
const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

async function decodeJpeg(bytes: Uint8Array): Promise<Picture> {
  const { decode } = (await import('jpeg-js')).default;
  const { width, height, data } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    maxResolutionInMP: MAX_MEGAPIXELS,
    maxMemoryUsageInMB: 4096,
  });
  return { width, height, channels: 3, data: Float32Array.from(data) };
}

async function decodePng(bytes: Uint8Array): Promise<Picture> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The header is the first chunk: width at 16, height at 20.
  if (bytes.byteLength < 24 || (view.getUint32(16) * view.getUint32(20)) / 1e6 > MAX_MEGAPIXELS) {
    throw new RangeError(`it is damaged, or has more than ${MAX_MEGAPIXELS} megapixels`);
  }
  const { convertIndexedToRgb, decode } = await import('fast-png');
  const png = decode(bytes);
  const { width, height, depth, palette } = png;
  if (palette !== undefined) {
    return dropAlpha(width, height, palette[0]?.length ?? 3, Float32Array.from(convertIndexedToRgb(png)));
  }
  const scale = 255 / (2 ** depth - 1);
  const packed = depth < 8 ? unpackBits(png.data, width * png.channels, height, depth) : png.data;
  return dropAlpha(
    width,
    height,
    png.channels,
    Float32Array.from(packed, (value) => value * scale),
  );
}

/** Splits bytes into pixels of 1, 2 or 4 bits, the first in the highest bits; each row begins with a new byte. */
function unpackBits(packed: ArrayLike<number>, rowPixels: number, height: number, depth: number): Uint8Array {
  const rowBytes = Math.ceil((rowPixels * depth) / 8);
  const perByte = 8 / depth;
  const pixels = new Uint8Array(rowPixels * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < rowPixels; x++) {
      const byte = packed[y * rowBytes + Math.floor(x / perByte)] ?? 0;
      pixels[y * rowPixels + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
    }
  }
  return pixels;
}

function dropAlpha(width: number, height: number, stored: number, data: Float32Array): Picture {
  const channels = stored >= 3 ? 3 : 1;
  if (stored === channels) return { width, height, channels, data };
  const kept = new Float32Array(width * height * channels);
  for (let index = 0; index < kept.length; index++) {
    kept[index] = data[Math.floor(index / channels) * stored + (index % channels)] ?? 0;
  }
  return { width, height, channels, data: kept };
}

/** Grey to colour by repetition, colour to grey by the luma of ITU-R BT.601, which Pillow uses too. */
export function convertChannels(picture: Picture, channels: 1 | 3): Picture {
  if (picture.channels === channels) return picture;
  const { width, height, data } = picture;
  const converted = new Float32Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (channels === 3) converted.fill(data[pixel] ?? 0, pixel * 3, pixel * 3 + 3);
    else {
      const [red = 0, green = 0, blue = 0] = data.subarray(pixel * 3, pixel * 3 + 3);
      converted[pixel] = (red * 299 + green * 587 + blue * 114) / 1000;
    }
  }
  return { width, height, channels, data: converted };
}

/** Resizes by a triangle filter: bilinear when enlarging, an average over the pixels that fall together when shrinking. */
export function resize(picture: Picture, width: number, height: number): Picture {
  if (picture.width === width && picture.height === height) return picture;
  const { channels } = picture;
  const across = resizeRows(picture.data, picture.height, picture.width, channels, width);
  const turned = transpose(across, picture.height, width, channels);
  const both = resizeRows(turned, width, picture.height, channels, height);
  return { width, height, channels, data: transpose(both, width, height, channels) };
}

function resizeRows(data: Float32Array, rows: number, from: number, channels: number, to: number): Float32Array {
  const result = new Float32Array(rows * to * channels);
  const ratio = from / to;
  const support = Math.max(ratio, 1);
  for (let x = 0; x < to; x++) {
    const center = (x + 0.5) * ratio;
    const first = Math.max(Math.floor(center - support), 0);
    const last = Math.min(Math.ceil(center + support), from);
    const weights = Array.from({ length: last - first }, (_, tap) =>
      Math.max(1 - Math.abs(first + tap + 0.5 - center) / support, 0),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (let y = 0; y < rows; y++) {
      for (let channel = 0; channel < channels; channel++) {
        let value = 0;
        for (const [tap, weight] of weights.entries()) {
          value += weight * (data[(y * from + first + tap) * channels + channel] ?? 0);
        }
        result[(y * to + x) * channels + channel] = value / sum;
      }
    }
  }
  return result;
}

function transpose(data: Float32Array, rows: number, columns: number, channels: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let channel = 0; channel < channels; channel++) {
        result[(x * rows + y) * channels + channel] = data[(y * columns + x) * channels + channel] ?? 0;
      }
    }
  }
  return result;
}
