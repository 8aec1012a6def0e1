/** Expected values come from Pillow 13. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { convertChannels, decodeImage, resize } from './image.ts';

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));
const sample = (): Uint8Array => new Uint8Array(readFileSync('models/digits/samples/2-004.png'));

describe('decodeImage', () => {
  test('reads a grey PNG', async () => {
    const { width, height, channels, data } = await decodeImage(sample(), 'two.png');
    expect([width, height, channels]).toEqual([8, 8, 1]);
    expect([...data.subarray(0, 8)]).toEqual([0, 32, 207, 255, 255, 159, 0, 0]);
  });

  test('reads a PNG of one bit a pixel, whose rows end within a byte', async () => {
    const { data } = await decodeImage(
      bytesOf('iVBORw0KGgoAAAANSUhEUgAAAAoAAAADAQAAAACCRqPYAAAAEUlEQVR4nGPsN2RYzcBgfQAACm4CaD+qGy4AAAAASUVORK5CYII='),
      'bits.png',
    );
    expect([...data].map((value) => value / 255)).toEqual(
      [
        [1, 0, 0, 0, 1, 1, 1, 1, 1, 1],
        [1, 0, 1, 0, 1, 0, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 0, 1, 1, 1, 1],
      ].flat(),
    );
  });

  test('reads a PNG with a palette', async () => {
    const { channels, data } = await decodeImage(
      bytesOf(
        'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACAgMAAAAP2OW3AAAADFBMVEUA/wAKFB7/AAAAAP+8KrKhAAAADElEQVR4nGNoYLgAAAJUAVFhJlHhAAAAAElFTkSuQmCC',
      ),
      'palette.png',
    );
    expect(channels).toBe(3);
    expect([...data]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30]);
  });

  test('drops transparency', async () => {
    const { channels, data } = await decodeImage(
      bytesOf('iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGP4z8DAyfCf4QQAC/MC0CKo8rkAAAAASUVORK5CYII='),
      'transparent.png',
    );
    expect(channels).toBe(3);
    expect([...data]).toEqual([255, 0, 0, 0, 255, 0]);
  });

  test('reads a JPEG as Pillow does, but for rounding', async () => {
    const { width, data } = await decodeImage(bytesOf(JPEG), 'gradient.jpg');
    for (const [pixel, colour] of [
      [0, [2, 0, 128]],
      [8 * 16 + 8, [127, 129, 126]],
      [15 * 16 + 15, [241, 239, 128]],
    ] as const) {
      for (const [channel, value] of colour.entries()) {
        expect(Math.abs((data[pixel * 3 + channel] ?? 0) - value)).toBeLessThanOrEqual(2);
      }
    }
    expect(width).toBe(16);
  });

  test('says what is wrong with a damaged file', async () => {
    await expect(decodeImage(sample().subarray(0, 60), 'cut.png')).rejects.toThrow(
      'Cannot decode the image "cut.png": ',
    );
    await expect(decodeImage(sample().subarray(0, 20), 'cut.png')).rejects.toThrow('it is damaged');
  });

  test('refuses an image of a billion pixels by its header', async () => {
    const bytes = sample();
    new DataView(bytes.buffer).setUint32(16, 40_000);
    new DataView(bytes.buffer).setUint32(20, 40_000);
    await expect(decodeImage(bytes, 'bomb.png')).rejects.toThrow('more than 100 megapixels');
  });
});

describe('resize', () => {
  test('shrinks as Pillow does', async () => {
    const { data } = resize(await decodeImage(sample(), 'two.png'), 3, 5);
    const expected = [
      112.837, 196.827, 63.99, 54.214, 115.964, 61.061, 11.908, 105.954, 24.178, 45.053, 116.105, 28.321,
    ];
    for (const [index, value] of [...expected, 82.651, 198.414, 123.982].entries()) {
      expect(Math.abs((data[index] ?? 0) - value)).toBeLessThan(0.002);
    }
  });

  test('enlarges and shrinks at once as Pillow does', async () => {
    const { data } = resize(await decodeImage(sample(), 'two.png'), 11, 4);
    const firstRow = [13.714, 78.292, 138.864, 172.149, 160.825, 181, 205.234, 206.896, 65.864, 0, 0];
    for (const [index, value] of firstRow.entries()) expect(Math.abs((data[index] ?? 0) - value)).toBeLessThan(0.002);
  });
});

test('convertChannels() weighs red, green and blue as BT.601 does', () => {
  const colour = { width: 1, height: 1, channels: 3 as const, data: new Float32Array([255, 100, 10]) };
  expect(convertChannels(colour, 1).data[0]).toBeCloseTo(136.085, 3);
  const grey = { width: 2, height: 1, channels: 1 as const, data: new Float32Array([7, 9]) };
  expect([...convertChannels(grey, 3).data]).toEqual([7, 7, 7, 9, 9, 9]);
});

const JPEG =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAQABADAREAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD5V8KfCn7n7n9K/YMZnG+p5/Def/D7x7N4T+FP3P3P6V8NjM431P6r4bz/AOH3j2Lwn8Kfufuf0r4fGZxvqf5jcN598Op7N4U+FP3P3P6V8LjM431P6q4bz74dT//Z';
