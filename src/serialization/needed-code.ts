/** The parts of Hornet that a model's configuration calls for, loaded before the model is built. */
import type { JsonObject, JsonValue } from '../formats/artifacts.ts';
import type { LayerClass } from './custom-objects.ts';
import type { Dialect } from './dialect.ts';
import { isList, isObject, withoutPackage } from './json-shapes.ts';
import type { RawLayer } from './keras1.ts';
import { currentClassName } from './keras2.ts';
import type { OperationCall, OperationNode } from './operations.ts';
import { isRawOperation } from './raw-operations.ts';
import { loadLayerClasses } from './registry.ts';

/** Makes the layer of one call of a function; see `operations.ts`. */
export type CreateOperation = (
  decodeValue: (value: JsonValue) => unknown,
  json: JsonObject,
  name: string,
  call: OperationCall,
) => OperationNode;

export interface NeededCode {
  readonly classes: ReadonlyMap<string, LayerClass>;
  /** Absent where the configuration is later than Keras 1. */
  readonly fromKeras1: ((raw: RawLayer) => RawLayer) | undefined;
  /** Absent where the model calls no functions. */
  readonly createOperation: CreateOperation | undefined;
}

/** Loads what the objects of a configuration are made with. */
export async function loadNeededCode(topology: JsonObject, dialect: Dialect): Promise<NeededCode> {
  const keras1 = dialect.generation === 1 ? await import('./keras1.ts') : undefined;
  const names = new Set<string>();
  let callsFunctions = false;
  const pending: JsonValue[] = [topology];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (isList(value)) {
      for (const element of value) if (isNested(element)) pending.push(element);
    } else if (isObject(value)) {
      for (const key in value) {
        const element = value[key] as JsonValue;
        if (isNested(element)) pending.push(element);
      }
      if (typeof value.class_name !== 'string') continue;
      const name = withoutPackage(value.class_name);
      for (const possible of [name, ...(keras1?.keras1ClassNames(name) ?? [])]) names.add(currentClassName(possible));
      callsFunctions ||= isRawOperation(value);
    }
  }
  const [classes, operations] = await Promise.all([
    loadLayerClasses(names),
    callsFunctions ? import('./operations.ts') : undefined,
  ]);
  return { classes, fromKeras1: keras1?.fromKeras1, createOperation: operations?.createOperation };
}

/** Most values of a configuration are not, and need not be looked at. */
function isNested(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null;
}
