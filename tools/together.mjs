// Test files that touch nothing but what they are given share a process: to start one costs more than most of them do.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { table } from './rooms.mjs';

/** So few that every core has something to do until the end. */
const filesMax = 12;

const coreRooms = table.rooms.filter((room) => room.core).map(({ name }) => join('dist', name, '/'));
/** What a process has one of, and hooks, which would be those of all files in it. */
const alone = /['"]node:(?!test['"]|assert|crypto)|\bprocess\.|^(before|after)(Each)?\(/m;

function sharesProcess(file) {
  return coreRooms.some((room) => file.startsWith(room)) && !alone.test(readFileSync(file, 'utf8'));
}

/**
 * @param files test files
 * @param folder for files that stand for several
 * @returns what to run in their place
 */
export function together(files, folder) {
  const sharing = files.filter(sharesProcess);
  const others = files.filter((file) => !sharing.includes(file));
  if (sharing.length < 2) return files;
  const groups = Array.from({ length: Math.ceil(sharing.length / filesMax) }, (_, number) => {
    const group = join(folder, `${number}.mjs`);
    // Neighbours load the same rooms.
    const members = sharing.slice(number * filesMax, (number + 1) * filesMax);
    const imports = members.map((file) => `import '${pathToFileURL(resolve(file)).href}';\n`);
    writeFileSync(group, imports.join(''));
    return group;
  });
  return [...groups, ...others];
}
