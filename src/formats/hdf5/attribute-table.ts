import { type Attribute, readAttribute } from './attribute.ts';
import type { ByteReader } from './byte-reader.ts';
import type { Hdf5File } from './hdf5-file.ts';
import { MESSAGE, type Message } from './object-header.ts';
import { resolveMessage } from './shared-message.ts';
import { type AttributeValue, readAttributeValue } from './values.ts';

/** The attributes of one object; read when first asked for, each value decoded when asked for. */
export class AttributeTable {
  readonly #file: Hdf5File;
  readonly #messages: readonly Message[];
  readonly #path: string;
  #attributes: Promise<Map<string, Attribute>> | undefined;

  constructor(file: Hdf5File, messages: readonly Message[], path: string) {
    this.#file = file;
    this.#messages = messages;
    this.#path = path;
  }

  async value(name: string): Promise<AttributeValue | undefined> {
    const attribute = (await this.#read()).get(name);
    return attribute && (await readAttributeValue(this.#file, attribute, this.#path));
  }

  async values(): Promise<Map<string, AttributeValue>> {
    const values = new Map<string, AttributeValue>();
    for (const [name, attribute] of await this.#read()) {
      values.set(name, await readAttributeValue(this.#file, attribute, this.#path));
    }
    return values;
  }

  #read(): Promise<Map<string, Attribute>> {
    this.#attributes ??= this.#readAll().catch((error: unknown) => {
      this.#attributes = undefined;
      throw error;
    });
    return this.#attributes;
  }

  async #readAll(): Promise<Map<string, Attribute>> {
    const attributes = new Map<string, Attribute>();
    const add = async (reader: ByteReader): Promise<void> => {
      const attribute = await readAttribute(this.#file, reader);
      if (attributes.has(attribute.name)) throw reader.fail(`"${this.#path}" has two attributes "${attribute.name}"`);
      attributes.set(attribute.name, attribute);
    };
    for (const message of this.#messages) {
      if (message.type === MESSAGE.attribute) await add(await resolveMessage(this.#file, message));
      if (message.type !== MESSAGE.attributeInfo) continue;
      // Keras never writes dense storage; the code for it is loaded with the first file that has some.
      const { readDenseAttributes } = await import('./dense-storage.ts');
      for (const reader of await readDenseAttributes(this.#file, message)) await add(reader);
    }
    return attributes;
  }
}
