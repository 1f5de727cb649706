// The committed inputs of each target.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FuzzTarget } from './target.ts';

/** From build/fuzz back to the repository. */
const repository = fileURLToPath(new URL('../../', import.meta.url));

export const findingsFolder: string = join(repository, 'test-output', 'fuzz');

export interface CorpusEntry {
  readonly name: string;
  readonly octets: Uint8Array;
}

/** Inputs of a target, seeds that it makes itself first; throws if there is none. */
export function inputsOf(target: FuzzTarget): readonly CorpusEntry[] {
  const folder = join(repository, 'fuzz', 'corpus', target.name);
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const stored = names.map((name) => ({ name, octets: new Uint8Array(readFileSync(join(folder, name))) }));
  const inputs = [...(target.seeds?.() ?? []), ...stored];
  if (inputs.length === 0) throw new Error(`${folder} is empty`);
  return inputs;
}
