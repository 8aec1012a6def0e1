import { arrayOperations } from './operations-arrays.ts';
import { elementwiseOperations } from './operations-elementwise.ts';
import { networkOperations } from './operations-networks.ts';
import type { RawOperation } from './raw-operation.ts';

export type { RawOperation } from './raw-operation.ts';
export { unknownKeys } from './raw-operation.ts';

/**
 * The operations of `keras.ops` by class name, such as `Add` or `GetItem`: nodes of Functional models that are no layers.
 * The module that a file names beside (`keras.src.ops.numpy`, `keras.ops.numpy`) adds nothing, as no name occurs twice.
 */
export const operations: ReadonlyMap<string, RawOperation> = new Map([
  ...elementwiseOperations,
  ...arrayOperations,
  ...networkOperations,
]);
