/** An image as text: two pixels a character, one above the other, in the colours that the terminal has. */
import { type Picture, resize } from './image.ts';

/** How many colours text may have: none (shades of characters), 256, or all. */
export type ColourDepth = 'none' | '256' | 'all';

/** What standard output can show; the variable NO_COLOR turns colours off, as it does elsewhere. */
export function colourDepth(): ColourDepth {
  if (!process.stdout.isTTY || process.env.NO_COLOR) return 'none';
  const bits = process.stdout.getColorDepth();
  return bits >= 24 ? 'all' : bits >= 8 ? '256' : 'none';
}

const SHADES = ' ░▒▓█';

/** The lines of an image, shrunk to at most so many columns and lines; small images keep their pixels. */
export function drawPicture(picture: Picture, maxColumns: number, maxLines: number, depth: ColourDepth): string[] {
  const scale = Math.min(maxColumns / picture.width, (maxLines * 2) / picture.height, 1);
  const width = Math.max(Math.round(picture.width * scale), 1);
  const height = Math.max(Math.round(picture.height * scale), 1);
  const fitted = resize(picture, width, height);
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = '';
    for (let x = 0; x < width; x++) {
      const upper = pixelAt(fitted, x, y);
      line += drawCell(upper, y + 1 < height ? pixelAt(fitted, x, y + 1) : upper, depth);
    }
    lines.push(depth === 'none' ? line : `${line}\x1b[0m`);
  }
  return lines;
}

type Colour = readonly [red: number, green: number, blue: number];

function pixelAt({ data, width, channels }: Picture, x: number, y: number): Colour {
  const first = (y * width + x) * channels;
  const value = (channel: number): number => Math.round(data[first + (channels === 3 ? channel : 0)] ?? 0);
  return [value(0), value(1), value(2)];
}

function drawCell(upper: Colour, lower: Colour, depth: ColourDepth): string {
  if (depth === 'all') return `\x1b[38;2;${upper.join(';')};48;2;${lower.join(';')}m▀`;
  if (depth === '256') return `\x1b[38;5;${paletteIndex(upper)};48;5;${paletteIndex(lower)}m▀`;
  const light = (brightness(upper) + brightness(lower)) / 2;
  return SHADES[Math.min(Math.floor((light / 256) * SHADES.length), SHADES.length - 1)] ?? ' ';
}

function brightness([red, green, blue]: Colour): number {
  return red * 0.299 + green * 0.587 + blue * 0.114;
}

/** The nearest of the 256 colours: 24 greys from 232 on, a cube of 6 × 6 × 6 from 16 on. */
function paletteIndex([red, green, blue]: Colour): number {
  if (red === green && green === blue) return 232 + Math.min(Math.floor((red / 256) * 24), 23);
  const step = (value: number): number => Math.round((value / 255) * 5);
  return 16 + 36 * step(red) + 6 * step(green) + step(blue);
}
