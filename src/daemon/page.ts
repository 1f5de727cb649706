// The page's files as they were built, and the token that opens the API to it.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Asset } from '#control';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** By path. Without a build there is no page, and the API works all the same. */
export function pageAssets(): ReadonlyMap<string, Asset> {
  const folder = new URL('../dashboard/', import.meta.url).pathname;
  const assets = new Map<string, Asset>();
  let names: readonly string[];
  try {
    names = readdirSync(folder, { recursive: true }).map(String);
  } catch {
    return assets;
  }
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const path = name === 'index.html' ? '/' : `/${name}`;
    // Vite puts a hash of the content into these names.
    assets.set(path, { type, body: readFileSync(join(folder, name)), immutable: name.startsWith('assets/') });
  }
  return assets;
}

export function openApiDocument(): string {
  return readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
}

export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/**
 * The token of this state folder: the same after a restart, so that bookmarks and scrapers go on.
 * @param failed it cannot be kept, and is one of this process
 */
export function keptToken(statePath: string, failed: (error: Error) => void): string {
  const file = join(statePath, 'http-token');
  try {
    const kept = readFileSync(file, 'utf8').trim();
    if (/^[\w-]{32,128}$/.test(kept)) return kept;
  } catch {
    // The first start, or a file that is not ours to read: then writing says so.
  }
  const token = newToken();
  try {
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
  } catch (error) {
    failed(error as Error);
  }
  return token;
}

/** Compares in a time that says nothing about the token, not even its length. */
export function tokenCheck(token: string): (offered: string) => boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (offered) => timingSafeEqual(digest(offered), expected);
}
