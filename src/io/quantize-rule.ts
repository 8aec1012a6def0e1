import type { ModelArtifacts } from '../formats/artifacts.ts';
import type { QuantizedDtype } from '../formats/layers-model/quantize.ts';

/**
 * How floats are stored: all alike, or by the names of weights, in which `*` stands for any text. The first pattern that
 * fits counts; `float32` leaves a weight as it is, and so does no pattern.
 */
export type Quantize = QuantizedDtype | { readonly [pattern: string]: QuantizedDtype | 'float32' };

const DTYPES: ReadonlySet<string> = new Set(['uint8', 'uint16', 'float16']);

/**
 * What to make of each weight.
 *
 * @throws {RangeError} for a dtype that there is not, or a pattern that fits no weight.
 */
export function quantizeRule(
  quantize: Quantize | undefined,
  { weights }: ModelArtifacts,
  model: string,
): (name: string) => QuantizedDtype | undefined {
  if (quantize === undefined) return () => undefined;
  const patterns = Object.entries(typeof quantize === 'string' ? { '*': quantize } : quantize);
  const names = weights?.kind === 'named' ? weights.entries.map(({ name }) => name) : [];
  const rules = patterns.map(([pattern, dtype]) => {
    if (!DTYPES.has(dtype) && dtype !== 'float32') {
      throw new RangeError(
        `Cannot quantize model "${model}": found ${JSON.stringify(dtype)}, expected uint8, uint16, float16 or float32`,
      );
    }
    const parts = pattern.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    const regex = new RegExp(`^${parts.join('.*')}$`, 's');
    if (names.length > 0 && !names.some((name) => regex.test(name))) {
      throw new RangeError(
        `Cannot quantize model "${model}": no weight fits "${pattern}"; there are ${names.slice(0, 8).join(', ')}` +
          (names.length > 8 ? ', …' : ''),
      );
    }
    return { regex, dtype };
  });
  return (name) => {
    const dtype = rules.find(({ regex }) => regex.test(name))?.dtype;
    return dtype === 'float32' ? undefined : dtype;
  };
}
