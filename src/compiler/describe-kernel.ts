/** Kernels in a few words, and the layers that they come from. */
import type { Shape } from '../array/shape.ts';
import type { AnyNode, SymbolicTensor } from '../graph/node.ts';
import { type Expression, type Kernel, type Tail, visitExpression } from './schedule.ts';

/** At most so many names of operations are listed. */
const MOST_NAMES = 4;

/** `convolve 3×3, stride 2, + add, maximum`: what is computed, and what is fused into it. */
export function describeKernel(kernel: Kernel): string {
  switch (kernel.kind) {
    case 'loop':
      return listed(operationsOf(kernel.value)) || 'copy';
    case 'reduce': {
      const before = listed(operationsOf(kernel.value));
      return `${kernel.fold} over ${kernel.reduced.join('×')}${before && ` of ${before}`}${fused(kernel.tail)}`;
    }
    case 'node':
      return describeNode(kernel.node) + fused(kernel.tail);
    case 'scan':
      return `${kernel.length} ${kernel.length === 1 ? 'step' : 'steps'} of ${listed([...new Set(kernel.body.map(stemOf))])}`;
    case 'pack':
      return 'pack weights';
  }
}

/** The shape of what a kernel computes. */
export function kernelShape(kernel: Kernel): Shape {
  switch (kernel.kind) {
    case 'loop':
      return kernel.domain;
    case 'reduce':
      return kernel.kept;
    case 'node':
      return (kernel.node.outputs[0] as SymbolicTensor).shape;
    case 'scan':
      return [kernel.length];
    case 'pack':
      return [kernel.output.size];
  }
}

/** Where the parts of a kernel come from, in the order in which they are computed; see `origin`. */
export function kernelOrigins(kernel: Kernel): string[] {
  const found = new Set<string>();
  const add = (name: string | undefined): void => {
    if (name !== undefined) found.add(name);
  };
  const addExpression = (value: Expression): void =>
    visitExpression(value, (part) => {
      if (part.kind === 'apply') add(part.origin);
    });
  if (kernel.kind === 'loop' || kernel.kind === 'reduce') addExpression(kernel.value);
  if (kernel.kind === 'scan') for (const inner of kernel.body) for (const name of kernelOrigins(inner)) add(name);
  add(kernel.origin);
  if ((kernel.kind === 'reduce' || kernel.kind === 'node') && kernel.tail !== undefined)
    addExpression(kernel.tail.value);
  return [...found];
}

function describeNode(node: AnyNode): string {
  const [left, right] = node.inputs as readonly SymbolicTensor[];
  switch (node.primitive) {
    case 'convolve': {
      const { groups, strides, dilation } = node.attributes;
      const isDepthwise = groups > 1 && groups === left?.shape.at(-1);
      const words = [`convolve ${(right?.shape.slice(0, -2) ?? []).join('×')}`];
      if (isDepthwise) words.push('depthwise');
      else if (groups > 1) words.push(`${groups} groups`);
      if (strides.some((stride) => stride !== 1)) words.push(`stride ${unlessEqual(strides)}`);
      if (dilation.some((extent) => extent !== 1)) words.push(`dilation ${unlessEqual(dilation)}`);
      return words.join(', ');
    }
    case 'maxPool':
    case 'averagePool':
      return `${node.primitive} ${node.attributes.window.join('×')}`;
    case 'dot':
      return `dot ${left?.shape.join('×')} · ${right?.shape.join('×')}`;
    default:
      return node.primitive;
  }
}

function unlessEqual(extents: readonly number[]): string {
  return extents.every((extent) => extent === extents[0]) ? String(extents[0]) : extents.join('×');
}

function fused(tail: Tail | undefined): string {
  const names = tail === undefined ? [] : operationsOf(tail.value);
  return names.length === 0 ? '' : ` + ${listed(names)}`;
}

function operationsOf(value: Expression): string[] {
  const names = new Set<string>();
  visitExpression(value, (part) => {
    if (part.kind === 'apply') names.add(part.primitive);
  });
  return [...names];
}

/** `convolve.2` is one of several that convolve. */
function stemOf({ name }: Kernel): string {
  return name.replace(/\.\d+.*$/, '');
}

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
