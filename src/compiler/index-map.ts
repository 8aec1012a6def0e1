/**
 * How the coordinates of a tensor follow from those of a domain, when only moves lie between: each axis of the tensor
 * is `offset + stride · (one axis of the domain)`, or a constant.
 */
import { type Shape, stridesOf } from '../array/shape.ts';
import type { AnyNode, SymbolicTensor } from '../graph/node.ts';
import type { Access, Buffer } from './schedule.ts';

export interface MappedAxis {
  /** Axis of the domain, or −1 for a constant coordinate. */
  readonly axis: number;
  readonly stride: number;
  readonly offset: number;
}

/** One entry for each axis of the tensor. */
export type IndexMap = readonly MappedAxis[];

const CONSTANT_ZERO: MappedAxis = { axis: -1, stride: 0, offset: 0 };

export function identityMap(shape: Shape): IndexMap {
  return shape.map((_, axis) => ({ axis, stride: 1, offset: 0 }));
}

/** Equal maps have equal keys. */
export function mapKey(map: IndexMap): string {
  return map.map(({ axis, stride, offset }) => `${axis}*${stride}+${offset}`).join();
}

/** Whether a reshape only adds or removes axes of extent 1, so that a map can follow it. */
export function isUnitReshape(from: Shape, to: Shape): boolean {
  const [a, b] = [from.filter((extent) => extent !== 1), to.filter((extent) => extent !== 1)];
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** Nodes that only change which element is read, so that a loop over their output can read their input instead. */
export function isIndexMove(node: AnyNode): boolean {
  switch (node.primitive) {
    case 'broadcast':
    case 'transpose':
    case 'slice':
    case 'reverse':
      return true;
    case 'reshape':
      return isUnitReshape((node.inputs[0] as SymbolicTensor).shape, node.attributes.shape);
    default:
      return false;
  }
}

/** Given how the output of a move is indexed, how its input is. */
export function mapThrough(node: AnyNode, map: IndexMap): IndexMap {
  const shape = (node.inputs[0] as SymbolicTensor).shape;
  switch (node.primitive) {
    case 'broadcast':
      return map.map((mapped, axis) => (shape[axis] === 1 ? CONSTANT_ZERO : mapped));
    case 'transpose': {
      const { permutation } = node.attributes;
      return shape.map((_, axis) => map[permutation.indexOf(axis)] as MappedAxis);
    }
    case 'slice': {
      const { starts, strides } = node.attributes;
      return map.map(({ axis, stride, offset }, own) => ({
        axis,
        stride: stride * (strides[own] as number),
        offset: (starts[own] as number) + offset * (strides[own] as number),
      }));
    }
    case 'reverse': {
      const { axes } = node.attributes;
      return map.map((mapped, own) => {
        if (!axes.includes(own)) return mapped;
        return {
          axis: mapped.axis,
          stride: -mapped.stride,
          offset: (shape[own] as number) - 1 - mapped.offset,
        };
      });
    }
    case 'reshape': {
      const long = map.filter((_, axis) => node.attributes.shape[axis] !== 1);
      let next = 0;
      return shape.map((extent) => (extent === 1 ? CONSTANT_ZERO : (long[next++] as MappedAxis)));
    }
    default:
      throw new TypeError(`Cannot map indices through ${node.primitive}: it is not a move`);
  }
}

/** The access that a map makes of a contiguous buffer of the given shape. */
export function accessOf(buffer: Buffer, shape: Shape, map: IndexMap, domain: Shape): Access {
  const { offset, strides } = linearize(stridesOf(shape), map, domain);
  return { buffer, offset, strides };
}

/** `offset + Σ stride · coordinate` of the domain, given a weight for each axis of the tensor. */
export function linearize(
  weights: readonly number[],
  map: IndexMap,
  domain: Shape,
): { offset: number; strides: readonly number[] } {
  const strides = new Array<number>(domain.length).fill(0);
  let offset = 0;
  for (const [axis, mapped] of map.entries()) {
    const weight = weights[axis] as number;
    offset += weight * mapped.offset;
    if (mapped.axis >= 0) strides[mapped.axis] = (strides[mapped.axis] as number) + weight * mapped.stride;
  }
  return { offset, strides };
}

/** Whether an access visits the elements of its buffer in order as the domain is walked in row-major order. */
export function isFlat(access: Pick<Access, 'offset' | 'strides'>, domain: Shape): boolean {
  const contiguous = stridesOf(domain);
  return (
    access.offset === 0 && access.strides.every((stride, axis) => domain[axis] === 1 || stride === contiguous[axis])
  );
}
