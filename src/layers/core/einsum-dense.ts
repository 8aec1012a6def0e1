import { formatShape, type PartialShape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { einsum } from '../../ops/einsum.ts';
import { add } from '../../ops/elementwise.ts';
import type { Activation } from '../activation.ts';
import { activation, anything, type Field, type Fields, nullable, type Options, string } from '../fields.ts';
import { type KernelConfig, kernelFields } from '../kernel-options.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';
import { type LoraConfig, loraFields } from './lora.ts';
import { unquantized } from './quantization.ts';

export interface EinsumDenseConfig extends LayerConfig, LoraConfig, KernelConfig {
  /** Letters of the input's axes, of the kernel's and of the output's, such as `abc,cd->abd`. */
  equation: string;
  /** The output's extents without the batch; `null` where they follow from the input. */
  outputShape: readonly (number | null)[];
  activation: Activation;
  /** Letters of those axes of the output along which the bias differs; `null` for no bias. */
  biasAxes: string | null;
  quantizationConfig: null;
}

/** `outputShape` may be a single extent. */
export type EinsumDenseOptions = Options<Omit<EinsumDenseConfig, 'outputShape'>, 'equation'> & {
  readonly outputShape: number | readonly (number | null)[];
};

/** A product of input and kernel whose axes an equation names, then a bias and an activation. */
export class EinsumDense extends Layer<EinsumDenseConfig> {
  static readonly className = 'EinsumDense';
  static readonly fields: Fields<EinsumDenseConfig> = {
    ...layerFields,
    ...loraFields,
    equation: string(),
    outputShape: outputShape(),
    activation: activation(null),
    biasAxes: nullable(string()),
    ...kernelFields,
    quantizationConfig: unquantized(),
  };

  constructor(options: EinsumDenseOptions) {
    super(EinsumDense.className, EinsumDense.fields, options);
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    const { equation, outputShape: extents, biasAxes, kernelInitializer, biasInitializer } = this.config;
    const shapes = weightShapes(this.name, equation, inputShape ?? [], extents, biasAxes);
    this.addWeight('kernel', shapes.kernel, { initializer: kernelInitializer, channelAxes: shapes.channelAxes });
    if (shapes.bias !== undefined) this.addWeight('bias', shapes.bias, { initializer: biasInitializer });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const product = einsum(this.config.equation, x, this.weight('kernel'));
    return this.config.activation.call(this.hasWeight('bias') ? add(product, this.weight('bias')) : product);
  }
}

function outputShape(): Field<readonly (number | null)[]> {
  const isExtent = (value: unknown): boolean => value === null || (Number.isInteger(value) && (value as number) > 0);
  const field = anything<readonly (number | null)[]>(
    'an extent, or a list of extents and nulls',
    (value) => Array.isArray(value) && value.every(isExtent),
  );
  return { ...field, parse: (value) => field.parse(Number.isInteger(value) ? [value] : value) };
}

interface WeightShapes {
  readonly kernel: readonly number[];
  readonly channelAxes: readonly number[];
  readonly bias: readonly number[] | undefined;
}

/** `…` at one end of input and output stands for axes that the equation does not name. */
const EQUATION = /^(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?$/;

function weightShapes(
  layer: string,
  equation: string,
  inputShape: PartialShape,
  extents: readonly (number | null)[],
  biasAxes: string | null,
): WeightShapes {
  const match = EQUATION.exec(equation.replace(/\s/g, ''));
  const [, before, inputs, after, kernel, beforeOutput, outputs, afterOutput] = match ?? [];
  const isValid =
    inputs !== undefined &&
    kernel !== undefined &&
    outputs !== undefined &&
    before === beforeOutput &&
    after === afterOutput &&
    !(before !== undefined && after !== undefined);
  if (!isValid) {
    throw new ShapeError(
      `Cannot build layer "${layer}": found the equation "${equation}", ` +
        `expected "ab,bc->ac", "...ab,bc->...ac" or "ab...,bc->ac..."`,
    );
  }
  const elided = inputShape.length - inputs.length;
  // The elided axes are the first ones of the input, the batch among them, or the last ones.
  const elidedFirst = before !== undefined ? elided : 0;
  const named = inputShape.slice(elidedFirst, elidedFirst + inputs.length);
  const known = new Map<string, number | null>();
  for (const [index, letter] of [...inputs].entries()) known.set(letter, named[index] ?? null);
  const given: (number | null)[] = before === undefined ? [inputShape[0] ?? null, ...extents] : [...extents];
  for (const [index, letter] of [...outputs].entries()) {
    const extent = given[index] ?? known.get(letter) ?? null;
    const found = known.get(letter) ?? null;
    if (given.length !== outputs.length || (extent !== null && found !== null && extent !== found)) {
      throw new ShapeError(
        `Cannot build layer "${layer}": found an input of shape ${formatShape(inputShape)} and the output shape ` +
          `${formatShape(extents)}, which do not fit the equation "${equation}"`,
      );
    }
    known.set(letter, extent);
  }
  const extentOf = (letter: string): number => known.get(letter) ?? Number.NaN;
  const kernelShape = [...kernel].map(extentOf);
  const channelAxes = lastAxesOf([...kernel].map((letter) => outputs.includes(letter)));
  if (biasAxes === null) return { kernel: kernelShape, channelAxes, bias: undefined };
  const places = [...biasAxes].map((letter) => outputs.indexOf(letter));
  if (places.includes(-1)) {
    throw new ShapeError(
      `Cannot build layer "${layer}": found bias axes "${biasAxes}", expected letters of the output "${outputs}"`,
    );
  }
  const biased = [...outputs.slice(Math.min(...places))];
  const trailing = after === undefined ? 0 : elided;
  const bias = [
    ...biased.map((letter) => (biasAxes.includes(letter) ? extentOf(letter) : 1)),
    ...new Array<number>(trailing).fill(1),
  ];
  return { kernel: kernelShape, channelAxes, bias };
}

/** The last neighbouring axes of a kernel that the output has, too. */
function lastAxesOf(isInOutput: readonly boolean[]): readonly number[] {
  const axes: number[] = [];
  for (let axis = isInOutput.lastIndexOf(true); isInOutput[axis]; axis--) axes.unshift(axis);
  return axes;
}
