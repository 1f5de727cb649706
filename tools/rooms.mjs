// The import table of the rooms (tools/rooms.json) and the Biome overrides that follow from it.
import { readFileSync } from 'node:fs';

export const table = JSON.parse(readFileSync(new URL('./rooms.json', import.meta.url), 'utf8'));

/** One Biome override per room: which rooms it may import, and for core rooms which globals it may not touch. */
export function overrides() {
  const names = table.rooms.map((room) => room.name);
  return table.rooms.flatMap((room) => {
    const foreign = names.filter((name) => name !== room.name && !room.imports.includes(name));
    const paths = {};
    for (const name of foreign) {
      for (const specifier of [`#${name}`, `wayward/${name}`]) {
        paths[specifier] =
          `${room.name} may import only: ${room.imports.join(', ') || 'nothing'} (tools/rooms.json)`;
      }
    }
    // A part is an index of its own, for what must not load the whole room.
    const parts = table.rooms
      .filter(({ name }) => room.imports.includes(name))
      .flatMap(({ name, parts = [] }) => parts.map((part) => `!#${name}/${part}`));
    const patterns = [
      {
        group: ['**/dist/**', '#*/**', 'wayward/*/**', ...parts],
        message: 'Import a room by its name, not a file inside it.',
      },
    ];
    const style = { noRestrictedImports: { level: 'error', options: { paths, patterns } } };
    const override = {
      includes: [`src/${room.name}/**`],
      linter: { rules: { style } },
    };
    if (!room.core) return [override];
    const pure = {
      includes: [`src/${room.name}/**`, '!src/**/*.test.ts', '!src/**/testing/**'],
      linter: {
        rules: {
          correctness: { noNodejsModules: room.nodeModules ? 'off' : 'error' },
          style: {
            noRestrictedGlobals: {
              level: 'error',
              options: {
                deniedGlobals: Object.fromEntries(
                  table.restrictedGlobals.map((name) => [
                    name,
                    'A core room has no clock, timer, randomness or environment.',
                  ]),
                ),
              },
            },
          },
        },
      },
      plugins: ['./tools/no-math-random.grit'],
    };
    if (room.nodeModules) {
      // Only outside of tests, which may use node:test and the like.
      const nodeModules = {
        group: ['node:*', 'node:*/**', ...room.nodeModules.map((name) => `!${name}`)],
        message: `${room.name} may import no node module but ${room.nodeModules.join(', ')}.`,
      };
      pure.linter.rules.style.noRestrictedImports = {
        level: 'error',
        options: { paths, patterns: [...patterns, nodeModules] },
      };
    }
    return [override, pure];
  });
}
