/**
 * Runs everything that this machine can, and says what it cannot.
 *
 * With CI=true nothing may be left out: a missing browser or Python counts as a failure. The last line is
 * `N passed, N failed`, the sum over all steps; the exit status is 0 only without failures.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findChromium } from './find-chromium.ts';
import { findOldestKeras, findPython, findTfKerasPython } from './find-python.ts';
import { findRuntimes } from './find-runtimes.ts';

interface Step {
  readonly name: string;
  /** A tool of node_modules and its words: one test. */
  readonly command?: readonly [string, ...string[]];
  /** A configuration of Vitest: as many tests as it has. */
  readonly vitest?: string;
  /** What the machine lacks for this step, if anything. */
  readonly lacks?: () => string | undefined;
  /** What it lacks for parts of the step; the others are run. */
  readonly lacksForParts?: () => readonly string[];
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const STEPS: readonly Step[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'format and lint', command: ['biome', 'ci', '--max-diagnostics=50', '.'] },
  { name: 'unit tests', vitest: 'vitest.config.ts' },
  { name: 'build', command: ['node', 'scripts/build.ts'] },
  { name: 'shape of the package', command: ['publint', '--strict'] },
  { name: 'types of the package', command: ['attw', '--pack', '.', '--profile', 'esm-only'] },
  {
    name: 'Deno and Bun',
    vitest: 'test/runtimes/vitest.config.ts',
    lacksForParts: () =>
      ['Deno', 'Bun']
        .filter((name) => !(name in findRuntimes()))
        .map((name) => `${name} was not found (.ci/run installs it in test/runtimes)`),
  },
  {
    name: 'browser tests',
    vitest: 'test/browser/vitest.config.ts',
    lacks: () => (findChromium() ? undefined : 'no Chromium was found (install one, or name it in CHROMIUM)'),
  },
  {
    name: 'tests against Keras',
    vitest: 'test/interop/vitest.config.ts',
    lacks: () => (findPython() ? undefined : 'no Python with Keras was found (.ci/run makes interop/.venv)'),
    lacksForParts: () => [
      ...(findTfKerasPython() ? [] : ['no Python with tf_keras was found (.ci/run makes interop/.venv-tf-keras)']),
      ...(findOldestKeras() ? [] : ['the oldest Keras 3 was not found (.ci/run makes interop/.venv-oldest-keras)']),
    ],
  },
];

const root: string = fileURLToPath(new URL('..', import.meta.url));
const results: string = `${root}/.cache/test-results`;
const everything: boolean = !['', 'false', '0'].includes(process.env.CI ?? '');

mkdirSync(results, { recursive: true });
const total = { passed: 0, failed: 0 };
const notes: string[] = [];
for (const step of STEPS) {
  const lacking = step.lacks?.();
  if (lacking !== undefined) {
    notes.push(`${everything ? 'FAILED' : 'not run'}: ${step.name}, because ${lacking}`);
    if (everything) total.failed++;
    continue;
  }
  for (const part of step.lacksForParts?.() ?? []) {
    notes.push(`${everything ? 'FAILED' : 'not run'}: a part of the ${step.name}, because ${part}`);
    if (everything) total.failed++;
  }
  console.log(`\n— ${step.name}`);
  const started = performance.now();
  const { passed, failed, skipped } = runStep(step);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`— ${step.name}: ${failed === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  if (failed > 0) notes.push(`FAILED: ${step.name}`);
  if (skipped > 0) notes.push(`not run: ${skipped} of the ${step.name}, marked as skipped above`);
  total.passed += passed;
  total.failed += failed;
}
console.log('');
for (const note of notes) console.log(note);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

function runStep(step: Step): Outcome {
  if (step.vitest !== undefined) return runVitest(step.name, step.vitest);
  const [name, ...words] = step.command ?? ['true'];
  const succeeded = run(name, words) === 0;
  return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 };
}

/** The parts of Vitest's JSON report that are counted. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly { status: string; assertionResults: readonly { status: string }[] }[];
}

function runVitest(name: string, config: string): Outcome {
  const file = `${results}/${name.replaceAll(' ', '-')}.json`;
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const status = run('vitest', ['run', '--config', config, '--root', root, ...reporters]);
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  // A file that does not even load has no test that could fail.
  const broken = report.testResults.filter(
    (result) => result.status === 'failed' && !result.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + broken;
  return {
    passed: report.numPassedTests,
    // Vitest may fail for a reason that is no test's, such as an error after the last one.
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: report.numPendingTests,
  };
}

function run(name: string, words: readonly string[]): number {
  const shell = process.platform === 'win32';
  return spawnSync(name, words, { cwd: root, stdio: 'inherit', shell }).status ?? 1;
}
