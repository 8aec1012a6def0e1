/**
 * A module of one function of type `v128, v128, v128 → v128`, whose body is `f32x4.relaxed_madd` of its parameters:
 * valid exactly where the engine has relaxed SIMD.
 */
const RELAXED_PROBE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b],
];

let relaxedSimd: boolean | undefined;

/** Whether the engine has relaxed SIMD, whose fused multiply-add doubles the speed of products. */
export function hasRelaxedSimd(): boolean {
  relaxedSimd ??= typeof WebAssembly === 'object' && WebAssembly.validate(new Uint8Array(RELAXED_PROBE));
  return relaxedSimd;
}

/** Whether the environment variable `HORNET_WIDE` asks for vectors of 256 bits; see `wide-vectors.ts`. */
export function asksWide(): boolean {
  return globalThis.process?.env?.HORNET_WIDE === '1';
}
