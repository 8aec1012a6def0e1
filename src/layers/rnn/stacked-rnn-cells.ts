import type { PartialShape, Shape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { expandDims, squeeze } from '../../ops/shape.ts';
import type { Fields, Options } from '../fields.ts';
import { type CallContext, type LayerConfig, layerFields, type Sublayers } from '../layer.ts';
import { layers } from '../layer-field.ts';
import { type CellStep, isCell, RNNCell } from './cell.ts';

export interface StackedRNNCellsConfig extends LayerConfig {
  cells: readonly RNNCell[];
}

/** Several cells in one: the output of each is the input of the next. Its states are those of all cells in order. */
export class StackedRNNCells extends RNNCell<StackedRNNCellsConfig> {
  static readonly className = 'StackedRNNCells';
  static readonly fields: Fields<StackedRNNCellsConfig> = { ...layerFields, cells: layers('a list of cells', isCell) };

  constructor(options: Options<StackedRNNCellsConfig, 'cells'>) {
    super(StackedRNNCells.className, StackedRNNCells.fields, options);
  }

  get cells(): readonly RNNCell[] {
    return this.config.cells;
  }

  override get sublayers(): Sublayers {
    return { cells: this.cells };
  }

  override get stateSizes(): readonly number[] {
    return this.cells.flatMap((cell) => cell.stateSizes);
  }

  override get outputSize(): number {
    return this.#last.outputSize;
  }

  override get outputState(): number {
    return this.stateSizes.length - this.#last.stateSizes.length + this.#last.outputState;
  }

  get #last(): RNNCell {
    return this.cells.at(-1) as RNNCell;
  }

  protected override build([inputShape]: readonly PartialShape[]): void {
    let shape: PartialShape = inputShape ?? [];
    for (const cell of this.cells) {
      cell.ensureBuilt([shape]);
      shape = [shape[0] ?? null, cell.outputSize];
    }
  }

  override stateShapes(stepShape: Shape): readonly Shape[] {
    const batch = stepShape[0] as number;
    return this.cells.flatMap((cell, index) =>
      cell.stateShapes(index === 0 ? stepShape : [batch, (this.cells[index - 1] as RNNCell).outputSize]),
    );
  }

  override project(steps: SymbolicTensor, context: CallContext): SymbolicTensor {
    return (this.cells[0] as RNNCell).project(steps, context);
  }

  override step(projected: SymbolicTensor, states: readonly SymbolicTensor[], context: CallContext): CellStep {
    let input = projected;
    const next: SymbolicTensor[] = [];
    for (const [index, cell] of this.cells.entries()) {
      const own = states.slice(next.length, next.length + cell.stateSizes.length);
      // The input of the first cell was projected for all steps at once.
      const current = index === 0 ? input : squeeze(cell.project(expandDims(input, 0), context), 0);
      const result = cell.step(current, own, context);
      next.push(...result.states);
      input = result.output;
    }
    return { output: input, states: next };
  }
}
