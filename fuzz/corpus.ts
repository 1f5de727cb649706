// The committed inputs of each target.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** From build/fuzz back to the repository. */
const repository = fileURLToPath(new URL('../../', import.meta.url));

export const findingsFolder: string = join(repository, 'test-output', 'fuzz');

export interface CorpusEntry {
  readonly name: string;
  readonly octets: Uint8Array;
}

/** Inputs of a target in the order of their names; throws if there is none. */
export function readCorpus(target: string): readonly CorpusEntry[] {
  const folder = join(repository, 'fuzz', 'corpus', target);
  const names = readdirSync(folder).sort();
  if (names.length === 0) throw new Error(`${folder} is empty`);
  return names.map((name) => ({ name, octets: new Uint8Array(readFileSync(join(folder, name))) }));
}
