/**
 * `npm start`: loads the model that the project ships and lets it read some digits.
 * `npm start -- MODEL INPUT…`: the same for any model and inputs, from files or URLs.
 * `npm start -- COMMAND …`: any command of the command line (`npm start -- inspect model.keras`).
 */
import { COMMAND_NAMES, runCommandLine } from '../src/cli/command-line.ts';

// Relative paths are meant from where npm was called, not from the repository to which it went.
process.chdir(process.env.INIT_CWD ?? process.cwd());

const given = process.argv.slice(2);
const isCommand = given[0]?.startsWith('-') || COMMAND_NAMES.includes(given[0] ?? '');
const words = given.length === 0 ? ['demo'] : isCommand ? given : ['predict', '--picture', ...given];
process.exitCode = await runCommandLine(words, { program: 'npm start --' });
