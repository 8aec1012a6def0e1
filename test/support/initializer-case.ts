/** Cases of initializers that draw no random numbers, as `interop/make-layer-fixtures-main.py` writes them. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Shape } from '../../src/array/shape.ts';
import { createInitializer } from '../../src/layers/initializers.ts';

export interface InitializerCase {
  readonly name: string;
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly value: { readonly shape: Shape; readonly data: readonly number[] };
}

/** The cases of a file below `test/fixtures/layers`, named by class and configuration. */
export function readInitializerCases(path: string): InitializerCase[] {
  const text = readFileSync(new URL(`../fixtures/layers/${path}`, import.meta.url), 'utf8');
  const cases = JSON.parse(text) as Omit<InitializerCase, 'name'>[];
  return cases.map((given) => ({ ...given, name: `${given.class_name} ${JSON.stringify(given.config)}` }));
}

/** Checks the values that an initializer gives. Keras' float32 phases cost it some digits. */
export function checkInitializerCase({ class_name: className, config, value }: InitializerCase): void {
  const found = createInitializer(className, config)?.initialize(value.shape, 'float32');
  expect(found?.shape).toEqual(value.shape);
  for (const [index, expected] of value.data.entries()) {
    expect(Math.abs(((found?.data[index] as number) ?? Number.NaN) - expected), `element ${index}`).toBeLessThan(2e-6);
  }
}
