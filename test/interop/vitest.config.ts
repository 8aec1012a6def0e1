import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Tests that ask real Keras. */
const config: ViteUserConfig = defineConfig({
  resolve: { alias: { hornet: new URL('../../src/index.ts', import.meta.url).pathname } },
  test: {
    // Prints the table of what the judges found.
    globalSetup: ['test/interop/table.ts'],
    include: ['test/interop/**/*.test.ts'],
    expect: { requireAssertions: true },
    // Importing Keras and JAX takes a few seconds on a good day.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});

export default config;
