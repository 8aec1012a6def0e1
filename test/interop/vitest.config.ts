import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Tests that ask real Keras. */
const config: ViteUserConfig = defineConfig({
  resolve: { alias: { hornet: new URL('../../src/index.ts', import.meta.url).pathname } },
  test: {
    include: ['test/interop/**/*.test.ts'],
    expect: { requireAssertions: true },
    // Importing Keras and JAX takes a few seconds on a good day.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});

export default config;
