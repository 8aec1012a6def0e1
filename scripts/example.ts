/**
 * `npm run example NAME`: runs a program of `examples/`. There, `hornet` is the source of this repository, so nothing
 * needs to be built.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const folder = new URL('../examples/', import.meta.url);
const source = new URL('../src/index.ts', import.meta.url).href;
// What an example does is said at its top; files without are parts of others.
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && readFileSync(new URL(file, folder), 'utf8').includes('`npm run example'))
  .map((file) => file.replace('.ts', ''));

registerHooks({
  resolve: (specifier, context, next) => next(specifier === 'hornet' ? source : specifier, context),
});

const [name = ''] = process.argv.slice(2);
if (names.includes(name)) {
  await import(new URL(`${name}.ts`, folder).href);
} else {
  console.error(`Cannot run example "${name}": expected one of ${names.join(', ')}`);
  process.exitCode = 2;
}
