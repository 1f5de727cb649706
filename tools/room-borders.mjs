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
console.log(`looked at ${files.length} files`);
