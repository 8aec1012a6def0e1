import type { Shape } from '../../array/shape.ts';
import { Tensor } from '../../array/tensor.ts';
import { apply } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';

/** An element of a host tensor as lookups and hashes take it. */
export type Token = string | number;

/** Computes each int32 element of the output from the elements of the inputs at its place, on the host. */
export function mapToIntegers(
  name: string,
  inputs: readonly SymbolicTensor[],
  map: (...tokens: readonly Token[]) => number,
): SymbolicTensor {
  const shape = inputs[0]?.shape as Shape;
  const run = (values: readonly Tensor[]): readonly Tensor[] => {
    const count = values[0]?.data.length ?? 0;
    const data = Int32Array.from({ length: count }, (_, index) =>
      map(...values.map((value) => value.data[index] as Token)),
    );
    return [new Tensor(shape, 'int32', data)];
  };
  return apply('host', inputs, { name, outputs: [{ shape, dtype: 'int32' }], run });
}

/** Computes each string of the output from the element of the input at its place, on the host. */
export function mapToStrings(name: string, input: SymbolicTensor, map: (token: Token) => string): SymbolicTensor {
  const { shape } = input;
  const run = ([values]: readonly Tensor[]): readonly Tensor[] => [
    new Tensor(
      shape,
      'string',
      Array.from((values as Tensor).data as ArrayLike<Token>, (token) => map(token)),
    ),
  ];
  return apply('host', [input], { name, outputs: [{ shape, dtype: 'string' }], run });
}

/** A number as TensorFlow writes it as a string: an integer, floats cut off. */
export function asText(token: Token): string {
  return typeof token === 'string' ? token : String(Math.trunc(token));
}
