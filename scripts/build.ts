/** Writes the package to `dist`, or to the folder that is named: modules with their types, and their form for Node. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForNode } from './bundle-for-node.ts';

const root: string = fileURLToPath(new URL('..', import.meta.url));
const target: string = resolve(root, process.argv[2] ?? 'dist');
rmSync(target, { recursive: true, force: true });
const compiler: string = resolve(root, 'node_modules/typescript/bin/tsc');
const words: string[] = [compiler, '-p', resolve(root, 'tsconfig.build.json'), '--outDir', target];
const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' });
if (status === 0) await bundleForNode(resolve(target, 'node'));
process.exitCode = status ?? 1;
