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

/** Decodes bfloat16 values given as their bits. */
export function decodeBfloat16(halves: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < halves.length; index++) bits[index] = ((halves[index] as number) << 16) >>> 0;
}
