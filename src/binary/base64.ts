/** Bytes as text, for places that keep only text. */

/** `String.fromCharCode` takes its characters as arguments, of which engines allow some ten thousands. */
const CHARACTERS_AT_ONCE = 0x6000;

export function encodeBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // A multiple of three, so that no padding stands in the middle.
  for (let start = 0; start < bytes.byteLength; start += CHARACTERS_AT_ONCE) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(start, start + CHARACTERS_AT_ONCE))));
  }
  return pieces.join('');
}

/** The bytes of a text; `undefined` when it is no Base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  let characters: string;
  try {
    characters = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index);
  return bytes;
}

/** How many characters so many bytes take. */
export function base64Length(byteCount: number): number {
  return 4 * Math.ceil(byteCount / 3);
}
