/** Loops over tiles: a product of blocks of matrices, out of which all contractions are made. */
import type { FunctionBuilder, Local, Operand } from './assembler-function.ts';
import type { ModuleBuilder } from './assembler-module.ts';
import {
  callTile,
  type Finish,
  ROW_COLUMNS,
  TILE_COLUMNS,
  TILE_ROWS,
  type TileShape,
  WIDE_COLUMNS,
  WIDE_PANEL_ROWS,
} from './contract-tile.ts';

/**
 * `output[group, row, column] = Σ left[group, row, step] · right[step, column]`. Addresses and strides are in bytes.
 * Rows of a convolution are the pixels of a line of the output, and its groups are lines.
 */
export interface Product {
  readonly depth: Operand;
  readonly columns: number;
  /** Rows in one group. */
  readonly rows: number;
  readonly groups: Operand;
  readonly left: {
    readonly base: Local;
    readonly kind: TileShape['left'];
    /** Between rows (`rows`), or between steps of the depth (`columns`, whose rows are neighbours). */
    readonly stride: number;
    readonly groupStride: number;
  };
  readonly right: {
    readonly base: Operand;
    /** Between rows of the right matrix; none when it is packed. */
    readonly stride?: number;
    /** From one panel of 8 columns to the next. */
    readonly panelStride: number;
    /** For panels that are in a narrow form: `panelStride` lies between those that were widened. */
    readonly narrow?: NarrowPanels | undefined;
  };
  readonly output: { readonly base: Local; readonly rowStride: number; readonly groupStride: number };
  /** Address of the bias of the first column. */
  readonly bias?: Operand | undefined;
  readonly finish: Finish;
  /** The depth is that of one segment, and this many begin where the table says. */
  readonly segments?: { readonly table: Operand; readonly count: Operand };
}

export interface NarrowPanels {
  /** From one panel to the next as they lie before they are widened. */
  readonly stride: number;
  /** Writes the widening of the panels that begin at an address, in the order of columns; gives where they are then. */
  widen(right: Local, panels: number): Local;
  /** Writes the product of a single row and a panel, of which so many columns count, without widening it first. */
  multiplyRow(product: Product, columns: number, place: PanelPlace): void;
}

/** Writes the loops of a product. Panels are outermost, so that one stays in the first cache while rows go by. */
export function emitProduct(module: ModuleBuilder, f: FunctionBuilder, product: Product): void {
  const { columns, bias } = product;
  const [panel, right, outputColumn, biasAt] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
  f.push(product.right.base).set(right);
  f.get(product.output.base).set(outputColumn);
  if (bias !== undefined) f.push(bias).set(biasAt);
  const place: PanelPlace = { right, outputColumn, biasAt };
  let rest = columns;
  const { narrow, panelStride } = product.right;
  const isRow = isSingleRow(product);
  const emitAt = (width: number, panels: number): void => {
    if (isRow && narrow !== undefined) {
      narrow.multiplyRow(product, width, place);
      return;
    }
    const wide = narrow?.widen(right, panels);
    emitPanel(module, f, product, width, wide === undefined ? place : { ...place, right: wide });
    if (wide !== undefined) f.release(wide);
  };
  for (const width of tileWidths(module, product)) {
    const panels = width / TILE_COLUMNS;
    f.for(panel, 0, Math.floor(rest / width), 1, () => {
      emitAt(width, panels);
      f.increment(right, (narrow?.stride ?? panelStride) * panels).increment(outputColumn, width * 4);
      if (bias !== undefined) f.increment(biasAt, width * 4);
    });
    rest %= width;
  }
  if (rest > 0) emitAt(rest, 1);
  f.release(panel, right, outputColumn, biasAt);
}

/** Addresses of a panel, and of what its first column becomes. */
export interface PanelPlace {
  readonly right: Local;
  readonly outputColumn: Local;
  readonly biasAt: Local;
}

