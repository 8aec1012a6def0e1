import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { findChromium } from '../../scripts/find-chromium.ts';
import { CHROMIUM_ARGUMENTS } from './chromium.ts';

const executablePath = findChromium();
const launchOptions = { args: [...CHROMIUM_ARGUMENTS], ...(executablePath === undefined ? {} : { executablePath }) };

const alias = { hornet: new URL('../../src/index.ts', import.meta.url).pathname };
const common = {
  globalSetup: ['test/browser/predict-in-node.ts'],
  expect: { requireAssertions: true },
  testTimeout: 60_000,
};

/** Tests in a real browser: those that run there, and one that looks at a page from outside. */
const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        // Everything is found beforehand: a dependency found later would reload the page in the middle of a test.
        optimizeDeps: {
          include: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-layers'],
        },
        test: {
          ...common,
          name: 'in the browser',
          include: [
            'test/browser/load.test.ts',
            'test/browser/stores.test.ts',
            'test/browser/tensorflowjs.test.ts',
            'test/browser/cache.test.ts',
          ],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        resolve: { alias },
        test: {
          ...common,
          name: 'a built page',
          include: [
            'test/browser/page.test.ts',
            'test/browser/threads.test.ts',
            'test/browser/transfer-learning.test.ts',
          ],
        },
      },
    ],
  },
});

export default config;
