/** A string of JSON with what tells keys from values, or a bracket. */
const TOKEN = /"((?:[^"\\]|\\.)*)"(\s*:)?|[{}]/gs;

/** The first key that an object of a sound JSON text has twice: `JSON.parse` silently takes the last. */
export function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, quoted = '', colon] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const keys = open.at(-1);
      // Two spellings of one key differ in their escapes.
      const key = JSON.parse(`"${quoted}"`) as string;
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
