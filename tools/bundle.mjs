// The command as a few files: a start is part of every outage, and most of one was the loading of a thousand small files.
// `node tools/bundle.mjs` takes what the compiler made. Dependencies stay what npm installs.
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const dist = join(root, 'dist');

const bundle = await rolldown({
  cwd: root,
  platform: 'node',
  // Files that are started by their own name stand beside each other, as deep in `dist` as those of a room: what they look
  // for relative to themselves is where it was.
  input: {
    main: join(dist, 'cli/main.js'),
    worker: join(dist, 'linux/early/worker.js'),
    'gateway-process': join(dist, 'daemon/demo/gateway-process.js'),
  },
  external: Object.keys(dependencies),
});
rmSync(join(dist, 'bundle'), { recursive: true, force: true });
await bundle.write({
  dir: join(dist, 'bundle'),
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  sourcemap: true,
});
await bundle.close();
