import { AttributeTable } from './attribute-table.ts';
import { readDatasetRecord } from './dataset-record.ts';
import { Hdf5Dataset } from './hdf5-dataset.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { decodeLink, type Link } from './link.ts';
import { MESSAGE, type Message, readObjectHeader } from './object-header.ts';
import { resolveMessage } from './shared-message.ts';
import { readSymbolTable } from './symbol-table.ts';
import type { AttributeValue } from './values.ts';

/** A folder of a file. Its names are read when first asked for. */
export class Hdf5Group {
  /** From the root, with a leading slash; `/` for the root itself. */
  readonly path: string;
  /** Identifies the object: a group that contains itself shows the same address again. */
  readonly address: number;
  readonly #file: Hdf5File;
  readonly #messages: readonly Message[];
  readonly #attributes: AttributeTable;
  readonly #children = new Map<string, Promise<Hdf5Group | Hdf5Dataset>>();
  #links: Promise<Map<string, Link>> | undefined;

  constructor(file: Hdf5File, path: string, address: number, messages: readonly Message[]) {
    this.path = path;
    this.address = address;
    this.#file = file;
    this.#messages = messages;
    this.#attributes = new AttributeTable(file, messages, path);
  }

  /** The names in this group, links that are not followed included, ordered by their UTF-8 bytes. */
  async names(): Promise<string[]> {
    return [...(await this.#readLinks()).keys()].sort(compareUtf8);
  }

  /**
   * The object at a path below this group, `undefined` when there is none. Slashes separate names; every other character,
   * the backslash too, belongs to a name. A path that starts with a slash is taken from here as well.
   *
   * @throws {UnsupportedError} when the path leads through a soft, external or user-defined link.
   */
  async get(path: string): Promise<Hdf5Group | Hdf5Dataset | undefined> {
    let object: Hdf5Group | Hdf5Dataset = this;
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue;
      if (object instanceof Hdf5Dataset) return undefined;
      const child: Hdf5Group | Hdf5Dataset | undefined = await object.#child(name);
      if (child === undefined) return undefined;
      object = child;
    }
    return object;
  }

  /** @throws {FormatError} when there is no group at the path. */
  async group(path: string): Promise<Hdf5Group> {
    const object = await this.get(path);
    if (object instanceof Hdf5Group) return object;
    throw this.#missing('group', path, object === undefined ? 'nothing is there' : 'it is a dataset');
  }

  /** @throws {FormatError} when there is no dataset at the path. */
  async dataset(path: string): Promise<Hdf5Dataset> {
    const object = await this.get(path);
    if (object instanceof Hdf5Dataset) return object;
    throw this.#missing('dataset', path, object === undefined ? 'nothing is there' : 'it is a group');
  }

  /** The value of an attribute, `undefined` when there is none of that name. */
  async attribute(name: string): Promise<AttributeValue | undefined> {
    return await this.#attributes.value(name);
  }

  /** All attributes, in the order of the file. */
  async attributes(): Promise<Map<string, AttributeValue>> {
    return await this.#attributes.values();
  }

  #missing(kind: string, path: string, found: string): Error {
    return this.#file.fail(`there is no ${kind} "${childPath(this.path, path)}": ${found}`);
  }

  async #child(name: string): Promise<Hdf5Group | Hdf5Dataset | undefined> {
    const link = (await this.#readLinks()).get(name);
    if (link === undefined) return undefined;
    const path = childPath(this.path, name);
    if (link.kind !== 'hard') {
      throw this.#file.unsupported(
        `the ${link.kind} link`,
        path,
        're-save the file with the object itself in its place',
      );
    }
    let child = this.#children.get(name);
    if (child === undefined) {
      child = openObject(this.#file, path, link.address, link.isGroup);
      this.#children.set(name, child);
      child.catch(() => this.#children.delete(name));
    }
    return await child;
  }

  #readLinks(): Promise<Map<string, Link>> {
    this.#links ??= this.#collectLinks().catch((error: unknown) => {
      this.#links = undefined;
      throw error;
    });
    return this.#links;
  }

  async #collectLinks(): Promise<Map<string, Link>> {
    const links = new Map<string, Link>();
    const add = (link: Link): void => {
      if (links.has(link.name)) throw this.#file.fail(`the group "${this.path}" has two objects named "${link.name}"`);
      links.set(link.name, link);
    };
    for (const message of this.#messages) {
      if (message.type === MESSAGE.link) {
        add(decodeLink(await resolveMessage(this.#file, message)));
      } else if (message.type === MESSAGE.linkInfo) {
        // Keras never writes dense storage; the code for it is loaded with the first file that has some.
        const { readDenseLinks } = await import('./dense-storage.ts');
        for (const reader of await readDenseLinks(this.#file, message)) add(decodeLink(reader));
      } else if (message.type === MESSAGE.symbolTable) {
        const reader = await resolveMessage(this.#file, message);
        const treeAddress = reader.definedAddress('group B-tree');
        const heapAddress = reader.definedAddress('local heap');
        for (const link of await readSymbolTable(this.#file, treeAddress, heapAddress)) add(link);
      }
    }
    return links;
  }
}

const GROUP_MESSAGES: readonly number[] = [MESSAGE.symbolTable, MESSAGE.linkInfo, MESSAGE.groupInfo, MESSAGE.link];

/** Opens the object whose header is at an address, which is likely a group's or not. */
export async function openObject(
  file: Hdf5File,
  path: string,
  address: number,
  isGroup = false,
): Promise<Hdf5Group | Hdf5Dataset> {
  const messages = await readObjectHeader(file, address, isGroup);
  if (messages.some(({ type }) => GROUP_MESSAGES.includes(type))) return new Hdf5Group(file, path, address, messages);
  if (messages.some(({ type }) => type === MESSAGE.layout || type === MESSAGE.externalFiles)) {
    return new Hdf5Dataset(await readDatasetRecord(file, path, address, messages));
  }
  if (messages.some(({ type }) => type === MESSAGE.datatype)) throw file.unsupported('a named datatype', path);
  throw file.fail(`the object "${path}" is neither group nor dataset`, file.baseOffset + address);
}

function childPath(parent: string, path: string): string {
  return `${parent === '/' ? '' : parent}/${path.replace(/^\/+/, '')}`;
}

/** Orders strings by their UTF-8 bytes, which is the order of their code points. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = a.charCodeAt(index) - b.charCodeAt(index);
    if (difference === 0) continue;
    // At the first difference within a surrogate pair the whole pairs decide.
    const from =
      index > 0 && isLowSurrogate(a.charCodeAt(index)) && isLowSurrogate(b.charCodeAt(index)) ? index - 1 : index;
    return (a.codePointAt(from) as number) - (b.codePointAt(from) as number);
  }
  return a.length - b.length;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
