/** The picture of ARCHITECTURE.md as a test: who may import whom, and how large a file may be. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Import, importRings, readSourceTree, root, type SourceFile } from './support/source-tree.ts';

interface Room {
  readonly what: string;
  readonly mayImport: readonly string[];
  /** Rooms above, which it may name as types and load only when a method is called. */
  readonly reaches?: readonly string[];
}

/** Beside itself, `errors.ts` and `pause.ts`, which every folder may import. A change here is a change of the architecture. */
const ROOMS: Readonly<Record<string, Room>> = {
  array: { what: 'dtypes, shapes, the host tensor, random bits', mayImport: [] },
  binary: { what: 'files that are read in ranges', mayImport: ['array'] },
  graph: { what: 'the table of primitives, symbolic tensors, shape rules', mayImport: ['array'] },
  ops: { what: 'the functions that layers and users call', mayImport: ['array', 'graph'] },
  autodiff: { what: 'gradient rules from graph to graph', mayImport: ['array', 'graph', 'ops'] },
  compiler: { what: 'graph to schedule of fused kernels; the seam to backends', mayImport: ['array', 'graph'] },
  backends: { what: 'reference (interpreter), wasm (assembler, kernels)', mayImport: ['array', 'graph', 'compiler'] },
  layers: { what: "Keras' layers, one family a file", mayImport: ['array', 'graph', 'ops'] },
  model: {
    what: 'graphs of layers: names and order of weights, predict, summary',
    mayImport: ['array', 'graph', 'ops', 'compiler', 'backends', 'layers'],
    // Keras has `model.load_weights` and `model.fit`, so the methods are here and what they do is there.
    reaches: ['io', 'serialization/report.ts', 'formats/artifacts.ts', 'training'],
  },
  training: {
    what: 'losses, metrics, optimizers, callbacks, fit',
    mayImport: ['array', 'graph', 'ops', 'autodiff', 'compiler', 'layers', 'model'],
    // Callbacks of Keras store models and trainings; where and how is known there, and loaded when they do.
    reaches: ['io', 'binary', 'storage/store.ts', 'formats/tensorboard'],
  },
  formats: { what: 'bytes to and from `ModelArtifacts`, one folder a format', mayImport: ['array', 'binary'] },
  storage: { what: 'keys to bytes: paths, URLs, blobs, memory', mayImport: ['array', 'binary'] },
  serialization: {
    what: "Keras' configurations to and from objects; which weight goes where",
    mayImport: ['array', 'graph', 'ops', 'layers', 'model', 'training', 'formats/artifacts.ts', 'formats/json.ts'],
  },
  io: {
    what: 'load and save: store, format, configuration, model',
    mayImport: ['array', 'binary', 'layers', 'model', 'training', 'formats', 'storage', 'serialization'],
  },
  applications: {
    what: "Keras' ready-made image models, and what goes before and after them",
    mayImport: ['array', 'layers', 'model', 'io'],
  },
  cli: { what: 'the command line, on the public names only', mayImport: ['index.ts'] },
};

/** Modules of packages, and who may load them: lazily, but for the command line's own. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  'cli-progress': /^src\/cli\//,
  commander: /^src\/cli\//,
  'fast-png': /^src\/cli\//,
  'jpeg-js': /^src\/cli\//,
};

const MAX_LINES = 600;

const files: SourceFile[] = readSourceTree();

test('the scan sees the source tree', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(500);
});

test('every folder is a room, and there is no file in between', () => {
  const rooms = new Set(files.map((file) => file.room));
  const known = [...Object.keys(ROOMS), 'errors.ts', 'pause.ts', 'index.ts'];
  expect([...rooms].filter((room) => !known.includes(room))).toEqual([]);
  expect(files.map((file) => file.path).filter((path) => /.\/index\.ts$/.test(path.slice(4)))).toEqual([]);
});

test.each(Object.entries(ROOMS))('%s imports only what it may', (room, { mayImport, reaches = [] }) => {
  const isIn = (target: string, names: readonly string[]): boolean =>
    names.some((name) => target === name || target.startsWith(`${name}/`));
  const strangers = importsWithin(room).filter(
    ({ target, kind }) =>
      !isIn(target, ['errors.ts', 'pause.ts', room, ...mayImport]) && !(kind !== 'runtime' && isIn(target, reaches)),
  );
  expect(
    strangers.map(({ path, target }) => `${path} imports ${target}`),
    `${room} may import ${mayImport.join(', ') || 'nothing'}`,
  ).toEqual([]);
});

test('no files load each other in a ring', () => {
  expect(importRings(files).map((ring) => ring.join(' → '))).toEqual([]);
});

test(`no file is longer than ${MAX_LINES} lines`, () => {
  const long = files.filter((file) => file.text.split('\n').length > MAX_LINES + 1);
  expect(long.map((file) => file.path)).toEqual([]);
});

test('modules of Node are imported by the command line alone', () => {
  const found = files.flatMap(({ path, room, imports }) =>
    imports
      .filter(({ target, kind }) => target.startsWith('node:') && kind !== 'type' && room !== 'cli')
      .map(() => path),
  );
  expect(found).toEqual([]);
  const builtin = files.filter(({ text }) => text.includes('getBuiltinModule')).map(({ path }) => path);
  expect(builtin).toEqual([
    'src/backends/wasm/host-worker.ts',
    'src/backends/wasm/wide-vectors.ts',
    'src/storage/file-system-store.ts',
    'src/storage/live-writers.ts',
  ]);
});

test('packages are loaded where they are used, and lazily', () => {
  const found = files.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => !target.startsWith('src/') && !target.startsWith('node:'))
      .filter(({ target, kind }) => !(kind !== 'runtime' && PACKAGES[packageOf(target)]?.test(path)))
      .map(({ target, kind }) => `${path}: ${kind} import of ${target}`),
  );
  expect(found).toEqual([]);
});

describe('ARCHITECTURE.md', () => {
  test('prints the table', () => {
    expect(readFileSync(`${root}/ARCHITECTURE.md`, 'utf8')).toContain(formatTable());
  });
});

function importsWithin(room: string): { path: string; target: string; kind: Import['kind'] }[] {
  return files
    .filter((file) => file.room === room)
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => target.startsWith('src/'))
        .map(({ target, kind }) => ({ path, kind, target: target.slice('src/'.length) })),
    );
}

function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

function formatTable(): string {
  const rows = Object.entries(ROOMS).map(
    ([room, { what, mayImport }]) => `| \`${room}\` | ${what} | ${mayImport.join(', ') || 'nothing'} |`,
  );
  return ['| folder | what it is | may import |', '| --- | --- | --- |', ...rows].join('\n');
}