function emitPanel(
  module: ModuleBuilder,
  f: FunctionBuilder,
  product: Product,
  columns: number,
  place: PanelPlace,
): void {
  const { left, output } = product;
  const [group, tile, leftAt, outputAt] = f.localsOf('i32', 4) as [Local, Local, Local, Local];
  const leftRow = left.kind === 'rows' ? left.stride : 4;
  const runs = splitEvenly(product.rows, tileRows(module, product.rows, columns));
  const emitRuns = (): void => {
    for (const { size: rows, count } of runs) {
      f.for(tile, 0, count, 1, () => {
        emitTileCall(module, f, product, { rows, columns }, { ...place, leftAt, outputAt });
        f.increment(leftAt, rows * leftRow).increment(outputAt, rows * output.rowStride);
      });
    }
  };
  f.get(left.base).set(leftAt).get(place.outputColumn).set(outputAt);
  f.for(group, 0, product.groups, 1, () => {
    emitRuns();
    if (product.groups !== 1) {
      f.increment(leftAt, left.groupStride - product.rows * leftRow);
      f.increment(outputAt, output.groupStride - product.rows * output.rowStride);
    }
  });
  f.release(group, tile, leftAt, outputAt);
}

function emitTileCall(
  module: ModuleBuilder,
  f: FunctionBuilder,
  { left, right, output, finish, depth, segments }: Product,
  { rows, columns }: { rows: number; columns: number },
  at: PanelPlace & { leftAt: Local; outputAt: Local },
): void {
  const shape: TileShape = {
    rows,
    columns,
    left: left.kind,
    right: right.stride === undefined ? 'packed' : 'strided',
    segmented: segments !== undefined,
    finish,
  };
  callTile(module, f, shape, {
    left: () => f.get(at.leftAt),
    leftStride: () => f.i32(left.stride),
    right: () => f.get(at.right),
    rightStride: () => f.i32(right.stride ?? 0),
    panelStride: () => f.i32(right.panelStride),
    depth: () => f.push(depth),
    output: () => f.get(at.outputAt),
    outputStride: () => f.i32(output.rowStride),
    bias: () => f.get(at.biasAt),
    table: () => f.push(segments?.table ?? 0),
    segments: () => f.push(segments?.count ?? 0),
  });
}

/** Columns of the tiles that the panels are shared out to, the widest first. */
function tileWidths({ wide }: ModuleBuilder, { rows, right }: Product): number[] {
  const widths = wide ? [WIDE_COLUMNS, TILE_COLUMNS] : [TILE_COLUMNS];
  if (rows !== 1 || right.stride !== undefined) return widths;
  return right.narrow ? [TILE_COLUMNS] : [ROW_COLUMNS, ...widths];
}

/** Whether the left matrix is one row of neighbours: nobody shares a panel with it. */
function isSingleRow({ rows, groups, left, segments }: Product): boolean {
  return rows === 1 && groups === 1 && left.kind === 'rows' && segments === undefined;
}

/** Rows of a tile at the most. */
function tileRows({ wide }: ModuleBuilder, rows: number, columns: number): number {
  // Seven rows of six at most are tiles of 4 and 3 rows, and tiles of 3 add up in another order.
  return wide && columns === TILE_COLUMNS && rows !== TILE_ROWS + 1 ? WIDE_PANEL_ROWS : TILE_ROWS;
}

/** Tiles of nearly equal height: 49 rows are 4 tiles of 6 and 5 of 5, which are faster than 8 of 6 and one of 1. */
export function splitEvenly(extent: number, greatest: number): { size: number; count: number }[] {
  const parts = Math.ceil(extent / greatest);
  if (parts === 0) return [];
  const least = Math.floor(extent / parts);
  const greater = extent - least * parts;
  return [
    { size: least + 1, count: greater },
    { size: least, count: parts - greater },
  ].filter(({ count }) => count > 0);
}
