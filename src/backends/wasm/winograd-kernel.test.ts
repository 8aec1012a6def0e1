import { describe, expect, test } from 'vitest';
import { packWeights } from '../../../test/support/run-contract.ts';
import { SeededNumbers } from '../../../test/support/seeded-numbers.ts';
import type { WinogradGeometry } from './winograd-choice.ts';
import { matrixBytes, winogradPacking } from './winograd-kernel.ts';

const POINTS = [0, 3 / 4, -3 / 4, 3 / 2, -3 / 2];

/** The transform of three numbers along an axis, by its definition: (1, a, a²) / Π(a − other points), and the last one. */
function transformed([g0, g1, g2]: readonly [number, number, number]): number[] {
  const finite = POINTS.map((a) => {
    const others = POINTS.filter((other) => other !== a).reduce((product, other) => product * (a - other), 1);
    return (g0 + a * g1 + a * a * g2) / others;
  });
  return [...finite, g2];
}

const at = (values: readonly number[], ...indexes: [number, number, number]): [number, number, number] =>
  indexes.map((index) => values[index] as number) as [number, number, number];

describe.each([false, true])('winogradPacking(), of a gradient: %s', (isGradient) => {
  test.each([
    [16, 16],
    [20, 36],
    [48, 28],
  ])('transforms %i × %i kernels to 36 matrices in panels, rounded as doubles', (inputs, outputs) => {
    const extents = [8, 8] as const;
    const geometry: WinogradGeometry = {
      batch: 1,
      input: extents,
      output: extents,
      low: [1, 1],
      inputs,
      outputs,
      isGradient,
    };
    const weights = new SeededNumbers(inputs).floats(9 * inputs * outputs);
    const packed = packWeights(winogradPacking(geometry), weights);
    const stride = matrixBytes(geometry) / 4;
    let largest = 0;
    let worst = 0;
    for (let input = 0; input < inputs; input++) {
      for (let output = 0; output < outputs; output++) {
        const taps = Array.from({ length: 9 }, (_, tap) => {
          const index = isGradient
            ? ((8 - tap) * outputs + output) * inputs + input
            : (tap * inputs + input) * outputs + output;
          return weights[index] as number;
        });
        const columns = [0, 1, 2].map((column) =>
          transformed(at(taps, column, 3 + column, 6 + column)).map(Math.fround),
        );
        const place = (Math.floor(output / 8) * inputs + input) * 8 + (output % 8);
        for (let row = 0; row < 6; row++) {
          const points = transformed(columns.map((column) => column[row]) as [number, number, number]);
          for (const [column, point] of points.entries()) {
            worst = Math.max(worst, Math.abs(point - (packed[(row * 6 + column) * stride + place] as number)));
            largest = Math.max(largest, Math.abs(point));
          }
        }
      }
    }
    // Half a unit in the last place of the largest, twice.
    expect(worst).toBeGreaterThan(0);
    expect(worst / largest).toBeLessThan(2 ** -24);
  });
});
