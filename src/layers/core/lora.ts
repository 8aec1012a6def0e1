import { type Field, integer, nullable } from '../fields.ts';

/**
 * Low-rank adaptation, as far as files tell of it: Keras merges the factors into the kernel when it saves a `.keras`,
 * and stores them beside the kernel in a legacy `.h5`, from which they are merged when it is read.
 */
export interface LoraConfig {
  loraRank: number | null;
  /** The factors' product is scaled by `loraAlpha / loraRank`. */
  loraAlpha: number | null;
}

/** Fields of `LoraConfig`, to be spread into the fields of a layer that Keras can adapt. */
export const loraFields: { readonly [K in keyof LoraConfig]: Field<LoraConfig[K]> } = {
  loraRank: nullable(integer()),
  loraAlpha: nullable(integer()),
};
