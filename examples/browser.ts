/** `npm run example browser`: serves the page of `examples/browser`, in which a worker does the learning. */
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const server = await createServer({ configFile: fileURLToPath(new URL('browser/vite.config.ts', import.meta.url)) });
await server.listen();
console.log(`Open ${server.resolvedUrls?.local[0]} in a browser; end with Ctrl+C.`);
