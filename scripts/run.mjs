/**
 * Runs a script of the project on a fresh clone: `node scripts/run.mjs FILE.ts …`.
 *
 * Installs what the lockfile asks for and node_modules lacks, then runs the file with the Node of node_modules, which
 * takes TypeScript as it is. This file is plain JavaScript for Node 20: it runs before there is anything else.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tools = join(root, 'node_modules/.bin');
const isWindows = process.platform === 'win32';
const node = join(tools, isWindows ? 'node.cmd' : 'node');

const reason = missingPackage();
if (reason !== undefined) install(reason);
const [file, ...words] = process.argv.slice(2);
const { status } = spawnSync(node, [join(root, file), ...words], {
  // The tools that a script starts find the same Node, and each other, before any other.
  env: { ...process.env, PATH: `${tools}${delimiter}${process.env.PATH ?? ''}` },
  stdio: 'inherit',
  shell: isWindows,
});
process.exit(status ?? 1);

function missingPackage() {
  const wanted = readLock('package-lock.json');
  const found = readLock('node_modules/.package-lock.json');
  if (found === undefined) return 'there is no node_modules';
  for (const [path, { version, optional, os, cpu }] of Object.entries(wanted.packages)) {
    if (path === '' || optional || os !== undefined || cpu !== undefined) continue;
    if (found.packages[path]?.version !== version)
      return `${path.replace(/^node_modules\//, '')} ${version} is missing`;
  }
  return existsSync(node) ? undefined : 'Node 24 is missing';
}

function readLock(path) {
  const lock = join(root, path);
  return existsSync(lock) ? JSON.parse(readFileSync(lock, 'utf8')) : undefined;
}

function install(why) {
  console.log(`Installing the development tools (${why}); this takes half a minute …`);
  // Older releases of Node install tools that want Node 24, which is among them: engine warnings would only mislead.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['ci', ...quiet], { cwd: root, stdio: 'inherit', shell: isWindows });
  if (status === 0) return;
  console.error('Cannot install the development tools: npm ci failed, see above');
  process.exit(1);
}
