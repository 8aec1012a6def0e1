import type { PartialShape, Shape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { dilatedExtent } from '../../graph/window.ts';
import { conv } from '../../ops/convolution.ts';
import { add } from '../../ops/elementwise.ts';
import { reshape, split } from '../../ops/shape.ts';
import type { Activation } from '../activation.ts';
import { channelsOf, type DataFormat, dataFormat, spatialAxes } from '../data-format.ts';
import { activation, boolean, extents, type Fields, type Options, oneOf, positiveInteger } from '../fields.ts';
import type { CallContext } from '../layer.ts';
import { type CellStep, type Gate, type GateConfig, gateFields, RNNCell } from './cell.ts';
import { dropInputs, dropStates, gateProduct } from './gates.ts';
import { LSTM_GATES, lstmStep, withForgetBias } from './lstm.ts';

export interface ConvLSTMCellConfig extends GateConfig {
  filters: number;
  kernelSize: readonly number[];
  strides: readonly number[];
  padding: 'valid' | 'same';
  dataFormat: DataFormat;
  dilationRate: readonly number[];
  recurrentActivation: Activation;
  unitForgetBias: boolean;
}

/** Fields of the cell over so many spatial axes. */
export function convLSTMCellFields(ndim: number): Fields<ConvLSTMCellConfig> {
  return {
    ...gateFields,
    filters: positiveInteger(),
    kernelSize: extents(ndim),
    strides: extents(ndim, 1),
    padding: oneOf(['valid', 'same'], 'valid'),
    dataFormat: dataFormat(),
    dilationRate: extents(ndim, 1),
    recurrentActivation: activation('sigmoid'),
    unitForgetBias: boolean(true),
  };
}

/**
 * An LSTM whose products are convolutions: that of the inputs with strides and dilation, that of the states without.
 *
 * Steps and states are images `[batch, …spatial, channels]`; the gates lie side by side in the filters.
 */
export class ConvLSTMCell extends RNNCell<ConvLSTMCellConfig> {
  override readonly gates: readonly Gate[] = LSTM_GATES;
  readonly #ndim: number;

  constructor(
    className: string,
    ndim: number,
    fields: Fields<ConvLSTMCellConfig>,
    options: Readonly<Record<string, unknown>>,
  ) {
    super(className, fields, options);
    this.#ndim = ndim;
  }

  override get stateSizes(): readonly number[] {
    return [this.config.filters, this.config.filters];
  }

  protected override build([inputShape = []]: readonly PartialShape[]): void {
    const { filters, kernelSize, dataFormat, kernelInitializer, recurrentInitializer, biasInitializer } = this.config;
    const channels = channelsOf(inputShape, dataFormat);
    this.addWeight('kernel', [...kernelSize, channels, 4 * filters], {
      initializer: kernelInitializer,
      channelAxes: [-1],
      convolves: true,
    });
    this.addWeight('recurrent_kernel', [...kernelSize, filters, 4 * filters], {
      initializer: recurrentInitializer,
      channelAxes: [-1],
      convolves: true,
    });
    if (!this.config.useBias) return;
    const initializer = this.config.unitForgetBias ? withForgetBias(biasInitializer) : biasInitializer;
    this.addWeight('bias', [4 * filters], { initializer });
  }

  override stateShapes(stepShape: Shape): readonly Shape[] {
    const { filters, kernelSize, strides, padding, dilationRate, dataFormat } = this.config;
    if (stepShape.length !== this.#ndim + 2) {
      throw new ShapeError(
        `Cannot apply layer "${this.name}": found steps of ${stepShape.length} axes, expected ${this.#ndim + 2}`,
      );
    }
    const spatial = spatialAxes(stepShape.length, dataFormat).map((axis, index) => {
      const [extent, stride] = [stepShape[axis] as number, strides[index] as number];
      if (padding === 'same') return Math.ceil(extent / stride);
      const window = dilatedExtent(kernelSize[index] as number, dilationRate[index] as number);
      return Math.floor((extent - window) / stride) + 1;
    });
    const batch = stepShape[0] as number;
    const shape = dataFormat === 'channels_last' ? [batch, ...spatial, filters] : [batch, filters, ...spatial];
    return [shape, shape];
  }

  override project(steps: SymbolicTensor, context: CallContext): SymbolicTensor {
    const { strides, padding, dilationRate, dataFormat } = this.config;
    const [length, batch] = steps.shape as readonly [number, number];
    const images = dropInputs(this, steps, 4, context).map((x) => reshape(x, [length * batch, ...x.shape.slice(2)]));
    const options = { strides, padding, dilationRate, dataFormat };
    const product = gateProduct(images, this.weight('kernel'), (x, kernel) => conv(x, kernel, options), this.#channels);
    const sums = this.config.useBias ? add(product, this.#bias()) : product;
    return reshape(sums, [length, batch, ...sums.shape.slice(1)]);
  }

  /** The axis of the channels, along which the gates lie. */
  get #channels(): number {
    return this.config.dataFormat === 'channels_last' ? -1 : 1;
  }

  #bias(): SymbolicTensor {
    const bias = this.weight('bias');
    const first = this.config.dataFormat === 'channels_first';
    return first ? reshape(bias, [-1, ...new Array<number>(this.#ndim).fill(1)]) : bias;
  }

  override step(projected: SymbolicTensor, states: readonly SymbolicTensor[], context: CallContext): CellStep {
    const { dataFormat } = this.config;
    const [h, c] = states as readonly [SymbolicTensor, SymbolicTensor];
    const product = gateProduct(
      dropStates(this, h, 4, context),
      this.weight('recurrent_kernel'),
      (x, kernel) => conv(x, kernel, { padding: 'same', dataFormat }),
      this.#channels,
    );
    return lstmStep(split(add(projected, product), 4, this.#channels), c, this.config);
  }
}

const fields2D = convLSTMCellFields(2);

/** One step of `ConvLSTM2D`, a class of its own in TensorFlow.js. */
export class ConvLSTM2DCell extends ConvLSTMCell {
  static readonly className = 'ConvLSTM2DCell';
  static readonly fields: Fields<ConvLSTMCellConfig> = fields2D;

  constructor(options: Options<ConvLSTMCellConfig, 'filters' | 'kernelSize'>) {
    super(ConvLSTM2DCell.className, 2, ConvLSTM2DCell.fields, options);
  }
}
