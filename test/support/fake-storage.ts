/** A `Storage` for tests: text under names, a quota in characters as in browsers. */
export class FakeStorage implements Storage {
  [name: string]: unknown;
  readonly #items = new Map<string, string>();
  readonly #maxCharacters: number;

  constructor(maxCharacters: number = 5 << 20) {
    this.#maxCharacters = maxCharacters;
  }

  get length(): number {
    return this.#items.size;
  }

  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }

  getItem(name: string): string | null {
    return this.#items.get(name) ?? null;
  }

  setItem(name: string, value: string): void {
    const others = [...this.#items].filter(([other]) => other !== name);
    const used = others.reduce((sum, [other, text]) => sum + other.length + text.length, 0);
    if (used + name.length + value.length > this.#maxCharacters) {
      throw new DOMException('the quota has been exceeded', 'QuotaExceededError');
    }
    this.#items.set(name, value);
  }

  removeItem(name: string): void {
    this.#items.delete(name);
  }

  clear(): void {
    this.#items.clear();
  }
}
