/** Questions about raw JSON, asked wherever a configuration is taken apart. */
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** `{ class_name, config }`: how every generation stores an object. */
export function isSerializedObject(value: unknown): value is JsonObject & { class_name: string } {
  return isObject(value) && typeof value.class_name === 'string' && 'config' in value;
}

/** The configuration of an object, empty when the file has none. */
export function configOf(value: JsonObject): JsonObject {
  return isObject(value.config) ? value.config : {};
}

const MODEL_CLASSES: ReadonlySet<unknown> = new Set(['Model', 'Functional', 'Sequential']);

/** Whether a class, without its package, is one of Keras' own models. */
export function isModelClass(className: unknown): boolean {
  return MODEL_CLASSES.has(className);
}

export function camelCaseOf(key: string): string {
  return key.includes('_') ? key.replace(/(?<=.)_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) : key;
}

/** `Scale` of `fixture>Scale`: a class name without the package it was registered under. */
export function withoutPackage(className: string): string {
  return className.slice(className.lastIndexOf('>') + 1);
}
