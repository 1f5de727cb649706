// The folder a daemon reads: a scenario's files with the addresses and values of one run filled in.
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What stands for `@name@` in a scenario's .conf files. */
export type Variables = Readonly<Record<string, string>>;

/** @throws Error if a file uses a name that has no value */
function fillIn(text: string, variables: Variables, file: string): string {
  return text.replace(/@([a-z_0-9]+)@/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`${file}: nothing stands for @${name}@`);
    return value;
  });
}

/** Copies `from` to `to`, and fills in all .conf files in it. */
export async function fillFolder(from: string, to: string, variables: Variables): Promise<void> {
  await mkdir(to, { recursive: true });
  await cp(from, to, { recursive: true });
  for (const name of await readdir(from, { recursive: true })) {
    if (!name.endsWith('.conf')) continue;
    await writeFile(join(to, name), fillIn(await readFile(join(from, name), 'utf8'), variables, name));
  }
}
