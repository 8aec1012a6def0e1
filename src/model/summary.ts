import { formatShape, sizeOf } from '../array/shape.ts';
import type { Variable } from '../graph/variable.ts';
import type { LayerCall } from '../layers/keras-tensor.ts';
import type { Layer } from '../layers/layer.ts';
import type { KerasModel } from './keras-model.ts';

export interface SummaryOptions {
  /** Takes the lines; by default nothing is printed and the table is only returned. */
  readonly printFn?: (line: string) => void;
  /** Shows the layers of nested models, indented. */
  readonly expandNested?: boolean;
  /** Adds a column that says which layers are trained. */
  readonly showTrainable?: boolean;
}

/** The table that Keras prints for a model. */
export function formatSummary(model: KerasModel, options: SummaryOptions): string {
  const isChain = 'add' in model;
  const header = ['Layer (type)', 'Output Shape', 'Param #'];
  if (!isChain) header.push('Connected to');
  if (options.showTrainable === true) header.push('Trainable');
  const rows = modelRows(model, '', isChain, options);
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], separator: string): string =>
    `${separator} ${cells
      .map((cell, column) => (column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join(` ${separator} `)} ${separator}`;
  const rule = (left: string, middle: string, right: string, dash: string): string =>
    left + widths.map((width) => dash.repeat(width + 2)).join(middle) + right;
  const lines = [
    `Model: "${model.name}"`,
    rule('┏', '┳', '┓', '━'),
    line(header, '┃'),
    rule('┡', '╇', '┩', '━'),
    ...rows.flatMap((row, index) => [...(index === 0 ? [] : [rule('├', '┼', '┤', '─')]), line(row, '│')]),
    rule('└', '┴', '┘', '─'),
    ` Total params: ${countWithSize(model.weights)}`,
    ` Trainable params: ${countWithSize(model.trainableWeights)}`,
    ` Non-trainable params: ${countWithSize(model.nonTrainableWeights)}`,
  ];
  for (const text of lines) options.printFn?.(text);
  return lines.join('\n');
}

function modelRows(model: KerasModel, indent: string, isChain: boolean, options: SummaryOptions): string[][] {
  return model.layers.flatMap((layer) => {
    const calls = model.layerCalls.filter((call) => call.layer === layer);
    const row = layerRow(layer, calls, indent, isChain, options);
    const isModel = options.expandNested === true && 'layerCalls' in layer;
    return [row, ...(isModel ? modelRows(layer as Layer as KerasModel, `${indent}  `, isChain, options) : [])];
  });
}

function layerRow(
  layer: Layer,
  calls: readonly LayerCall[],
  indent: string,
  isChain: boolean,
  options: SummaryOptions,
): string[] {
  const shapes = calls[0]?.outputs.map(({ shape }) => formatShape(shape).replace('[', '(').replace(']', ')')) ?? [];
  const row = [
    `${indent}${layer.name} (${layer.className})`,
    shapes.join(', ').replaceAll('null', 'None') || '?',
    layer.countParams().toLocaleString('en-US'),
  ];
  if (!isChain) {
    const sources = calls.flatMap(({ inputs }) =>
      inputs.map(({ call, index }) => `${call.layer.name}[${call.layer.calls.indexOf(call)}][${index}]`),
    );
    row.push(sources.join(', ') || '-');
  }
  if (options.showTrainable === true) row.push(layer.weights.length === 0 ? '-' : layer.trainable ? 'Y' : 'N');
  return row;
}

/** `1,234 (4.82 KB)`; the bytes are those that the weights take, which may be kept in fewer than float32 needs. */
function countWithSize(variables: readonly Variable[]): string {
  const count = variables.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const bytes = variables.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return `${count.toLocaleString('en-US')} (${formatBytes(bytes)})`;
}

function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size.toFixed(2)} ${units[unit]}`;
}
