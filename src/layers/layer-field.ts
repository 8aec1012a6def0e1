/** Fields that hold layers: what wrappers wrap, the cells of a recurrent layer. */
import type { Field, FieldKind, Fields } from './fields.ts';
import { Layer } from './layer.ts';

/** A layer that passes a check. */
export function layer<L extends Layer>(expected: string, check: (layer: Layer) => layer is L): Field<L> {
  const parse = (value: unknown): L | undefined => (value instanceof Layer && check(value) ? value : undefined);
  return { kind: 'layer', expected, parse };
}

/** Any layer. */
export const isLayer = (value: Layer): value is Layer => value instanceof Layer;

/** A list of layers that pass a check. */
export function layers<L extends Layer>(expected: string, check: (layer: Layer) => layer is L): Field<readonly L[]> {
  const parse = (value: unknown): readonly L[] | undefined =>
    Array.isArray(value) && value.every((element) => element instanceof Layer && check(element))
      ? (value as L[])
      : undefined;
  return { kind: 'layers', expected, parse };
}

const HOLDS_LAYERS: ReadonlySet<FieldKind> = new Set(['layer', 'layers']);

/**
 * A new layer of the same class and configuration, without its weights. Layers that it was given are cloned too.
 *
 * @param cloneInner what clones the layers inside; the same by default
 */
export function cloneLayer<L extends Layer>(
  original: L,
  changes: Readonly<Record<string, unknown>> = {},
  cloneInner: (layer: Layer) => Layer = (layer) => cloneLayer(layer),
): L {
  const layerClass = original.constructor as unknown as {
    new (options: Readonly<Record<string, unknown>>): L;
    readonly fields: Fields<Record<string, unknown>>;
  };
  const cloneNested = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(cloneNested);
    return value instanceof Layer ? cloneInner(value) : value;
  };
  const options = Object.entries(original.config).map(([key, value]: [string, unknown]): [string, unknown] => {
    const kind = layerClass.fields[key]?.kind;
    return [key, kind !== undefined && HOLDS_LAYERS.has(kind) ? cloneNested(value) : value];
  });
  return new layerClass({ ...Object.fromEntries(options), ...changes });
}
