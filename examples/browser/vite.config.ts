import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'vite';

/** In an application of your own `hornet` is a package, and only `worker.format` remains of this. */
const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  logLevel: 'error',
  resolve: { alias: { hornet: fileURLToPath(new URL('../../src/index.ts', import.meta.url)) } },
  // Hornet loads what it needs piece by piece, which workers can do as modules.
  worker: { format: 'es' },
  server: { fs: { allow: [fileURLToPath(new URL('../..', import.meta.url))] } },
  assetsInclude: ['**/*.keras'],
});

export default config;
