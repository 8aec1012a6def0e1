import { expect, test } from 'vitest';
import { layerClassNames, loadLayerClasses } from './registry.ts';

test('loadLayerClasses() finds each class under its own name', async () => {
  const names = layerClassNames();
  const classes = await loadLayerClasses(names);
  expect(names.length).toBeGreaterThan(140);
  expect(names.filter((name) => classes.get(name)?.className !== name)).toEqual([]);
});
