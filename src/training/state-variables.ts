/** The variables of a training by the names that they have in a `TrainingState`. */
import type { Dtype } from '../array/dtype.ts';
import { formatShape, type Shape, shapesEqual } from '../array/shape.ts';
import { type Tensor, tensor } from '../array/tensor.ts';
import type { Variable } from '../graph/variable.ts';
import type { Layer } from '../layers/layer.ts';
import type { KerasModel } from '../model/keras-model.ts';
import { nearestNames } from '../model/nearest-names.ts';
import type { Optimizer } from './optimizers/optimizer.ts';

/** What holds a piece of state: a variable, or what is read and assigned like one. */
export interface StateCell {
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly value: Tensor;
  assign(value: Tensor): void;
}

export type NamedCells = ReadonlyMap<string, StateCell>;

/** What of a compiled model is state. */
export interface StatefulParts {
  readonly model: KerasModel;
  readonly optimizer: Optimizer;
  readonly trainable: readonly Variable[];
  readonly random: { readonly key: Variable; readonly counter: Variable };
}

/**
 * The state of a model, its optimizer and its random generator. Slots that do not exist yet are made: for weights that are
 * trained, and for frozen ones of which a stored training has some.
 */
export function stateCells(
  { model, optimizer, trainable, random }: StatefulParts,
  stored?: ReadonlyMap<string, Tensor>,
): NamedCells {
  const named = new NameTable();
  const names = uniquePaths(model, named);
  const weightNames = new Map(model.weights.map((variable, index) => [variable, names[index] as string]));
  for (const variable of keptStates(model as unknown as Layer)) named.add('states', variable.path, variable);
  const trained = new Set(trainable);
  const withState = [...weightNames].filter(
    ([weight, path]) => trained.has(weight) || optimizer.hasStateOf(weight) || stored?.has(`optimizer/${path}/start`),
  );
  const all = optimizer.variablesInKerasOrder(withState.map(([weight]) => weight));
  const slotNames = new Map<Variable, string>();
  for (const [weight, path] of withState) {
    named.add('optimizer', `${path}/start`, startCell(optimizer, weight));
    for (const [name, slot] of Object.entries(optimizer.slotsOf(weight))) slotNames.set(slot, `${path}/${name}`);
    const average = optimizer.averageOf(weight);
    if (average !== undefined) slotNames.set(average, `${path}/average`);
  }
  for (const variable of all) named.add('optimizer', slotNames.get(variable) ?? variable.path, variable);
  named.add('random', 'key', random.key);
  named.add('random', 'counter', random.counter);
  return named.cells;
}

/** What layers keep between runs besides weights, each once. */
function keptStates(layer: Layer): ReadonlySet<Variable> {
  return new Set([...layer.states, ...layer.children.flatMap((child) => [...keptStates(child)])]);
}

/** The number of steps after which the state of a weight began. */
function startCell(optimizer: Optimizer, weight: Variable): StateCell {
  return {
    shape: [],
    dtype: 'int32',
    get value() {
      return tensor(optimizer.startOf(weight), [], 'int32');
    },
    assign: ({ data }) => optimizer.setStart(weight, Number(data[0])),
  };
}

/** Names of a model's weights that tell them apart: their paths, and numbers where layers of a user's own share one. */
export function uniquePaths(model: KerasModel, named: NameTable = new NameTable()): string[] {
  model.nameWeights();
  return model.weights.map((variable) => named.add('weights', variable.path, variable));
}

/** Cells by kind and name; several of one name are numbered. */
export class NameTable {
  readonly #cells = new Map<string, StateCell>();

  get cells(): NamedCells {
    return this.#cells;
  }

  /** Gives the name under which the cell is there, without its kind. */
  add(kind: string, name: string, cell: StateCell): string {
    let unique = name;
    for (let count = 1; this.#cells.has(`${kind}/${unique}`); count++) unique = `${name}#${count}`;
    this.#cells.set(`${kind}/${unique}`, cell);
    return unique;
  }
}

/** Says what of a state does not fit these cells: what is missing, left over, or of another shape or dtype. */
export function misfits(cells: NamedCells, tensors: ReadonlyMap<string, Tensor>): string[] {
  const problems: string[] = [];
  const unused = [...tensors.keys()].filter((name) => !cells.has(name));
  for (const [name, { shape, dtype }] of cells) {
    const found = tensors.get(name);
    if (found === undefined) {
      const [near] = nearestNames(name, unused);
      problems.push(`the state lacks "${name}"${near === undefined ? '' : ` (it has "${near}")`}`);
    } else if (!shapesEqual(found.shape, shape) || found.dtype !== dtype) {
      problems.push(
        `"${name}" is ${found.dtype}${formatShape(found.shape)} in the state, expected ${dtype}${formatShape(shape)}`,
      );
    }
  }
  for (const name of unused) problems.push(`the state has "${name}", which this training does not have`);
  return problems;
}

/** Assigns values that fit. */
export function assignCells(cells: NamedCells, tensors: ReadonlyMap<string, Tensor>): void {
  for (const [name, cell] of cells) cell.assign(tensors.get(name) as Tensor);
}
