// No relative import leaves its room: the import table of tools/rooms.json knows rooms by their names only.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

const specifiers = /(?:\bfrom|\bimport)\s*\(?\s*(['"`])(\.[^'"`]*)\1/g;

const files = readdirSync('src', { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.ts'));
for (const name of files) {
  const [room] = name.split(sep);
  const lines = readFileSync(join('src', name), 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    for (const [, , specifier] of line.matchAll(specifiers)) {
      const target = relative(room, join(dirname(name), specifier));
      if (!target.startsWith('..')) continue;
      console.log(`src/${name}:${index + 1} ${specifier} lies outside of room ${room}`);
      process.exitCode = 1;
    }
  }
}

// The page knows the daemon by its answers alone.
const api = join('src', 'control', 'api', 'index.ts');
const page = readdirSync(join('dashboard', 'src'), { recursive: true })
  .map((name) => join('dashboard', 'src', String(name)))
  .filter((name) => /\.tsx?$/.test(name));
for (const name of page) {
  const lines = readFileSync(name, 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    for (const [, , specifier] of line.matchAll(specifiers)) {
      const target = join(dirname(name), specifier);
      const typesOfApi = target === api && /^\s*(import|export) type /.test(line);
      if (typesOfApi || !relative('dashboard', target).startsWith('..')) continue;
      console.log(`${name}:${index + 1} ${specifier}: dashboard may import only types, of control/api`);
      process.exitCode = 1;
    }
  }
}
console.log(`looked at ${files.length + page.length} files`);
