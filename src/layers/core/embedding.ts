import type { PartialShape } from '../../array/shape.ts';
import { apply } from '../../graph/apply.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { notEqual } from '../../ops/compare.ts';
import { divide, multiply, tanh } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matrix.ts';
import { cast } from '../../ops/operand.ts';
import { transpose } from '../../ops/shape.ts';
import type { Constraint } from '../constraints.ts';
import {
  boolean,
  constraint,
  type Fields,
  initializer,
  nullable,
  number,
  type Options,
  positiveInteger,
  regularizer,
  string,
} from '../fields.ts';
import type { Initializer } from '../initializers.ts';
import { type CallContext, Layer, type LayerConfig, layerFields } from '../layer.ts';
import type { Regularizer } from '../regularizers.ts';
import { type LoraConfig, loraFields } from './lora.ts';
import { unquantized } from './quantization.ts';

export interface EmbeddingConfig extends LayerConfig, LoraConfig {
  /** Number of rows: indices run from 0 to one less. */
  inputDim: number;
  /** Length of each row. */
  outputDim: number;
  embeddingsInitializer: Initializer;
  embeddingsRegularizer: Regularizer | null;
  activityRegularizer: Regularizer | null;
  embeddingsConstraint: Constraint | null;
  /** Whether index 0 stands for padding: the output gets a mask that leaves it out. */
  maskZero: boolean;
  /** Keras' plan for quantized weights; only `null`, none, can be computed. */
  quantizationConfig: null;
}

const embeddingFields: Fields<EmbeddingConfig> = {
  ...layerFields,
  ...loraFields,
  inputDim: positiveInteger(),
  outputDim: positiveInteger(),
  embeddingsInitializer: initializer('uniform'),
  embeddingsRegularizer: regularizer(),
  activityRegularizer: regularizer(),
  embeddingsConstraint: constraint(),
  maskZero: boolean(false),
  quantizationConfig: unquantized(),
};

function lookUp(table: SymbolicTensor, indices: SymbolicTensor): SymbolicTensor {
  return apply('gather', [table, cast(indices, 'int32')], { axis: 0 });
}

/**
 * A table from which each index takes a row: `[batch, …]` gives `[batch, …, outputDim]`.
 *
 * An index beyond the table gives NaN.
 */
export class Embedding extends Layer<EmbeddingConfig> {
  static readonly className = 'Embedding';
  static readonly fields: Fields<EmbeddingConfig> = embeddingFields;
  override readonly supportsMasking: boolean = this.config.maskZero;

  constructor(options: Options<EmbeddingConfig, 'inputDim' | 'outputDim'>) {
    super(Embedding.className, Embedding.fields, options);
  }

  protected override build(): void {
    const { inputDim, outputDim, embeddingsInitializer } = this.config;
    this.addWeight('embeddings', [inputDim, outputDim], { initializer: embeddingsInitializer, channelAxes: [0] });
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return lookUp(this.weight('embeddings'), x);
  }

  override computeMask([x]: readonly [SymbolicTensor]): readonly (SymbolicTensor | undefined)[] {
    return [this.config.maskZero ? notEqual(x, 0) : undefined];
  }
}

export interface ReversibleEmbeddingConfig extends EmbeddingConfig {
  /** Whether the way back uses the same table; otherwise it has one of its own. */
  tieWeights: boolean;
  /** Keras' dtype for the way back; programs compute in float32 whatever it says. */
  reverseDtype: string | null;
  /** Bound to which the results of the way back are bent: `cap · tanh(x / cap)`. */
  logitSoftCap: number | null;
}

/**
 * An embedding that also leads back: called with `reverse: true`, `[batch, …, outputDim]` gives the similarity to each
 * row, `[batch, …, inputDim]`.
 */
export class ReversibleEmbedding extends Layer<ReversibleEmbeddingConfig> {
  static readonly className = 'ReversibleEmbedding';
  static readonly fields: Fields<ReversibleEmbeddingConfig> = {
    ...embeddingFields,
    tieWeights: boolean(true),
    reverseDtype: nullable(string()),
    logitSoftCap: nullable(number()),
  };
  override readonly supportsMasking: boolean = this.config.maskZero;

  constructor(options: Options<ReversibleEmbeddingConfig, 'inputDim' | 'outputDim'>) {
    super(ReversibleEmbedding.className, ReversibleEmbedding.fields, options);
  }

  protected override build(_inputShapes: readonly PartialShape[]): void {
    const { inputDim, outputDim, embeddingsInitializer, tieWeights } = this.config;
    this.addWeight('embeddings', [inputDim, outputDim], { initializer: embeddingsInitializer, channelAxes: [0] });
    if (!tieWeights) {
      this.addWeight('reverse_embeddings', [outputDim, inputDim], {
        initializer: embeddingsInitializer,
        channelAxes: [-1],
      });
    }
  }

  override call([x]: readonly [SymbolicTensor], { kwargs }: CallContext): SymbolicTensor {
    if (kwargs.reverse !== true) return lookUp(this.weight('embeddings'), x);
    const { tieWeights, logitSoftCap } = this.config;
    const back = tieWeights ? transpose(this.weight('embeddings')) : this.weight('reverse_embeddings');
    const logits = matmul(x, back);
    return logitSoftCap === null ? logits : multiply(tanh(divide(logits, logitSoftCap)), logitSoftCap);
  }

  override computeMask(
    [x]: readonly [SymbolicTensor],
    _outputs: readonly SymbolicTensor[],
    { kwargs }: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    return [this.config.maskZero && kwargs.reverse !== true ? notEqual(x, 0) : undefined];
  }
}
