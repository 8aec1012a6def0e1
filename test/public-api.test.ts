/** Every public name: a change here is a change for users, and goes into CHANGELOG.md. */
import * as hornet from 'hornet';
import { expect, test } from 'vitest';

test('the exported names', () => {
  expect(Object.keys(hornet).sort().join('\n')).toMatchInlineSnapshot();
});
