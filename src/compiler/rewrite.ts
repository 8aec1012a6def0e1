/** Rebuilds a graph node by node; equal nodes become one. */
import { Tensor } from '../array/tensor.ts';
import { applyAll } from '../graph/apply.ts';
import { type AnyNode, type Graph, origin, type SymbolicTensor, topologicalOrder } from '../graph/node.ts';
import type { PrimitiveAttributes, PrimitiveName } from '../graph/primitives.ts';
import { atOnce } from '../pause.ts';

/** Makes one value of the new graph. */
export type Build = <K extends PrimitiveName>(
  primitive: K,
  inputs: readonly SymbolicTensor[],
  attributes: PrimitiveAttributes[K],
) => SymbolicTensor;

/**
 * What replaces a node, given its inputs in the new graph; `undefined` keeps the node. A rule may build further nodes,
 * which are simplified in turn.
 */
export type RewriteRule = (node: ProposedNode, build: Build) => SymbolicTensor | undefined;

/** A node of the new graph before it is made. */
export interface ProposedNode<K extends PrimitiveName = PrimitiveName> {
  readonly primitive: K;
  readonly inputs: readonly SymbolicTensor[];
  readonly attributes: PrimitiveAttributes[K];
}

/** What takes the place of a node of the old graph, given the new values of old ones. */
export type Substitute = (
  node: AnyNode,
  newValueOf: (symbol: SymbolicTensor) => SymbolicTensor,
  build: Build,
) => SymbolicTensor | undefined;

/** Constants up to this size are compared by content. */
const COMPARED_ELEMENTS = 16;

/** Nodes of one primitive with equal inputs and attributes compute the same. */
export class GraphRewriter {
  readonly #rule: RewriteRule | undefined;
  readonly #substitute: Substitute;
  readonly #values = new Map<SymbolicTensor, SymbolicTensor>();
  readonly #known = new Map<string, SymbolicTensor>();
  readonly #ids = new Map<object, number>();

  /** Without a rule, nodes that nothing has happened to are not looked at: no two of a simplified graph are equal. */
  constructor(rule: RewriteRule | undefined, substitute: Substitute = () => undefined) {
    this.#rule = rule;
    this.#substitute = substitute;
  }

  /** The graph with the rule applied to each node, inputs first, in steps. Its inputs are those of the old one. */
  *rewrite(graph: Graph): Generator<void, Graph> {
    for (const node of topologicalOrder(graph.outputs)) {
      const before = origin.current;
      origin.current = node.origin;
      this.#rewriteNode(node);
      // Between two steps others may make nodes of their own.
      origin.current = before;
      yield;
    }
    return { inputs: graph.inputs, outputs: graph.outputs.map((output) => this.#valueOf(output)) };
  }

  /** Makes a value, or finds it. */
  readonly build: Build = (primitive, inputs, attributes) => {
    const replaced = this.#rule?.({ primitive, inputs, attributes }, this.build);
    return replaced ?? this.#intern(primitive, inputs, attributes, undefined);
  };

  #valueOf(symbol: SymbolicTensor): SymbolicTensor {
    return this.#values.get(symbol) ?? symbol;
  }

  #rewriteNode(node: AnyNode): void {
    const substitute = this.#substitute(node, (symbol) => this.#valueOf(symbol), this.build);
    if (substitute !== undefined) {
      this.#values.set(node.outputs[0] as SymbolicTensor, substitute);
      return;
    }
    const inputs = node.inputs.map((input) => this.#valueOf(input));
    const isSame = inputs.every((input, index) => input === node.inputs[index]);
    if (node.primitive === 'input' || node.primitive === 'parameter') return;
    if (node.primitive === 'host' || node.outputs.some((output) => output.dtype === 'string')) {
      if (!isSame) this.#replaceAll(node, applyAll(node.primitive, inputs, node.attributes));
      return;
    }
    if (node.primitive === 'scan') {
      const { body: old } = node.attributes;
      const body = atOnce(new GraphRewriter(this.#rule, this.#substitute).rewrite(old));
      if (isSame && body.outputs.every((output, index) => output === old.outputs[index])) return;
      this.#replaceAll(node, applyAll('scan', inputs, { ...node.attributes, body }));
      return;
    }
    if (isSame && this.#rule === undefined) return;
    const [output] = node.outputs as readonly [SymbolicTensor];
    const { primitive, attributes } = node;
    const replaced = this.#rule?.({ primitive, inputs, attributes }, this.build);
    this.#values.set(output, replaced ?? this.#intern(primitive, inputs, attributes, isSame ? output : undefined));
  }

  #replaceAll(node: AnyNode, outputs: readonly SymbolicTensor[]): void {
    for (const [index, output] of node.outputs.entries()) this.#values.set(output, outputs[index] as SymbolicTensor);
  }

  #intern<K extends PrimitiveName>(
    primitive: K,
    inputs: readonly SymbolicTensor[],
    attributes: PrimitiveAttributes[K],
    existing: SymbolicTensor | undefined,
  ): SymbolicTensor {
    const ids = inputs.map((input) => this.#id(input)).join();
    const key = `${primitive}(${ids})${this.#attributesKey(attributes)}`;
    let value = this.#known.get(key);
    if (value === undefined) {
      value = existing ?? (applyAll(primitive, inputs, attributes)[0] as SymbolicTensor);
      this.#known.set(key, value);
    }
    return value;
  }

  #id(object: object): number {
    const id = this.#ids.get(object) ?? this.#ids.size;
    this.#ids.set(object, id);
    return id;
  }

  #attributesKey(attributes: object): string {
    let key = '';
    for (const [name, value] of Object.entries(attributes)) key += `${name}=${this.#textOf(value)} `;
    return key;
  }

  /** As JSON, but with NaN, infinities and −0, which that has not, and with large tensors by what they are. */
  #textOf(value: unknown): string {
    if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
    if (Array.isArray(value)) return `[${value.map((element) => this.#textOf(element))}]`;
    if (value instanceof Tensor) {
      if (value.data.length > COMPARED_ELEMENTS) return `#${this.#id(value)}`;
      const data = Array.from<unknown>(value.data as ArrayLike<number>);
      return `${value.dtype}${this.#textOf(value.shape)}${this.#textOf(data)}`;
    }
    if (typeof value === 'object' && value !== null) return `{${this.#attributesKey(value)}}`;
    return JSON.stringify(value);
  }
}
