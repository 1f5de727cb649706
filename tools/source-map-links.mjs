// Programs in `dist` name their source maps, which tests want and the package does not have: `remove` before packing, `restore` after.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** There while they are removed: packing that fails must not leave a clone without them. */
const markerName = '.without-source-map-links';

function programsOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith('.js') && existsSync(`${path}.map`));
}

/** At once: whoever runs the program meanwhile must not read half of it. */
function replace(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function linkOf(path) {
  return `//# sourceMappingURL=${basename(path)}.map`;
}

export function removeLinks(folder) {
  if (!existsSync(folder)) return;
  writeFileSync(join(folder, markerName), '');
  for (const path of programsOf(folder)) {
    const text = readFileSync(path, 'utf8').trimEnd();
    if (text.endsWith(linkOf(path))) replace(path, text.slice(0, -linkOf(path).length));
  }
}

export function restoreLinks(folder) {
  if (!existsSync(join(folder, markerName))) return;
  for (const path of programsOf(folder)) {
    const text = readFileSync(path, 'utf8');
    if (!text.trimEnd().endsWith(linkOf(path))) replace(path, text + linkOf(path));
  }
  rmSync(join(folder, markerName));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
  const work = { remove: removeLinks, restore: restoreLinks }[process.argv[2]];
  if (work === undefined) throw new Error('usage: source-map-links.mjs remove | restore');
  work(dist);
}
