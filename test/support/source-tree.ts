/** The source files and what they import, read from their text. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface Import {
  /** The target: a path below the repository with forward slashes, or the name of a module. */
  readonly target: string;
  /** Erased when compiled; loaded with the file; or loaded when the program comes to it. */
  readonly kind: 'type' | 'runtime' | 'lazy';
}

export interface SourceFile {
  /** Below the repository: `src/array/shape.ts`. */
  readonly path: string;
  readonly text: string;
  /** The folder below `src`; for a file of `src` itself its own name: `errors.ts`. */
  readonly room: string;
  readonly imports: readonly Import[];
}

export const root: string = new URL('../..', import.meta.url).pathname;

const STATIC_IMPORT = /^(?:import|export)\s+(type\s+)?(?:[^;'"]*?\bfrom\s+)?['"]([^'"]+)['"]/gm;
const LAZY_IMPORT = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** Every source file that is not a test. */
export function readSourceTree(): SourceFile[] {
  return globSync('src/**/*.ts', { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !path.endsWith('.test.ts'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, room: path.split('/')[1] ?? '', imports: importsOf(path, text) };
    });
}

function importsOf(path: string, text: string): Import[] {
  const code = text.replace(COMMENT, '');
  const resolve = (target: string): string =>
    target.startsWith('.') ? normalize(join(dirname(path), target)).replaceAll('\\', '/') : target;
  const found: Import[] = [];
  for (const [, type, target = ''] of code.matchAll(STATIC_IMPORT)) {
    found.push({ target: resolve(target), kind: type === undefined ? 'runtime' : 'type' });
  }
  for (const [, target = ''] of code.matchAll(LAZY_IMPORT)) found.push({ target: resolve(target), kind: 'lazy' });
  return found;
}

/** Files that load each other in a ring, one ring an entry; a lazy import closes no ring. */
export function importRings(files: readonly SourceFile[]): string[][] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const rings: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      rings.push([...trail.slice(trail.indexOf(path)), path]);
      return;
    }
    state.set(path, 'open');
    trail.push(path);
    for (const { target, kind } of byPath.get(path)?.imports ?? []) {
      if (kind === 'runtime' && byPath.has(target)) visit(target);
    }
    trail.pop();
    state.set(path, 'done');
  };
  for (const { path } of files) visit(path);
  return rings;
}
