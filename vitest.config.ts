import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Tests that need nothing but Node. Those for browsers, other runtimes and Python have configurations of their own. */
const config: ViteUserConfig = defineConfig({
  resolve: { alias: { hornet: new URL('./src/index.ts', import.meta.url).pathname } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/interop/**', 'test/runtimes/**', 'node_modules/**'],
    expect: { requireAssertions: true },
    testTimeout: 60_000,
  },
});

export default config;
