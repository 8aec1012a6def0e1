import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { findChromium } from '../../scripts/find-chromium.ts';

const executablePath = findChromium();

/** What a test needs of Chromium: no sandbox, for it runs as root in containers, and no traffic of its own. */
const args = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Tests in a real browser. */
const config: ViteUserConfig = defineConfig({
  resolve: { alias: { hornet: new URL('../../src/index.ts', import.meta.url).pathname } },
  // Everything is found beforehand: a dependency found later would reload the page in the middle of a test.
  optimizeDeps: { include: ['@zip.js/zip.js'] },
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/browser/predict-in-node.ts'],
    expect: { requireAssertions: true },
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { args, ...(executablePath === undefined ? {} : { executablePath }) } }),
      instances: [{ browser: 'chromium' }],
    },
  },
});

export default config;
