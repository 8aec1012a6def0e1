import type { SymbolicTensor } from '../graph/node.ts';
import type { Field } from '../layers/fields.ts';
import type { Layer } from '../layers/layer.ts';

/** A class of layers: its name in files, its fields, and a constructor that takes options. */
export interface LayerClass {
  readonly className: string;
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  readonly prototype: Layer;
  /** Each class states the type of its own options; whoever calls this has checked them against `fields`. */
  new (options: never): Layer;
}

/** In the place of a layer, a Lambda or an activation: a function of the inputs, written with `ops`. */
export type CustomFunction = (
  inputs: readonly SymbolicTensor[],
  config: Readonly<Record<string, unknown>>,
) => SymbolicTensor | readonly SymbolicTensor[];

/** What only the author of a file has, by the name under which the file refers to it. */
export type CustomObjects = Readonly<Record<string, LayerClass | CustomFunction>>;
