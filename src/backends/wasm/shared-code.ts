/**
 * Code that equal kernels share. Kernels of equal shapes that compute the same are one function, which is told where their
 * buffers are: the layers of a deep model find their code in the nearest cache, and there is less of it to write and to compile.
 */
import type { Buffer, Expression, Kernel, NodeKernel, Tail } from '../../compiler/schedule.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import type { ContractPlan } from './contract-plan.ts';
import { describeExpression } from './describe-expression.ts';
import { toldAddress } from './told-address.ts';

type AddressOf = (buffer: Buffer) => number;

/** What decides on the code of a kernel. */
interface Description {
  /** The same for kernels whose code differs in nothing but the addresses of buffers. */
  readonly text: string;
  /** Those whose addresses are in the code, each once. */
  readonly buffers: readonly Buffer[];
}

/** The code of a kernel, and the addresses that its functions are called with, after their own operands. */
export interface ToldCode<Code> {
  readonly code: Code;
  readonly told: readonly number[];
}

/** Knows which kernels of a program are equal, and what was written for the first of them. */
export class SharedCode {
  readonly #descriptions = new Map<Kernel, Description>();
  readonly #codes = new Map<string, unknown>();

  /** @param plans those of contractions and pools */
  constructor(kernels: readonly Kernel[], plans: ReadonlyMap<NodeKernel, ContractPlan>) {
    const byText = new Map<string, Map<Kernel, Description>>();
    const add = (kernel: Kernel): void => {
      if (kernel.kind === 'scan') kernel.body.forEach(add);
      const description = describe(kernel, plans);
      if (description === undefined) return;
      const equal = byText.get(description.text) ?? new Map<Kernel, Description>();
      byText.set(description.text, equal.set(kernel, description));
    };
    kernels.forEach(add);
    // A kernel that has no equal computes with addresses that the engine knows.
    for (const equal of byText.values()) {
      if (equal.size > 1) for (const [kernel, description] of equal) this.#descriptions.set(kernel, description);
    }
  }

  /** The code of a kernel: what `write` gives, called for the first of equal ones. */
  codeOf<Code>(
    module: ModuleBuilder,
    kernel: Kernel,
    addressOf: AddressOf,
    write: (addressOf: AddressOf) => Code,
  ): ToldCode<Code> {
    const description = this.#descriptions.get(kernel);
    if (description === undefined) return { code: write(addressOf), told: [] };
    const { text, buffers } = description;
    const told = buffers.map(addressOf);
    const known = this.#codes.get(text);
    if (known !== undefined) return { code: known as Code, told };
    const code = module.tellingAddresses(told.length, () => write((buffer) => toldAddress(buffers.indexOf(buffer))));
    this.#codes.set(text, code);
    return { code, told };
  }
}

/** Nothing for kernels whose code cannot be told addresses, or is not known to be worth it. */
function describe(kernel: Kernel, plans: ReadonlyMap<NodeKernel, ContractPlan>): Description | undefined {
  const buffers: Buffer[] = [];
  const number = (buffer: Buffer): number => {
    if (!buffers.includes(buffer)) buffers.push(buffer);
    return buffers.indexOf(buffer);
  };
  const expression = (value: Expression): string | undefined =>
    describeExpression(value, (part) => {
      if (part.kind === 'affine') return `${part.offset} ${part.strides}`;
      const { buffer, offset, strides } = part.access;
      return `${number(buffer)} ${offset} ${strides}`;
    });
  const ending = (tail: Tail | undefined): string => (tail ? `then ${tail.domain}: ${expression(tail.value)}` : '');
  switch (kernel.kind) {
    case 'loop': {
      const { domain, store, value } = kernel;
      const target = `${store.buffer.dtype} ${number(store.buffer)} ${store.offset} ${store.strides}`;
      return { text: `loop ${domain}: ${target} = ${expression(value)}`, buffers };
    }
    case 'reduce': {
      const { fold, kept, reduced, value, output, tail } = kernel;
      const target = `${output.dtype} ${number(output)}`;
      return { text: `${fold} ${kept} of ${reduced}: ${target} = ${expression(value)} ${ending(tail)}`, buffers };
    }
    case 'node': {
      const { node, inputs, outputs, scratch, tail } = kernel;
      const form = plans.get(kernel)?.form;
      if (form === undefined) return undefined;
      const operands = [...inputs, ...outputs, scratch[0] as Buffer].map(number);
      const shapes = [...node.inputs, ...node.outputs].map(({ shape }) => `[${shape}]`);
      const what = `${node.primitive} ${form} ${JSON.stringify(node.attributes)} ${shapes}`;
      return { text: `${what}: ${operands} ${ending(tail)}`, buffers };
    }
    default:
      return undefined;
  }
}
