// Finds citations of RFC sections in sources: "RFC 7296 2.21.4", "RFC 7296 2.4, 2.25" and "RFC 7296 B.2".
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folders = ['src', 'fuzz', 'interop', 'bench'];
const section = String.raw`(?:\d+|[A-Z])(?:\.\d+)*\b(?!\.\d)`;
// A number without a dot behind a comma may count anything; sections that follow the first have one.
const further = String.raw`(?:,| and) (?:\d+|[A-Z])(?:\.\d+)+\b`;
const citation = new RegExp(String.raw`\bRFC (\d{4}),? (${section}(?:${further})*)`, 'g');

/** Tests, and what only they use. */
function isTest(path) {
  return /\.test\.ts$|\/testing\/|^(fuzz|interop|bench)\//.test(path);
}

/** The citations in one text: `{rfc, section}`. Comments may break in the midst of one. */
export function citationsIn(text) {
  const flat = text.replace(/\n\s*(?:\/\/|\*)\s*/g, ' ');
  return [...flat.matchAll(citation)].flatMap(([, rfc, list]) =>
    list.split(/,? and |, /).map((one) => ({ rfc, section: one })),
  );
}

/** Which files cite a section: `Map<"RFC SECTION", {code: [path], tests: [path]}>`, and how many files were read. */
export function citations(root) {
  const found = new Map();
  let files = 0;
  for (const folder of folders.filter((name) => existsSync(join(root, name)))) {
    const names = readdirSync(join(root, folder), { recursive: true }).map(String).sort();
    for (const name of names) {
      if (!name.endsWith('.ts')) continue;
      files++;
      const path = `${folder}/${name}`;
      for (const { rfc, section: number } of citationsIn(readFileSync(join(root, path), 'utf8'))) {
        const key = `${rfc} ${number}`;
        const cited = found.get(key) ?? { code: [], tests: [] };
        const list = isTest(path) ? cited.tests : cited.code;
        if (!list.includes(path)) list.push(path);
        found.set(key, cited);
      }
    }
  }
  return { files, found };
}
