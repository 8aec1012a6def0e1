/** Layers that give the same elements in another shape or order. */
import { formatShape } from '../../array/shape.ts';
import { ShapeError } from '../../errors.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { channelsLast } from '../../ops/convolution.ts';
import { expandDims, repeat, reshape, transpose } from '../../ops/shape.ts';
import { checkRank, type DataFormat, dataFormat } from '../data-format.ts';
import { anything, type Fields, type Options, positiveInteger } from '../fields.ts';
import { Layer, type LayerConfig, layerFields } from '../layer.ts';

export interface FlattenConfig extends LayerConfig {
  /** Where channels stand; they are put last before the axes are joined. */
  dataFormat: DataFormat;
}

/** Joins all axes but the batch: `[batch, …]` gives `[batch, size]`. */
export class Flatten extends Layer<FlattenConfig> {
  static readonly className = 'Flatten';
  static readonly fields: Fields<FlattenConfig> = { ...layerFields, dataFormat: dataFormat() };

  constructor(options: Options<FlattenConfig> = {}) {
    super(Flatten.className, Flatten.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const ordered = x.shape.length > 1 ? channelsLast(x, this.config.dataFormat) : x;
    const size = x.shape.slice(1).reduce((product, extent) => product * extent, 1);
    return reshape(ordered, [x.shape[0] as number, size]);
  }
}

export interface ReshapeConfig extends LayerConfig {
  /** The shape without the batch; one extent may be −1: what is left. */
  targetShape: readonly number[];
}

/** Gives the elements of each example another shape. */
export class Reshape extends Layer<ReshapeConfig> {
  static readonly className = 'Reshape';
  static readonly fields: Fields<ReshapeConfig> = {
    ...layerFields,
    targetShape: anything('a list of extents, of which one may be -1', isTarget),
  };

  constructor(options: Options<ReshapeConfig, 'targetShape'>) {
    super(Reshape.className, Reshape.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    const { targetShape } = this.config;
    const [batch, ...rest] = x.shape as [number, ...number[]];
    // The batch may be empty, so the open extent is found without it.
    const known = targetShape.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
    const size = rest.reduce((product, extent) => product * extent, 1);
    const resolved = targetShape.map((extent) => (extent === -1 ? size / known : extent));
    if (!resolved.every(Number.isInteger) || resolved.reduce((product, extent) => product * extent, 1) !== size) {
      throw new ShapeError(
        `Cannot apply layer "${this.name}": found an input of shape ${formatShape(x.shape)}, ` +
          `expected ${formatShape(targetShape)} to have as many elements for each example`,
      );
    }
    return reshape(x, [batch, ...resolved]);
  }
}

function isTarget(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((extent) => Number.isInteger(extent) && extent >= -1) &&
    value.filter((extent) => extent === -1).length <= 1
  );
}

export interface PermuteConfig extends LayerConfig {
  /** The axes in their new order, counted from 1: the batch stays first. */
  dims: readonly number[];
}

/** Puts the axes of each example into another order. */
export class Permute extends Layer<PermuteConfig> {
  static readonly className = 'Permute';
  static readonly fields: Fields<PermuteConfig> = {
    ...layerFields,
    dims: anything('each of the axes 1, 2, … once', isPermutation),
  };

  constructor(options: Options<PermuteConfig, 'dims'>) {
    super(Permute.className, Permute.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    return transpose(x, [0, ...this.config.dims]);
  }
}

function isPermutation(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((_, index) => value.includes(index + 1));
}

export interface RepeatVectorConfig extends LayerConfig {
  n: number;
}

/** Repeats each vector `n` times: `[batch, features]` gives `[batch, n, features]`. */
export class RepeatVector extends Layer<RepeatVectorConfig> {
  static readonly className = 'RepeatVector';
  static readonly fields: Fields<RepeatVectorConfig> = { ...layerFields, n: positiveInteger() };

  constructor(options: Options<RepeatVectorConfig, 'n'>) {
    super(RepeatVector.className, RepeatVector.fields, options);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    checkRank(this.name, x.shape, 2);
    return repeat(expandDims(x, 1), this.config.n, 1);
  }
}
