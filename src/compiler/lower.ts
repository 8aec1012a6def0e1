/** Turns a clustered graph into kernels. */
import { type Shape, sizeOf, stridesOf } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import { type AnyNode, type Graph, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type { Variable } from '../graph/variable.ts';
import { atOnce } from '../pause.ts';
import type { Update } from './backend.ts';
import { type Clustering, cluster, isElementwise, isFold, type Root } from './cluster.ts';
import { accessOf, type IndexMap, identityMap, linearize, mapKey, mapThrough } from './index-map.ts';
import type {
  Access,
  Buffer,
  BufferRole,
  Expression,
  Fold,
  Kernel,
  NumericDtype,
  ScanSequence,
  Schedule,
  Tail,
} from './schedule.ts';

export interface LowerAdvice {
  /** Outputs and others in the order in which they are to be computed; see `backwards`. */
  readonly roots?: readonly SymbolicTensor[];
  /** Whether several kernels better compute a node's value again than share it; see `repeatableNodes`. */
  readonly isRepeatable?: (node: AnyNode) => boolean;
}

/**
 * The schedule of a graph, made in steps. Its inputs may be any values, such as those of `host` nodes: what they were computed from
 * is left out. All that is not left out must be numeric.
 *
 * What depends on variables and constants only goes to the prologue, from inside loops too; variables that the run
 * assigns are none of these.
 *
 * @param advice for the step of a training
 */
export function* lowerGraph(
  graph: Graph,
  updates: readonly Update[] = [],
  advice: LowerAdvice = {},
): Generator<void, Schedule> {
  const lowering = new Lowering(new Set(updates.map(([variable]) => variable)));
  const inputs = graph.inputs.map((symbol, index) => lowering.buffer(`input${index}`, 'input', symbol));
  const scope = new Scope(lowering, lowering.kernels);
  for (const [index, symbol] of graph.inputs.entries()) scope.bind(symbol, inputs[index] as Buffer, false);
  const results = yield* scope.lower([...graph.outputs, ...updates.map(([, value]) => value)], advice);
  // What is given after the run must not be a state, which has its next value by then.
  const safe = results.map((buffer) => (buffer.role === 'state' ? lowering.putAside(buffer) : buffer));
  const next = safe.slice(graph.outputs.length);
  const { parameters, constants, prologue, kernels } = lowering;
  return {
    inputs,
    outputs: safe.slice(0, graph.outputs.length),
    parameters,
    constants,
    prologue,
    kernels,
    updates: updates.map(([variable], index) => {
      return { variable, state: lowering.parameter(variable), next: next[index] as Buffer };
    }),
  };
}

/** What the graph and the bodies of its loops have in common. */
class Lowering {
  readonly parameters = new Map<Variable, Buffer>();
  readonly constants = new Map<Tensor, Buffer>();
  readonly prologue: Kernel[] = [];
  readonly kernels: Kernel[] = [];
  readonly #counts = new Map<string, number>();
  readonly #updated: ReadonlySet<Variable>;

  constructor(updated: ReadonlySet<Variable>) {
    this.#updated = updated;
  }

  /** Whether the value of a node without inputs is the same in every run, until a variable is assigned from outside. */
  isFixed(node: AnyNode): boolean {
    return node.primitive !== 'parameter' || !this.#updated.has(node.attributes.variable);
  }

  /** A name that no other kernel or buffer has: `multiply`, `multiply.2`, … */
  name(stem: string): string {
    const count = (this.#counts.get(stem) ?? 0) + 1;
    this.#counts.set(stem, count);
    return count === 1 ? stem : `${stem}.${count}`;
  }

  buffer(name: string, role: BufferRole, { shape, dtype }: Pick<SymbolicTensor, 'shape' | 'dtype'>): Buffer {
    return { name, role, dtype: dtype as NumericDtype, size: sizeOf(shape) };
  }

  parameter(variable: Variable): Buffer {
    let buffer = this.parameters.get(variable);
    if (buffer === undefined) {
      const role = this.#updated.has(variable) ? 'state' : 'parameter';
      const { narrow } = variable;
      buffer = {
        ...this.buffer(this.name(variable.path), role, variable),
        ...(narrow && { narrow: { dtype: narrow.dtype, channels: narrow.channels } }),
      };
      this.parameters.set(variable, buffer);
    }
    return buffer;
  }

  constant(value: Tensor): Buffer {
    let buffer = this.constants.get(value);
    if (buffer === undefined) {
      buffer = this.buffer(this.name('constant'), 'constant', value);
      this.constants.set(value, buffer);
    }
    return buffer;
  }

  /** A copy of a buffer, made after all other kernels so far. */
  putAside(buffer: Buffer): Buffer {
    const aside: Buffer = { ...buffer, name: this.name(`${buffer.name}/aside`), role: 'temporary' };
    const domain = [aside.size];
    const value: Expression = { kind: 'load', dtype: aside.dtype, access: wholeAccess(buffer, domain) };
    this.kernels.push({ kind: 'loop', name: aside.name, domain, store: wholeAccess(aside, domain), value });
    return aside;
  }
}

/** One graph: the whole one, or the body of a loop. */
class Scope {
  readonly #lowering: Lowering;
  /** Where kernels of the run go; those of the prologue go to the prologue. */
  readonly #kernels: Kernel[];
  readonly #buffers = new Map<SymbolicTensor, Buffer>();
  readonly #static = new Set<AnyNode>();
  #clustering: Clustering = { roots: new Map(), aliases: new Set(), anchored: new Set() };

  constructor(lowering: Lowering, kernels: Kernel[]) {
    this.#lowering = lowering;
    this.#kernels = kernels;
  }

  /** Says where the value of an input is. */
  bind(symbol: SymbolicTensor, buffer: Buffer, isStatic: boolean): void {
    this.#buffers.set(symbol, buffer);
    if (isStatic) this.#static.add(symbol.node);
  }

  /** Emits the kernels and gives the buffers of the outputs. */
  *lower(
    outputs: readonly SymbolicTensor[],
    { roots = [], isRepeatable }: LowerAdvice = {},
  ): Generator<void, Buffer[]> {
    const order = topologicalOrder([...roots, ...outputs]);
    for (const node of order) {
      if (node.primitive === 'input' || node.primitive === 'host') continue;
      if (node.inputs.every((input) => this.#static.has(input.node)) && this.#lowering.isFixed(node)) {
        this.#static.add(node);
      }
    }
    yield;
    this.#clustering = yield* cluster(
      order,
      outputs,
      (symbol) => this.#buffers.has(symbol),
      (node) => this.#static.has(node),
      isRepeatable,
    );
    for (const node of order) {
      if (this.#clustering.anchored.has(node)) continue;
      this.#emit(node, undefined, undefined);
      yield;
    }
    return outputs.map((output) => this.#bufferOf(output));
  }

  #add(kernel: Kernel, node: AnyNode): void {
    const kernels = this.#static.has(node) ? this.#lowering.prologue : this.#kernels;
    kernels.push({ ...kernel, origin: node.origin });
  }

  #allocate(symbol: SymbolicTensor, name: string): Buffer {
    const role = this.#static.has(symbol.node) ? 'persistent' : 'temporary';
    const buffer = this.#lowering.buffer(name, role, symbol);
    this.#buffers.set(symbol, buffer);
    return buffer;
  }

  #bufferOf(symbol: SymbolicTensor): Buffer {
    const known = this.#buffers.get(symbol);
    if (known !== undefined) return known;
    const { node } = symbol;
    let buffer: Buffer | undefined;
    if (node.primitive === 'parameter') buffer = this.#lowering.parameter(node.attributes.variable);
    else if (node.primitive === 'constant') buffer = this.#lowering.constant(node.attributes.value);
    else if (this.#clustering.aliases.has(symbol)) buffer = this.#bufferOf(node.inputs[0] as SymbolicTensor);
    if (buffer === undefined) throw new TypeError(`Cannot lower ${node.primitive}: found no buffer for its value`);
    this.#buffers.set(symbol, buffer);
    return buffer;
  }

  /** Emits what computes a node that is its own root; nothing for one that others compute. */
  #emit(node: AnyNode, output: Buffer | undefined, tail: Tail | undefined): void {
    const symbol = node.outputs[0] as SymbolicTensor | undefined;
    if (symbol === undefined) return;
    const roots = this.#clustering.roots.get(symbol);
    if (roots === undefined) return;
    const name = this.#lowering.name(node.primitive);
    if (isElementwise(node.primitive)) {
      this.#emitElementwise(node, symbol, roots[0] as Root, name);
    } else if (isFold(node.primitive)) {
      this.#emitFold(node, symbol, roots[0] as Root, name, output, tail);
    } else if (node.primitive === 'concatenate') {
      this.#emitConcatenate(node, symbol, roots, name);
    } else if (node.primitive === 'pad') {
      this.#emitPad(node, symbol, roots[0] as Root, name);
    } else if (node.primitive === 'scan') {
      this.#emitScan(node, name);
    } else if (roots.length === 1) {
      const root = roots[0] as Root;
      const store = wholeAccess(this.#allocate(symbol, name), root.domain);
      // A move that has its own loop must not find its own buffer when it asks for its value.
      const value = this.#moved(node, root);
      this.#add({ kind: 'loop', name, domain: root.domain, store, value }, node);
    } else {
      const outputs = output === undefined ? node.outputs.map((each) => this.#allocate(each, name)) : [output];
      const inputs = node.inputs.map((input) => this.#bufferOf(input));
      this.#add({ kind: 'node', name, node, inputs, outputs, scratch: [], tail }, node);
    }
  }

  #emitElementwise(node: AnyNode, symbol: SymbolicTensor, root: Root, name: string): void {
    const anchor = root.anchor;
    const reader = new ExpressionReader(root, this.#source, anchor);
    if (anchor === undefined) {
      const value = reader.compute(node, identityMap(root.domain));
      const store = wholeAccess(this.#allocate(symbol, name), root.domain);
      this.#add({ kind: 'loop', name, domain: root.domain, store, value }, node);
      return;
    }
    const output = this.#allocate(symbol, name);
    reader.anchorBuffer = output;
    const tail: Tail = { domain: root.domain, value: reader.compute(node, identityMap(root.domain)) };
    this.#emit(anchor.node, output, tail);
  }

  #emitFold(
    node: AnyNode,
    symbol: SymbolicTensor,
    root: Root,
    name: string,
    given: Buffer | undefined,
    tail: Tail | undefined,
  ): void {
    const { axes } = node.attributes as { readonly axes: readonly number[] };
    const [input] = node.inputs as readonly [SymbolicTensor];
    const all = root.domain.map((_, axis) => axis);
    const order = [...all.filter((axis) => !axes.includes(axis)), ...axes];
    // The domain of the kernel has the kept axes first: the map of the input is the permutation.
    const domain = order.map((axis) => root.domain[axis] as number);
    const map = all.map((axis) => ({ axis: order.indexOf(axis), stride: 1, offset: 0 }));
    const value = new ExpressionReader({ ...root, domain }, this.#source, undefined).value(input, map);
    const kept = domain.slice(0, domain.length - axes.length);
    const reduced = domain.slice(domain.length - axes.length);
    const output = given ?? this.#allocate(symbol, name);
    this.#add({ kind: 'reduce', name, fold: node.primitive as Fold, kept, reduced, value, output, tail }, node);
  }

  #emitConcatenate(node: AnyNode, symbol: SymbolicTensor, roots: readonly Root[], name: string): void {
    const { axis } = node.attributes as { readonly axis: number };
    const buffer = this.#allocate(symbol, name);
    const strides = stridesOf(symbol.shape);
    let position = 0;
    for (const [index, root] of roots.entries()) {
      const input = node.inputs[index] as SymbolicTensor;
      const offset = position * (strides[axis] as number);
      position += input.shape[axis] as number;
      this.#emitCopy(node, this.#lowering.name(`${name}/part`), input, root, { buffer, offset, strides });
    }
  }

  #emitPad(node: AnyNode, symbol: SymbolicTensor, root: Root, name: string): void {
    const { padding, value } = node.attributes as { padding: readonly (readonly [number, number])[]; value: number };
    const buffer = this.#allocate(symbol, name);
    const strides = stridesOf(symbol.shape);
    const lows = padding.map(([low]) => low);
    const { dtype } = buffer;
    const filler = dtype === 'bool' ? Number(value !== 0) : value;
    // The border in slabs that do not overlap: inside along earlier axes, whole along later ones.
    for (const [axis, [low, high]] of padding.entries()) {
      for (const [start, thickness] of [
        [0, low],
        [low + (root.domain[axis] as number), high],
      ] as const) {
        const domain = symbol.shape.map((extent, other) => {
          if (other === axis) return thickness;
          return other < axis ? (root.domain[other] as number) : extent;
        });
        if (sizeOf(domain) === 0) continue;
        const starts = domain.map((_, other) => {
          if (other === axis) return start;
          return other < axis ? (lows[other] as number) : 0;
        });
        const store = { buffer, offset: weigh(starts, strides), strides };
        const border: Expression = { kind: 'immediate', dtype, value: filler };
        this.#add({ kind: 'loop', name: this.#lowering.name(`${name}/border`), domain, store, value: border }, node);
      }
    }
    this.#emitCopy(node, name, node.inputs[0] as SymbolicTensor, root, {
      buffer,
      offset: weigh(lows, strides),
      strides,
    });
  }

  #emitCopy(node: AnyNode, name: string, input: SymbolicTensor, root: Root, store: Access): void {
    const value = new ExpressionReader(root, this.#source, undefined).value(input, identityMap(root.domain));
    this.#add({ kind: 'loop', name, domain: root.domain, store, value }, node);
  }

  #emitScan(node: AnyNode, name: string): void {
    if (node.primitive !== 'scan') return;
    const { body, length, carryCount, sequenceCount, reverse } = node.attributes;
    const outputs = node.outputs.map((symbol, index) => this.#allocate(symbol, `${name}/output${index}`));
    const bodyKernels: Kernel[] = [];
    const scope = new Scope(this.#lowering, bodyKernels);
    const sequences: ScanSequence[] = [];
    for (const [index, symbol] of body.inputs.entries()) {
      const source = node.inputs[index] as SymbolicTensor;
      if (index < carryCount) {
        scope.bind(symbol, outputs[index] as Buffer, false);
      } else if (index < carryCount + sequenceCount) {
        const step = this.#lowering.buffer(`${name}/step${index - carryCount}`, 'temporary', symbol);
        sequences.push({ whole: this.#bufferOf(source), step });
        scope.bind(symbol, step, false);
      } else {
        scope.bind(symbol, this.#bufferOf(source), this.#static.has(source.node));
      }
    }
    const inner = atOnce(scope.lower(body.outputs));
    const carries = outputs.slice(0, carryCount).map((current, index) => {
      const initial = this.#bufferOf(node.inputs[index] as SymbolicTensor);
      return { initial, current, next: inner[index] as Buffer };
    });
    // Carries are overwritten one after the other: one that is handed on as it is, is put aside first.
    const current = new Set(carries.map((carry) => carry.current));
    const safe = carries.map((carry) => {
      if (!current.has(carry.next) || carry.next === carry.current) return carry;
      const aside = { ...carry.next, name: this.#lowering.name(`${name}/aside`), role: 'temporary' as const };
      const domain = [aside.size];
      const value: Expression = { kind: 'load', dtype: aside.dtype, access: wholeAccess(carry.next, domain) };
      bodyKernels.push({ kind: 'loop', name: aside.name, domain, store: wholeAccess(aside, domain), value });
      return { ...carry, next: aside };
    });
    const stacked = outputs.slice(carryCount).map((whole, index) => {
      return { whole, step: inner[carryCount + index] as Buffer };
    });
    this.#add({ kind: 'scan', name, length, reverse, carries: safe, sequences, stacked, body: bodyKernels }, node);
  }

  /** The value of a move or an iota at the points of its own root. */
  #moved(node: AnyNode, root: Root): Expression {
    const map = identityMap(root.domain);
    const reader = new ExpressionReader(root, this.#source, undefined);
    if (node.primitive === 'iota') return reader.iota(node, map);
    return reader.value(node.inputs[0] as SymbolicTensor, mapThrough(node, map));
  }

  /** The buffer of a value that has one. */
  readonly #source = (symbol: SymbolicTensor): Buffer | undefined => {
    const { primitive } = symbol.node;
    const hasBuffer =
      this.#buffers.has(symbol) ||
      primitive === 'parameter' ||
      primitive === 'constant' ||
      this.#clustering.aliases.has(symbol);
    return hasBuffer ? this.#bufferOf(symbol) : undefined;
  };
}

/** Builds the expressions of one kernel. */
class ExpressionReader {
  readonly #root: Root;
  readonly #source: (symbol: SymbolicTensor) => Buffer | undefined;
  readonly #anchor: SymbolicTensor | undefined;
  readonly #known = new Map<SymbolicTensor, Map<string, Expression>>();
  /** Where the anchor's kernel leaves its result. */
  anchorBuffer: Buffer | undefined;

  constructor(root: Root, source: (symbol: SymbolicTensor) => Buffer | undefined, anchor: SymbolicTensor | undefined) {
    this.#root = root;
    this.#source = source;
    this.#anchor = anchor;
  }

  /** The value of a symbol whose axes follow from the domain by a map. */
  value(symbol: SymbolicTensor, map: IndexMap): Expression {
    let known = this.#known.get(symbol);
    if (known === undefined) {
      known = new Map();
      this.#known.set(symbol, known);
    }
    const key = mapKey(map);
    let expression = known.get(key);
    if (expression === undefined) {
      expression = this.#read(symbol, map);
      known.set(key, expression);
    }
    return expression;
  }

  /** The value of an element-wise node, computed from its operands. */
  compute(node: AnyNode, map: IndexMap): Expression {
    const operands = node.inputs.map((input) => this.value(input, map));
    const { dtype } = node.outputs[0] as SymbolicTensor;
    return {
      kind: 'apply',
      dtype: dtype as NumericDtype,
      primitive: node.primitive as Extract<Expression, { kind: 'apply' }>['primitive'],
      operands,
      origin: node.origin,
    };
  }

  /** Counting along an axis. */
  iota(node: AnyNode, map: IndexMap): Expression {
    const { axis, shape, dtype } = node.attributes as { axis: number; shape: Shape; dtype: NumericDtype };
    const weights = shape.map((_, other) => Number(other === axis));
    return { kind: 'affine', dtype, ...linearize(weights, map, this.#root.domain) };
  }

  #read(symbol: SymbolicTensor, map: IndexMap): Expression {
    const { node } = symbol;
    const dtype = symbol.dtype as NumericDtype;
    const { domain } = this.#root;
    if (symbol === this.#anchor && this.anchorBuffer !== undefined) {
      return { kind: 'load', dtype, access: wholeAccess(this.anchorBuffer, domain) };
    }
    if (node.primitive === 'constant' && sizeOf(symbol.shape) === 1) {
      return { kind: 'immediate', dtype, value: node.attributes.value.data[0] as number };
    }
    const buffer = this.#source(symbol);
    if (buffer !== undefined) return { kind: 'load', dtype, access: accessOf(buffer, symbol.shape, map, domain) };
    if (node.primitive === 'iota') return this.iota(node, map);
    if (isElementwise(node.primitive)) return this.compute(node, map);
    return this.value(node.inputs[0] as SymbolicTensor, mapThrough(node, map));
  }
}

function wholeAccess(buffer: Buffer, domain: Shape): Access {
  return { buffer, offset: 0, strides: stridesOf(domain) };
}

function weigh(coordinates: readonly number[], weights: readonly number[]): number {
  return coordinates.reduce((sum, coordinate, axis) => sum + coordinate * (weights[axis] as number), 0);
}
