import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Tests of the built package in Deno and Bun, beside Node. */
const config: ViteUserConfig = defineConfig({
  test: { include: ['test/runtimes/**/*.test.ts'], expect: { requireAssertions: true }, testTimeout: 120_000 },
});

export default config;
