/** The commands, their options, and what becomes of their errors. Each command is loaded when it is called. */
import type { Command } from 'commander';
import type { Quantize } from '../index.ts';
import { CommandError, EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';

/** Every command, for those who have to tell a command from a file. */
export const COMMAND_NAMES: readonly string[] = [
  'inspect',
  'summary',
  'predict',
  'convert',
  'verify',
  'diff',
  'checkpoints',
  'profile',
  'demo',
  'help',
];

export interface CommandLineOptions {
  /** How the command line was called, for its help and hints. */
  readonly program?: string;
}

const EXIT_HELP = `
Exit status: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 damaged file or weights that do not fit,
5 not supported, 6 the input does not fit the model, 7 the models differ.`;

/** Runs one command. Errors are printed in a line, without a stack; the result is the exit status. */
export async function runCommandLine(
  words: readonly string[],
  { program = 'hornet' }: CommandLineOptions = {},
): Promise<ExitCode> {
  const commander = await import('commander');
  const { Command, CommanderError } = commander;
  try {
    await defineCommands(new Command(program), program, commander).parseAsync([...words], { from: 'user' });
    return EXIT.done;
  } catch (error) {
    // Commander has printed its own messages, and throws for --help too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    process.stderr.write(`${program}: ${error instanceof Error ? error.message : String(error)}\n`);
    if (process.env.HORNET_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return exitCodeOf(error);
  }
}

function defineCommands(
  root: Command,
  program: string,
  { Option }: Pick<typeof import('commander'), 'Option'>,
): Command {
  root
    .description('Loads Keras and TensorFlow.js models, says what is in them, and runs them.')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText('after', EXIT_HELP);
  root
    .command('inspect')
    .description('say what a model file holds: format, versions, layers, weights')
    .argument('<model>', 'a file, a folder or a URL')
    .option('--stats', 'read all weights and print minimum, maximum and mean (done anyway below 1 MB)')
    .option('--no-stats', 'read no weights')
    .option('--json', 'print JSON')
    .action(async (source: string, options: { stats?: boolean; json?: boolean }) => {
      const { inspect } = await import('./inspect.ts');
      await inspect(source, options);
    });
  root
    .command('summary')
    .description("load a model and print Keras' table of its layers")
    .argument('<model>', 'a file, a folder or a URL')
    .option('--nested', 'show the layers of nested models')
    .option('--trainable', 'show which layers are trainable')
    .addOption(new Option('--weight-dtype <dtype>', 'keep weights so, and say what it changes').choices(WEIGHT_DTYPES))
    .action(async (source: string, options: SummaryWords) => {
      const { summarize } = await import('./summary.ts');
      await summarize(source, options);
    });
  root
    .command('predict')
    .description('load a model and run it on images (PNG, JPEG), .npy, .json or .csv files')
    .argument('<model>', 'a file, a folder or a URL')
    .argument('<input...>', 'files or URLs; for a model with several inputs one each, in order or as NAME=FILE')
    .option('--top <n>', 'how many classes to show', parseCountOf('--top'), 5)
    .option(
      '--labels <file>',
      'names of the classes: JSON or a line each (default: labels.json or .txt beside the model)',
    )
    .option('--range <a,b>', 'the numbers that black and white become, such as 0,1 or -1,1', parseRange)
    .option('--picture', 'show images in the terminal')
    .addOption(new Option('--weight-dtype <dtype>', 'keep weights in memory in fewer bytes').choices(WEIGHT_DTYPES))
    .option('--json', 'print JSON')
    .action(async (source: string, inputs: string[], options: PredictWords) => {
      const { predict } = await import('./predict.ts');
      await predict(source, inputs, options);
    });
  root
    .command('convert')
    .description(
      'write a model in another format: .keras, .h5, model.json, .weights.h5, .weights.json, .safetensors, .npz',
    )
    .argument('<in>', 'a file, a folder or a URL')
    .argument('<out>', 'a file, whose ending names the format')
    .option('--format <name>', 'the format, where the ending does not say')
    .option('--architecture <model>', ARCHITECTURE)
    .option(
      '--quantize <dtype>',
      'store floats of a model.json as uint8, uint16 or float16: all, or by name: "*/kernel=uint8,*/bias=float16"',
      parseQuantize,
    )
    .option('--shard-size <bytes>', 'the size of files of weights, such as 4MB', parseBytes)
    .option('--drop-optimizer', 'leave out the state of the optimizer')
    .option('--verify', 'read what was written and compare it, before it takes the place of what was there')
    .action(async (source: string, destination: string, options: ConvertWords) => {
      const { convert } = await import('./convert.ts');
      await convert(source, destination, options);
    });
  root
    .command('verify')
    .description('compare two models: layers, weights, predictions; status 7 when they differ')
    .argument('<a>', 'a file, a folder or a URL')
    .argument('<b>', 'a file, a folder or a URL')
    .option('--architecture <model>', ARCHITECTURE)
    .option('--tolerance <number>', 'how much numbers may differ', parseTolerance, 1e-5)
    .option('--json', 'print JSON')
    .action(async (first: string, second: string, options: CompareWords) => {
      const { verify } = await import('./verify.ts');
      await verify(first, second, options);
    });
  root
    .command('diff')
    .description('list the weights that two models do not share, and how much they differ')
    .argument('<a>', 'a file, a folder or a URL')
    .argument('<b>', 'a file, a folder or a URL')
    .option('--architecture <model>', ARCHITECTURE)
    .option('--json', 'print JSON')
    .action(async (first: string, second: string, options: CompareWords) => {
      const { diff } = await import('./verify.ts');
      await diff(first, second, options);
    });
  root
    .command('checkpoints')
    .description('list the versions in a folder of checkpoints, or restore, compare or remove some')
    .argument('<folder>', 'where a training saves its checkpoints')
    .argument('[out]', 'for --restore: a file, whose ending names the format')
    .option('--restore <version>', 'write one version to a file: latest, best, a step, a name')
    .option('--compare <a,b>', 'compare the metrics and weights of two versions')
    .option('--remove <version>', 'remove one version')
    .option('--monitor <metric>', 'the metric that tells which is best (default: the one that the training used)')
    .addOption(new Option('--mode <mode>', 'which values of it are better').choices(['auto', 'min', 'max']))
    .option('--json', 'print JSON')
    .action(async (folder: string, destination: string | undefined, options: CheckpointWords) => {
      const { checkpoints } = await import('./checkpoints.ts');
      await checkpoints(folder, destination, options);
    });
  root
    .command('profile')
    .description('say where the time of a prediction goes: kernel by kernel, beside what the processor could do')
    .argument('<model>', 'a file, a folder or a URL')
    .argument('[input...]', 'as for predict, all in one batch (default: made-up numbers)')
    .option('--batch <n>', 'rows of the batch; inputs are repeated', parseCountOf('--batch'))
    .option('--repeat <n>', 'how often it is run (default: for two seconds)', parseCountOf('--repeat'))
    .option('--top <n>', 'how many kernels the table has', parseCountOf('--top'), 20)
    .option('--train', 'a step of training, on made-up targets')
    .option('--html <file>', 'write a page: the picture, a roofline plot, the whole table')
    .option('--svg <file>', 'write the picture alone')
    .option('--json', 'print JSON')
    .action(async (source: string, inputs: string[], options: ProfileWords) => {
      const { profile } = await import('./profile.ts');
      await profile(source, inputs, options);
    });
  root
    .command('demo')
    .description('load the model that comes with Hornet and let it read some digits')
    .action(async () => {
      const { demonstrate } = await import('./demo.ts');
      await demonstrate(program);
    });
  return root;
}

const ARCHITECTURE = 'for weights alone: the model that they are for';

const WEIGHT_DTYPES = ['float16', 'int8'] as const;

const QUANTIZED_DTYPES: ReadonlySet<string> = new Set(['uint8', 'uint16', 'float16']);

/** Options of `summary` as they are parsed. */
export interface SummaryWords {
  readonly nested?: boolean;
  readonly trainable?: boolean;
  readonly weightDtype?: (typeof WEIGHT_DTYPES)[number];
}

/** Options of `predict` as they are parsed. */
export interface PredictWords {
  readonly top: number;
  readonly labels?: string;
  readonly range?: readonly [number, number];
  readonly picture?: boolean;
  readonly weightDtype?: (typeof WEIGHT_DTYPES)[number];
  readonly json?: boolean;
}

/** Options of `convert` as they are parsed. */
export interface ConvertWords {
  readonly format?: string;
  readonly architecture?: string;
  readonly quantize?: Quantize;
  readonly shardSize?: number;
  readonly dropOptimizer?: boolean;
  readonly verify?: boolean;
}

/** Options of `verify` and `diff` as they are parsed. */
export interface CompareWords {
  readonly architecture?: string;
  readonly tolerance: number;
  readonly json?: boolean;
}

/** Options of `profile` as they are parsed. */
export interface ProfileWords {
  readonly batch?: number;
  readonly repeat?: number;
  readonly top: number;
  readonly train?: boolean;
  readonly html?: string;
  readonly svg?: string;
  readonly json?: boolean;
}

/** Options of `checkpoints` as they are parsed. */
export interface CheckpointWords {
  readonly restore?: string;
  readonly compare?: string;
  readonly remove?: string;
  readonly monitor?: string;
  readonly mode?: 'auto' | 'min' | 'max';
  readonly json?: boolean;
}

const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

function parseBytes(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]?b)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (BYTE_UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new CommandError(`Cannot use --shard-size ${text}: expected a size such as 4MB`, EXIT.usage);
}

function parseQuantize(text: string): Quantize {
  if (QUANTIZED_DTYPES.has(text)) return text as Quantize;
  const rules = text.split(',').map((rule): [string, string] => {
    const at = Math.max(rule.lastIndexOf('='), 0);
    return [rule.slice(0, at), rule.slice(at + 1)];
  });
  if (rules.every(([pattern, dtype]) => pattern !== '' && (QUANTIZED_DTYPES.has(dtype) || dtype === 'float32'))) {
    return Object.fromEntries(rules) as Quantize;
  }
  const expected = 'uint8, uint16 or float16, or such for names of weights: "*/kernel=uint8,*/bias=float16"';
  throw new CommandError(`Cannot use --quantize ${text}: expected ${expected}`, EXIT.usage);
}

function parseTolerance(text: string): number {
  const tolerance = Number(text);
  if (tolerance >= 0) return tolerance;
  throw new CommandError(`Cannot use --tolerance ${text}: expected a number of at least 0`, EXIT.usage);
}

function parseCountOf(option: string): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (Number.isSafeInteger(count) && count > 0) return count;
    throw new CommandError(`Cannot use ${option} ${text}: expected a whole number above 0`, EXIT.usage);
  };
}

function parseRange(text: string): readonly [number, number] {
  const [black, white, ...rest] = text.split(',').map(Number);
  if (Number.isFinite(black) && Number.isFinite(white) && rest.length === 0) return [black as number, white as number];
  throw new CommandError(`Cannot use --range ${text}: expected two numbers, such as 0,1`, EXIT.usage);
}
