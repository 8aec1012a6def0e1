import { formatShape, type Shape, sizeOf } from '../array/shape.ts';
import { ShapeError } from '../errors.ts';
import type { SymbolicTensor } from '../graph/node.ts';
import { diagonal, matmul } from './matrix.ts';
import { broadcastTo, cast, commonDtype, type Operand, withShape } from './operand.ts';
import { sum } from './reduce.ts';
import { transpose } from './shape.ts';

/** A tensor whose axes have names: letters of the equation, and digits for the axes of an ellipsis. */
interface Labelled {
  readonly tensor: SymbolicTensor;
  readonly labels: readonly string[];
}

/**
 * Sums of products in Einstein's notation, such as `bij,bjk->bik`; with ellipses, with repeated letters (diagonals), of
 * any number of operands.
 *
 * @throws {ShapeError} when letters and axes do not fit.
 */
export function einsum(equation: string, ...operands: readonly Operand[]): SymbolicTensor {
  const compact = equation.replaceAll(' ', '');
  const [left = '', right] = compact.split('->');
  const terms = left.split(',');
  if (terms.length !== operands.length) {
    throw new ShapeError(`Cannot evaluate "${equation}": found ${operands.length} operands, expected ${terms.length}`);
  }
  const dtype = commonDtype(...operands);
  const symbols = operands.map((operand) => cast(operand, dtype));
  const inputs = symbols.map((tensor, index) => label(tensor, terms[index] as string, equation));
  const ellipsis = longestEllipsis(inputs);
  const output = right === undefined ? implicitOutput(left, ellipsis) : expand(right, ellipsis);
  const product = inputs.reduce((first, second, index) => {
    const needed = new Set([...output, ...inputs.slice(index + 1).flatMap(({ labels }) => labels)]);
    return contract(first, second, needed);
  });
  return arrange(sumOut(product, new Set(output)), output, equation);
}

/** Digits count the axes of an ellipsis from the last one, so that shorter ones broadcast like NumPy's. */
function label(tensor: SymbolicTensor, term: string, equation: string): Labelled {
  const named = term.replace('...', '').length;
  const free = tensor.shape.length - named;
  if (free < 0 || (free > 0 && !term.includes('...'))) {
    throw new ShapeError(
      `Cannot evaluate "${equation}": found shape ${formatShape(tensor.shape)} for "${term}", expected ${named} axes`,
    );
  }
  const ellipsis = Array.from({ length: free }, (_, index) => String(free - 1 - index));
  return mergeRepeated({ tensor, labels: expand(term, ellipsis) });
}

function expand(term: string, ellipsis: readonly string[]): string[] {
  const [before = '', after] = term.split('...');
  return after === undefined ? [...before] : [...before, ...ellipsis, ...after];
}

function longestEllipsis(inputs: readonly Labelled[]): string[] {
  const digits = new Set(inputs.flatMap(({ labels }) => labels.filter((name) => /\d/.test(name))));
  return [...digits].sort((a, b) => Number(b) - Number(a));
}

/** Without an arrow: the axes of the ellipsis, then the letters that occur once, in alphabetical order. */
function implicitOutput(left: string, ellipsis: readonly string[]): string[] {
  const letters = [...left].filter((letter) => /[A-Za-z]/.test(letter));
  return [...ellipsis, ...letters.filter((letter) => letters.filter((other) => other === letter).length === 1).sort()];
}

/** A letter that occurs twice in one term stands for a diagonal. */
function mergeRepeated({ tensor, labels }: Labelled): Labelled {
  const second = labels.findIndex((name, index) => labels.indexOf(name) < index);
  if (second < 0) return { tensor, labels };
  const name = labels[second] as string;
  const first = labels.indexOf(name);
  const rest = labels.filter((_, index) => index !== first && index !== second);
  return mergeRepeated({ tensor: diagonal(tensor, 0, first, second), labels: [...rest, name] });
}

function sumOut({ tensor, labels }: Labelled, needed: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((name, axis) => (needed.has(name) ? [] : [axis]));
  if (axes.length === 0) return { tensor, labels };
  return { tensor: sum(tensor, axes), labels: labels.filter((name) => needed.has(name)) };
}

/** Multiplies two tensors and sums over what neither the output nor a later operand needs: one matrix product. */
function contract(first: Labelled, second: Labelled, needed: ReadonlySet<string>): Labelled {
  const left = sumOut(first, new Set([...needed, ...second.labels]));
  const right = sumOut(second, new Set([...needed, ...first.labels]));
  const shared = left.labels.filter((name) => right.labels.includes(name));
  const batch = shared.filter((name) => needed.has(name));
  const inner = shared.filter((name) => !needed.has(name));
  const rows = left.labels.filter((name) => !shared.includes(name));
  const columns = right.labels.filter((name) => !shared.includes(name));
  const extents = new Map<string, number>();
  for (const { tensor, labels } of [left, right]) {
    for (const [axis, name] of labels.entries()) {
      extents.set(name, Math.max(extents.get(name) ?? 1, tensor.shape[axis] as number));
    }
  }
  const shapeOf = (names: readonly string[]): Shape => names.map((name) => extents.get(name) as number);
  const pack = (part: Labelled, names: readonly string[], shape: Shape): SymbolicTensor => {
    const ordered = transpose(
      part.tensor,
      names.map((name) => part.labels.indexOf(name)),
    );
    return withShape(broadcastTo(ordered, shapeOf(names)), shape);
  };
  const [m, k, n] = [rows, inner, columns].map((names) => sizeOf(shapeOf(names))) as [number, number, number];
  const product = matmul(
    pack(left, [...batch, ...rows, ...inner], [...shapeOf(batch), m, k]),
    pack(right, [...batch, ...inner, ...columns], [...shapeOf(batch), k, n]),
  );
  const labels = [...batch, ...rows, ...columns];
  return { tensor: withShape(product, shapeOf(labels)), labels };
}

function arrange({ tensor, labels }: Labelled, output: readonly string[], equation: string): SymbolicTensor {
  const missing = output.find((name) => !labels.includes(name));
  if (missing !== undefined) {
    throw new ShapeError(`Cannot evaluate "${equation}": found "${missing}" only behind the arrow`);
  }
  return transpose(
    tensor,
    output.map((name) => labels.indexOf(name)),
  );
}
