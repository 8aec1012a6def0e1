import { anything, type Field } from '../fields.ts';

/** The field `quantizationConfig`: Keras' plan for quantized weights. Weights are floats here, so it is `null`. */
export function unquantized(): Field<null> {
  return anything<null>('null: quantized weights are not supported', (value) => value === null, null);
}
