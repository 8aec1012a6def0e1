/** The options that every layer with one kernel and a bias has, as Keras names them. */
import type { Constraint } from './constraints.ts';
import { constraint, type Field, initializer, regularizer } from './fields.ts';
import type { Initializer } from './initializers.ts';
import type { Regularizer } from './regularizers.ts';

export interface KernelConfig {
  kernelInitializer: Initializer;
  biasInitializer: Initializer;
  kernelRegularizer: Regularizer | null;
  biasRegularizer: Regularizer | null;
  activityRegularizer: Regularizer | null;
  kernelConstraint: Constraint | null;
  biasConstraint: Constraint | null;
}

/** Fields of `KernelConfig`, to be spread into the fields of a layer. */
export const kernelFields: { readonly [K in keyof KernelConfig]: Field<KernelConfig[K]> } = {
  kernelInitializer: initializer('glorot_uniform'),
  biasInitializer: initializer('zeros'),
  kernelRegularizer: regularizer(),
  biasRegularizer: regularizer(),
  activityRegularizer: regularizer(),
  kernelConstraint: constraint(),
  biasConstraint: constraint(),
};
