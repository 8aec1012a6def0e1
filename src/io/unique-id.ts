/** Part of a file's name that no two saves have in common, on any machine. */
export function uniqueId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
