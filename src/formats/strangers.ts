/** What a file is that is no Keras model: people take many for one, and servers answer with pages. */
import type { RangedFile } from '../binary/ranged-file.ts';
import { FormatError } from '../errors.ts';
import { latin1 } from './detect.ts';

/** The last bytes of a table of TensorFlow's tensor bundles. */
const CHECKPOINT_FOOTER = '\x57\xfb\x80\x8b\x24\x75\x47\xdb';

interface Stranger {
  readonly found: string;
  readonly advice?: string;
  /** One character a byte. */
  readonly signature: string;
  /** Where the signature stands, 0 unless given. */
  readonly at?: number;
}

/** Files that are no Keras model and that people take for one, by their signatures. */
const STRANGERS: readonly Stranger[] = [
  {
    signature: 'version https://git-lfs',
    found: 'a Git LFS pointer',
    advice: 'fetch the file itself with "git lfs pull"',
  },
  { signature: 'GGUF', found: 'a GGUF file' },
  { signature: '\x93NUMPY', found: 'a NumPy array' },
  {
    signature: 'TFL3',
    at: 4,
    found: 'a TensorFlow Lite model',
    advice: 'convert the Keras model that it was made from',
  },
  { signature: '\x08\x01\x12', found: 'a TensorFlow SavedModel', advice: 'save the model as .keras or .h5' },
  { signature: '\x1f\x8b', found: 'a gzip archive', advice: 'unpack it first' },
  { signature: 'ustar', at: 257, found: 'a tar archive', advice: 'unpack it first' },
  { signature: '\x89PNG', found: 'an image' },
  { signature: '\xff\xd8\xff', found: 'an image' },
  ...['\x02', '\x03', '\x04', '\x05'].map((protocol) => ({
    signature: `\x80${protocol}`,
    found: 'a Python pickle',
    advice: 'it is never executed; save the model as .keras',
  })),
];

/**
 * The error for a file that is nothing that Hornet reads, naming what it is where that is known.
 *
 * @param head its first bytes, as a string of one character each
 */
export async function describeStranger(file: RangedFile, head: string): Promise<FormatError> {
  const { name } = file;
  if (/^\s*<(?:!doctype html|html|head|body|script|!--)/i.test(head)) {
    return refusal(name, 'an HTML page', 'check the address');
  }
  if (/^\s*<\?xml/i.test(head)) return refusal(name, 'an XML document', 'check the address');
  const stranger = STRANGERS.find(({ signature, at = 0 }) => head.startsWith(signature, at));
  if (stranger !== undefined) return refusal(name, stranger.found, stranger.advice);
  const end = latin1(await file.slice(Math.max(0, file.byteLength - CHECKPOINT_FOOTER.length), file.byteLength));
  if (end === CHECKPOINT_FOOTER) {
    return refusal(name, 'the index of a TensorFlow checkpoint', 'save the weights as .weights.h5');
  }
  const start = JSON.stringify(head.slice(0, 16));
  return new FormatError(
    `Cannot read "${name}": found bytes that begin ${start}, expected HDF5, a .keras or .npz archive, safetensors or JSON`,
    { file: name, offset: 0 },
  );
}

function refusal(name: string, found: string, advice?: string): FormatError {
  const what = `found ${found}, expected a Keras or TensorFlow.js model`;
  return new FormatError(`Cannot read "${name}": ${what}${advice === undefined ? '' : `; ${advice}`}`, {
    file: name,
    offset: 0,
  });
}
