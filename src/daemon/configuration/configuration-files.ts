// Files for the configuration reader: patterns with shell wildcards, resolved beside the file that names them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ConfigurationFile } from '#config';

/** `*`, `?`, and sets as `[a-z]` and `[!a-z]`; everything else means itself, also a bracket that is never closed. */
function toExpression(pattern: string): RegExp {
  const source = pattern.replace(
    /\*|\?|\[([!^]?)(\]?[^\]]*)\]|[^\w]/g,
    (part, negated: string | undefined, set: string | undefined) => {
      if (part === '*') return '.*';
      if (part === '?') return '.';
      if (set === undefined) return `\\${part}`;
      return `[${negated === '' ? '' : '^'}${set.replaceAll(/[\\\][^]/g, '\\$&')}]`;
    },
  );
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    // A set as `[z-a]` matches nothing.
    return /(?!)/;
  }
}

type Problem = Extract<ConfigurationFile, { readonly problem: string }>;

/** Paths, and folders in which none can be looked for. */
function expand(folder: string, parts: readonly string[]): (string | Problem)[] {
  const [part, ...rest] = parts;
  if (part === undefined) return [folder];
  if (!/[*?[]/.test(part)) return expand(join(folder, part), rest);
  const expression = toExpression(part);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    const problem = problemText(error);
    return problem === undefined ? [] : [{ path: folder, problem, folder: true }];
  }
  return (
    names
      // As shells do, a wildcard does not match hidden files.
      .filter((name) => expression.test(name) && (!name.startsWith('.') || part.startsWith('.')))
      .sort()
      .flatMap((name) => expand(join(folder, name), rest))
  );
}

/** `undefined`: there is no such file. */
function problemText(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  return code === 'EACCES' ? 'permission denied' : (code ?? message);
}

/** The files a pattern names, with their contents or the reason why they cannot be read. */
export function readConfigurationFiles(pattern: string, relativeTo: string): readonly ConfigurationFile[] {
  const absolute = isAbsolute(pattern) ? pattern : join(dirname(resolve(relativeTo)), pattern);
  return expand(
    '/',
    absolute.split('/').filter((part) => part !== ''),
  ).flatMap((path): ConfigurationFile[] => {
    if (typeof path !== 'string') return [path];
    try {
      if (statSync(path).isDirectory()) return [];
      return [{ path, octets: new Uint8Array(readFileSync(path)) }];
    } catch (error) {
      const problem = problemText(error);
      return problem === undefined ? [] : [{ path, problem }];
    }
  });
}
