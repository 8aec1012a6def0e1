/** What the attention layers with heads share: the options of their projections. */
import { EinsumDense } from '../core/einsum-dense.ts';
import { boolean, type Fields, integer, nullable, number, positiveInteger } from '../fields.ts';
import { type KernelConfig, kernelFields } from '../kernel-options.ts';
import { type LayerConfig, layerFields } from '../layer.ts';

export interface ProjectionConfig extends LayerConfig, KernelConfig {
  /** Share of the attention weights that training drops. */
  dropout: number;
  useBias: boolean;
  /** Whether the output is multiplied by a gate that the query opens. */
  useGate: boolean;
  /** How many keys to each side a query sees, itself among them; `null` for all. */
  slidingWindow: number | null;
  /** Kept for Keras; it changes no number. */
  flashAttention: boolean | null;
  seed: number | null;
}

export const projectionFields: Fields<ProjectionConfig> = {
  ...layerFields,
  dropout: number(0),
  useBias: boolean(true),
  useGate: boolean(false),
  slidingWindow: nullable(positiveInteger()),
  flashAttention: nullable(boolean()),
  ...kernelFields,
  seed: nullable(integer()),
};

/** A projection by an einsum; its bias has the axes of the kernel that remain in the output. */
export function projection(
  config: ProjectionConfig,
  name: string,
  equation: string,
  biasAxes: string,
  outputShape: readonly (number | null)[],
  activation: 'sigmoid' | 'linear' = 'linear',
): EinsumDense {
  return new EinsumDense({
    name,
    equation,
    outputShape,
    activation,
    biasAxes: config.useBias ? biasAxes : null,
    kernelInitializer: config.kernelInitializer,
    biasInitializer: config.biasInitializer,
    kernelRegularizer: config.kernelRegularizer,
    biasRegularizer: config.biasRegularizer,
    activityRegularizer: config.activityRegularizer,
    kernelConstraint: config.kernelConstraint,
    biasConstraint: config.biasConstraint,
  });
}
