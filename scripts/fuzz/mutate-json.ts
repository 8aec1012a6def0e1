/** Damage to JSON that leaves it JSON: values of other kinds and sizes, keys that reach for prototypes, depth. */
import type { Random } from './random.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** As text, since a parser would not keep all of them. */
const HOSTILE: readonly string[] = [
  'null',
  'true',
  'false',
  '0',
  '-1',
  '1.5',
  '1e9',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '1e308',
  '-1e400',
  'NaN',
  'Infinity',
  '""',
  '"__proto__"',
  '"constructor"',
  '"../../../../hornet-escaped"',
  '"/etc/passwd"',
  '"\\u0000"',
  '"\\ud800"',
  '"a\\\\b"',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '[1e9, 1e9]',
  '[-1, 3]',
  '[65536, 65536, 65536]',
  '{"__proto__": {"polluted": true}}',
  '{"constructor": {"prototype": {"polluted": true}}}',
  '{"class_name": "Dense", "config": {"units": 1e9}}',
  '{"class_name": "__proto__", "config": {}}',
  '{"class_name": "Sequential", "config": {"layers": []}}',
];

const HOSTILE_KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  '../x',
];

const MARK = '\u0001hostile\u0001';

interface Place {
  readonly holder: Json[] | { [key: string]: Json };
  readonly key: string | number;
}

/** A damaged text; it is made from the parsed value, so that all but the damage is JSON. */
export function mutateJson(text: string, random: Random): string {
  const root = { value: JSON.parse(text) as Json };
  const inserted: string[] = [];
  for (let count = 1 + random.small(3); count > 0; count--) change(root, random, inserted);
  let next = 0;
  return (JSON.stringify(root.value) ?? 'null').replaceAll(JSON.stringify(MARK), () => inserted[next++] ?? 'null');
}

function change(root: { value: Json }, random: Random, inserted: string[]): void {
  const places = placesIn(root);
  const { holder, key } = random.pick(places);
  const at = holder as Record<string | number, Json>;
  // The whole of it can become another value, not vanish.
  const action = random.below((holder as unknown) === root ? 6 : 10);
  if (action < 5) {
    at[key] = MARK;
    // Marks are replaced in the order of the text, in which this one's place is not yet known: all are alike.
    inserted.push(random.chance(0.03) ? nested(random) : random.pick(HOSTILE));
  } else if (action === 5) {
    const other = random.pick(places);
    at[key] = structuredClone((other.holder as Record<string | number, Json>)[other.key] as Json);
  } else if (action === 6) {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  } else if (action === 7 && !Array.isArray(holder)) {
    const value = holder[key] as Json;
    delete holder[key];
    Object.defineProperty(holder, random.pick(HOSTILE_KEYS), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else if (action === 8 && Array.isArray(holder)) {
    for (let count = random.small(200); count > 0; count--) holder.push(holder[Number(key)] as Json);
  } else {
    const value = at[key];
    if (typeof value === 'number') at[key] = random.pick([value + 1, value - 1, -value, value * 1000, value / 2]);
    else if (typeof value === 'string') at[key] = random.pick([`${value}x`, value.slice(1), value.toUpperCase(), '']);
    else at[key] = MARK;
    if (at[key] === MARK) inserted.push(random.pick(HOSTILE));
  }
}

function nested(random: Random): string {
  const depth = random.pick([100, 1000, 100_000]);
  if (random.chance(0.5)) return `${'['.repeat(depth)}${']'.repeat(depth)}`;
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

function placesIn(root: { value: Json }): Place[] {
  const places: Place[] = [];
  const pending: (Json[] | { [key: string]: Json })[] = [root as { value: Json }];
  for (let holder = pending.pop(); holder !== undefined; holder = pending.pop()) {
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      const value = (holder as Record<string, Json>)[key];
      if (typeof value === 'object' && value !== null) pending.push(value);
    }
  }
  return places;
}
