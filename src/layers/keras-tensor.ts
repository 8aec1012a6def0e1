import type { Dtype } from '../array/dtype.ts';
import type { PartialShape } from '../array/shape.ts';
import type { Layer } from './layer.ts';

/** One call of a layer while a model is put together: an edge list from which models are cut. */
export interface LayerCall {
  readonly layer: Layer;
  readonly inputs: readonly KerasTensor[];
  /** Further arguments; tensors among them, nested ones too, are dependencies like `inputs`. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly outputs: readonly KerasTensor[];
}

/**
 * What a layer gives when it is applied to other layers' outputs: a shape with unknown extents, a dtype, and where it
 * comes from. It holds no numbers.
 */
export class KerasTensor {
  readonly shape: PartialShape;
  readonly dtype: Dtype;
  readonly name: string;
  /** The call that gives this tensor, and which of its outputs this is. */
  readonly call: LayerCall;
  readonly index: number;

  constructor(spec: { shape: PartialShape; dtype: Dtype; name: string }, call: LayerCall, index: number) {
    this.shape = spec.shape;
    this.dtype = spec.dtype;
    this.name = spec.name;
    this.call = call;
    this.index = index;
  }
}

/** A value with tensors anywhere inside: lists and plain objects are walked, everything else is a leaf. */
export function mapTensors(value: unknown, map: (tensor: KerasTensor) => unknown): unknown {
  if (value instanceof KerasTensor) return map(value);
  if (Array.isArray(value)) return value.map((element) => mapTensors(element, map));
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, mapTensors(element, map)]));
  }
  return value;
}

/** The tensors inside a value, in order. */
export function tensorsIn(value: unknown): KerasTensor[] {
  const found: KerasTensor[] = [];
  mapTensors(value, (tensor) => found.push(tensor));
  return found;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
