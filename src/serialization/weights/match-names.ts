/** A flat list of named arrays (TensorFlow.js) onto the weights of a model. */
import { shapesEqual } from '../../array/shape.ts';
import type { NamedWeights, WeightEntry, WeightGroup } from '../../formats/artifacts.ts';
import type { Variable } from '../../graph/variable.ts';
import type { Layer } from '../../layers/layer.ts';
import { KerasModel } from '../../model/keras-model.ts';
import type { LoadReport } from '../report.ts';
import { matchPaths } from './match-paths.ts';
import { matchBySuffix } from './match-within.ts';
import { type MatchOptions, type PlanItem, withoutOutputIndex } from './plan.ts';

/** A name that a conversion of a Keras 3 file gives: `layers/dense/vars/0`, or without the parts that say nothing. */
const INDEXED = /^(?:(.*)\/)?(?:vars\/)?(\d+)$/;

/** Plans which arrays go where; what has no partner goes to the report. */
export function matchNames(
  model: Layer,
  weights: NamedWeights,
  options: MatchOptions,
  report: LoadReport,
): readonly PlanItem[] {
  const names = new Map(
    weights.entries.map((entry) => [withoutOutputIndex(options.rename(entry.name)), entry] as const),
  );
  if (names.size > 0 && [...names.keys()].every((name) => INDEXED.test(name))) {
    return matchIndexed(model, names, report);
  }
  const plan: PlanItem[] = [];
  const free = new Map(names);
  const take = (variable: Variable, name: string, isRenamed: boolean): void => {
    const entry = free.get(name) as WeightEntry;
    free.delete(name);
    plan.push({ variable, entries: [entry] });
    if (isRenamed) report.renamed.push({ weight: variable.path, source: entry.name });
  };

  const open: Variable[] = [];
  if (model instanceof KerasModel) model.nameWeights();
  for (const variable of model.weights) {
    const name = spellings(model.name, variable).find((candidate) => free.has(candidate));
    if (name === undefined) open.push(variable);
    else take(variable, name, false);
  }
  const rest = [...free].map(([name, { shape }]) => ({ name, shape }));
  const others = options.byName ? undefined : (matchRest(open, rest) ?? undefined);
  for (const [index, { name }] of rest.entries()) {
    const variable = others?.[index];
    if (variable !== undefined) take(variable, name, true);
  }
  const planned = new Set(plan.map(({ variable }) => variable));
  for (const variable of open) if (!planned.has(variable)) report.missing.push(variable.path);
  for (const { name } of free.values()) report.unexpected.push(name);
  return plan;
}

/** What no name settles: the ends of the names, else the order, when numbers and shapes agree. */
function matchRest(
  variables: readonly Variable[],
  rest: readonly { readonly name: string; readonly shape: readonly number[] }[],
): readonly Variable[] | undefined {
  if (variables.length !== rest.length) return undefined;
  const named = matchBySuffix(variables, rest);
  const orders = [named ?? [], variables, trainableFirst(variables)];
  return orders.find(
    (order) =>
      order.length === rest.length &&
      order.every((variable, index) => shapesEqual(variable.shape, rest[index]?.shape ?? [])),
  );
}

function trainableFirst(variables: readonly Variable[]): readonly Variable[] {
  return [...variables.filter(({ trainable }) => trainable), ...variables.filter(({ trainable }) => !trainable)];
}

/**
 * The names under which writers may have stored a weight. TensorFlow.js leaves out the names of nested models and of
 * the cells of recurrent layers; Keras 3 puts the model's name in front.
 */
function spellings(model: string, { path, name: own, traits: { oldName } }: Variable): readonly string[] {
  const segments = path.split('/');
  const found = new Set<string>([path, `${model}/${path}`]);
  const add = (parts: readonly string[]): void => {
    for (let start = 0; start + 2 <= parts.length; start++) found.add(parts.slice(start).join('/'));
  };
  add(segments);
  if (segments.length >= 3) {
    add([...segments.slice(0, -2), segments.at(-1) as string]);
    found.add(`${model}/${[...segments.slice(0, -2), segments.at(-1)].join('/')}`);
  }
  if (oldName === undefined) return [...found];
  return [...found].flatMap((name) => [name, name.slice(0, -own.length) + oldName]);
}

/** Names of a Keras 3 file: groups and indices, as in `.weights.h5`. */
function matchIndexed(model: Layer, names: ReadonlyMap<string, WeightEntry>, report: LoadReport): readonly PlanItem[] {
  const groups = new Map<string, { layerName: string | undefined; entries: Map<string, WeightEntry> }>();
  for (const [name, entry] of names) {
    const [, path = '', key = '0'] = INDEXED.exec(name) ?? [];
    // Converters drop `layers/` and `_layer_checkpoint_dependencies/` or keep them.
    const bare = path.replace(/\/vars$/, '');
    const present = bare.replaceAll('_layer_checkpoint_dependencies/', 'layers/');
    const full = present.startsWith('layers/') ? present : `layers/${present}`;
    const group = groups.get(full) ?? { layerName: undefined, entries: new Map<string, WeightEntry>() };
    group.entries.set(key, entry);
    groups.set(full, group);
  }
  return matchPaths(model, { kind: 'paths', groups: groups as ReadonlyMap<string, WeightGroup> }, report);
}
