import { UnsupportedError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { anything, type Fields, type Options } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, type LayerOutput, layerFields } from '../layer.ts';

/** What a `Lambda` computes: of its inputs, its `arguments`, and how it is called. */
export type LambdaFunction = (
  inputs: readonly [SymbolicTensor, ...SymbolicTensor[]],
  args: Readonly<Record<string, unknown>>,
  context: CallContext,
) => LayerOutput;

export interface LambdaConfig extends LayerConfig {
  /** The function, or what a file holds in its place: Python code, which is kept but never run. */
  function: LambdaFunction | object | string | null;
  /** Keras' hints about the result; the shape is learnt by tracing, so they are kept and not used. */
  outputShape: unknown;
  mask: unknown;
  arguments: Readonly<Record<string, unknown>>;
}

const isAnything = (): boolean => true;

/**
 * A function of the user's own as a layer.
 *
 * The function is written in TypeScript with this package's operations. A file holds Python code instead, which is
 * never run: a layer read from it needs the function before it is called.
 */
export class Lambda extends Layer<LambdaConfig> {
  static readonly className = 'Lambda';
  static readonly fields: Fields<LambdaConfig> = {
    ...layerFields,
    function: anything('a function', isAnything, null),
    outputShape: anything<unknown>('a shape or null', isAnything, null),
    mask: anything<unknown>('null', isAnything, null),
    arguments: anything<Readonly<Record<string, unknown>>>(
      'an object of arguments',
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      {},
    ),
  };
  override readonly hasMaskArgument = true;

  constructor(options: Options<LambdaConfig>) {
    super(Lambda.className, Lambda.fields, options);
  }

  /** @throws {UnsupportedError} when there is no function but Python code. */
  override call(inputs: readonly [SymbolicTensor, ...SymbolicTensor[]], context: CallContext): LayerOutput {
    const { function: compute, arguments: args } = this.config;
    if (typeof compute !== 'function') {
      throw new UnsupportedError(
        `Cannot call layer "${this.name}": a Lambda from a file holds Python code, which is never run; pass its ` +
          `function, such as new Lambda({ name: "${this.name}", function: ([x]) => ops.multiply(x, 2) })`,
        'Lambda without a function',
      );
    }
    return (compute as LambdaFunction)(inputs, args, context);
  }
}
