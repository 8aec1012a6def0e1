/** Half-precision floats: IEEE 754 binary16, and bfloat16, the upper half of a float32. */

const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/** Decodes IEEE 754 halves given as their bits, subnormals, infinities and NaN included. */
export function decodeFloat16(halves: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index] as number;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      // A subnormal half is fraction · 2⁻²⁴, which float32 holds as a normal number.
      float32[0] = fraction * 2 ** -24;
      bits[index] = (sign | (bits32[0] as number)) >>> 0;
    } else {
      const wide = exponent === 31 ? 0xff : exponent + 112;
      bits[index] = (sign | (wide << 23) | (fraction << 13)) >>> 0;
    }
  }
}

/** Encodes IEEE 754 halves as their bits, rounded to the nearest, halfway cases to even; what is too large is infinite. */
export function encodeFloat16(values: Float32Array, target: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < values.length; index++) {
    const word = bits[index] as number;
    const sign = (word >>> 16) & 0x8000;
    const rest = word & 0x7fffffff;
    if (rest > 0x7f800000) {
      target[index] = sign | 0x7e00;
    } else if (rest >= 0x47800000) {
      target[index] = sign | 0x7c00;
    } else if (rest >= 0x38800000) {
      // The fraction loses 13 bits; carrying into the exponent is right, up to infinity.
      target[index] = sign | ((rest - 0x38000000 + 0xfff + ((rest >>> 13) & 1)) >>> 13);
    } else {
      // A subnormal half counts steps of 2⁻²⁴, to which the sum rounds when its own last bit is worth that.
      float32[0] = Math.abs(values[index] as number) + 0.5;
      target[index] = sign | ((bits32[0] as number) - 0x3f000000);
    }
  }
}

/** Decodes bfloat16 values given as their bits. */
export function decodeBfloat16(halves: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < halves.length; index++) bits[index] = ((halves[index] as number) << 16) >>> 0;
}
