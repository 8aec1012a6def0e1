import type { SymbolicTensor } from '../../graph/node.ts';
import { type Fields, type Options, string } from '../fields.ts';
import { mapToIntegers, mapToStrings } from './host-function.ts';
import { IndexLookup, type IndexLookupConfig, lookupFields, token, vocabulary } from './index-lookup.ts';

export interface StringLookupConfig extends IndexLookupConfig<string> {
  /** Kept for Keras; strings are Unicode here. */
  encoding: string;
}

const isString = (value: unknown): value is string => typeof value === 'string';

/** Translates strings into indices of a vocabulary, int32 `[…]` or encodings `[…, size]`, or indices into strings. */
export class StringLookup extends IndexLookup<string, StringLookupConfig> {
  static readonly className = 'StringLookup';
  static readonly fields: Fields<StringLookupConfig> = {
    ...lookupFields,
    maskToken: token(isString, null),
    oovToken: token(isString, '[UNK]'),
    vocabulary: vocabulary(isString),
    encoding: string('utf-8'),
  };

  constructor(
    options: Omit<Options<StringLookupConfig>, 'vocabulary'> & { vocabulary?: readonly string[] | null } = {},
  ) {
    super(StringLookup.className, StringLookup.fields, options);
  }

  protected override readToken(line: string): string {
    return line;
  }

  protected override oovIndex(text: string): number {
    return this.hashedOovIndex(text);
  }

  override call([x]: readonly [SymbolicTensor]): SymbolicTensor {
    if (!this.config.invert) {
      const indices = mapToIntegers(`${this.name}/lookup`, [x], (text) => this.indexOf(text as string));
      return this.encode(indices);
    }
    const { maskToken, oovToken } = this.config;
    return mapToStrings(`${this.name}/lookup`, x, (index) => {
      if (maskToken !== null && index === 0) return maskToken;
      return this.tokens[(index as number) - this.tokenStart] ?? oovToken ?? '';
    });
  }
}
